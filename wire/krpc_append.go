package wire

// AppendMessage appends the canonical form of m to b and returns the longer slice. It allocates nothing if b has room. It
// writes what m says and checks nothing: that Kind is one of the three and that Body fits the method is the caller's duty.
func AppendMessage(b []byte, m *Message) []byte {
	b = append(b, 'd') // wire-krpc-dictionary, wire-key-order, wire-one-value
	switch m.Kind {
	case KindQuery:
		b = append(b, "1:a"...) // wire-krpc-query
		b = appendBody(b, &m.Body)
		b = append(b, "1:q"...)
		b = AppendString(b, m.Method)
		if m.ReadOnly {
			b = append(b, "2:roi1e"...)
		}
	case KindReply:
		b = appendIP(b, m)
		b = append(b, "1:r"...)
		b = appendBody(b, &m.Body)
	case KindError:
		b = append(b, "1:el"...) // wire-krpc-error
		b = AppendInt(b, m.Code)
		b = AppendString(b, m.Text)
		b = append(b, 'e')
		b = appendIP(b, m)
	}
	b = append(b, "1:t"...)
	b = AppendString(b, m.T)
	if m.Version != nil {
		b = append(b, "1:v"...) // wire-krpc-version
		b = AppendString(b, m.Version)
	}
	b = append(b, "1:y1:"...)
	return append(b, byte(m.Kind), 'e') // wire-krpc-kind
}

func appendIP(b []byte, m *Message) []byte {
	switch {
	case !m.IP.IsValid():
		return b
	case m.IP.Addr().Is4():
		b = append(b, "2:ip6:"...)
	default:
		b = append(b, "2:ip18:"...)
	}
	return AppendAddrPort(b, m.IP)
}

// appendBody appends the dictionary a or r. The keys stand in ascending order: wire-key-order.
func appendBody(b []byte, m *Body) []byte {
	has := m.Has
	b = append(b, 'd')
	if has&HasCAS != 0 {
		b = append(b, "3:cas"...)
		b = AppendInt(b, m.CAS)
	}
	if has&HasID != 0 {
		b = append(b, "2:id20:"...)
		b = append(b, m.ID[:]...)
	}
	if has&HasImpliedPort != 0 {
		if m.ImpliedPort {
			b = append(b, "12:implied_porti1e"...)
		} else {
			b = append(b, "12:implied_porti0e"...)
		}
	}
	if has&HasInfoHash != 0 {
		b = append(b, "9:info_hash20:"...)
		b = append(b, m.InfoHash[:]...)
	}
	if has&HasInterval != 0 {
		b = append(b, "8:interval"...)
		b = AppendInt(b, m.Interval)
	}
	if has&HasKey != 0 {
		b = append(b, "1:k"...)
		b = AppendString(b, m.Key)
	}
	if has&HasNodes != 0 {
		b = append(b, "5:nodes"...)
		b = AppendString(b, []byte(m.Nodes))
	}
	if has&HasNodes6 != 0 {
		b = append(b, "6:nodes6"...)
		b = AppendString(b, []byte(m.Nodes6))
	}
	if has&HasNum != 0 {
		b = append(b, "3:num"...)
		b = AppendInt(b, m.Num)
	}
	if has&HasPort != 0 {
		b = append(b, "4:port"...)
		b = AppendInt(b, m.Port)
	}
	if has&HasSalt != 0 {
		b = append(b, "4:salt"...)
		b = AppendString(b, m.Salt)
	}
	if has&HasSamples != 0 {
		b = append(b, "7:samples"...)
		b = AppendString(b, []byte(m.Samples))
	}
	if has&HasSeq != 0 {
		b = append(b, "3:seq"...)
		b = AppendInt(b, m.Seq)
	}
	if has&HasSig != 0 {
		b = append(b, "3:sig"...)
		b = AppendString(b, m.Sig)
	}
	if has&HasTarget != 0 {
		b = append(b, "6:target20:"...)
		b = append(b, m.Target[:]...)
	}
	if has&HasToken != 0 {
		b = append(b, "5:token"...)
		b = AppendString(b, m.Token)
	}
	if has&HasValue != 0 {
		b = append(b, "1:v"...)
		b = append(b, m.Value...)
	}
	if has&HasValues != 0 {
		b = append(b, "6:valuesl"...)
		b = append(b, m.Values...)
		b = append(b, 'e')
	}
	if has&HasWant != 0 {
		b = append(b, "4:wantl"...)
		if m.Want&Want4 != 0 {
			b = append(b, "2:n4"...)
		}
		if m.Want&Want6 != 0 {
			b = append(b, "2:n6"...)
		}
		b = append(b, 'e')
	}
	return append(b, 'e')
}
