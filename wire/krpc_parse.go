package wire

// ParseMessage reads the message that the datagram b holds into m, whose slices then alias b. It allocates nothing unless it
// refuses b, with an *Error: of class ErrLimit if b is too long or nests too deeply, otherwise ErrMalformed.
//
// After a refusal m holds what could be read in spite of the fault, so that the sender of a bad query can be told: T, and Kind,
// Method, Version, ReadOnly and IP, each if it stands in b in its right form, and of a key that stands twice the first. Its
// Body is not to be used. Of a datagram that is too long nothing is read.
func ParseMessage(b []byte, m *Message) error {
	*m = Message{}
	s := scanner{b: b}
	if len(b) > MaxDatagram {
		s.refuse(ErrLimit, "datagram longer than %d bytes", MaxDatagram) // wire-datagram-limit
		return s.result()
	}
	var top topLevel
	if top.split(&s) {
		s.end()
	}
	p := parser{&s}
	p.message(&top, m)
	return s.result()
}

// A topLevel holds the value of each key of a message that we know as it stands there, nil if it does not. What one means
// depends on y, which comes last.
type topLevel struct{ a, e, ip, q, r, ro, t, v, y []byte }

// split fills in top from the datagram in s. It reports whether it came to the end of the dictionary.
func (top *topLevel) split(s *scanner) bool {
	if len(s.b) == 0 || s.b[0] != 'd' {
		s.refuse(ErrMalformed, "message is not a dictionary") // wire-key-missing
		return false
	}
	s.i++
	var key []byte
	for s.more() {
		var ok bool
		if key, ok = s.key(key); !ok {
			return false
		}
		raw, ok := s.raw(1)
		if !ok {
			return false
		}
		var to *[]byte
		switch string(key) {
		case "a":
			to = &top.a
		case "e":
			to = &top.e
		case "ip":
			to = &top.ip
		case "q":
			to = &top.q
		case "r":
			to = &top.r
		case "ro":
			to = &top.ro
		case "t":
			to = &top.t
		case "v":
			to = &top.v
		case "y":
			to = &top.y
		default:
			continue // wire-unknown-key
		}
		if *to == nil {
			*to = raw
		}
	}
	return s.close()
}

// A parser gives values that a scanner has walked their meaning. Each raw is one whole value.
type parser struct{ *scanner }

// message fills in m from top. If the scanner has met a fault, it fills in what it can.
func (p *parser) message(top *topLevel, m *Message) {
	if y, ok := p.string("y", top.y); ok {
		if len(y) == 1 && (y[0] == 'q' || y[0] == 'r' || y[0] == 'e') {
			m.Kind = Kind(y[0])
		} else {
			p.refuse(ErrMalformed, "y is not q, r or e") // wire-known-key
		}
	}
	m.T, _ = p.string("t", top.t)
	if top.v != nil { // wire-version-absent
		m.Version, _ = p.string("v", top.v)
	}
	switch m.Kind { // wire-kind-decides
	case KindQuery:
		m.Method, _ = p.string("q", top.q)
		if top.ro != nil {
			m.ReadOnly = p.integer("ro", top.ro) != 0
		}
		p.body("a", top.a, &m.Body)
	case KindReply:
		p.ip(top.ip, m)
		p.body("r", top.r, &m.Body)
	case KindError:
		p.ip(top.ip, m)
		p.error(top.e, m)
	}
}

// ip reads the address that the sender saw.
func (p *parser) ip(raw []byte, m *Message) {
	if raw == nil {
		return
	}
	if ip, _ := p.string("ip", raw); len(ip) == Addr4Size || len(ip) == Addr6Size { // wire-ip-other-length
		m.IP = addrPort(ip)
	}
}

// error reads e: a list of an integer and a string.
func (p *parser) error(raw []byte, m *Message) {
	if !p.is('l', "e", "a list", raw) {
		return
	}
	s := scanner{b: raw, i: 1}
	var entries [2][]byte
	n := 0
	for ; s.more() && n < 3; n++ {
		if entry, _ := s.raw(2); n < 2 {
			entries[n] = entry
		}
	}
	if n != 2 || entries[0][0] != 'i' || !isString(entries[1]) {
		p.refuse(ErrMalformed, "e is not an integer and a string") // wire-known-key
		return
	}
	m.Code = p.integer("e", entries[0])
	m.Text = content(entries[1])
}

// body reads the dictionary a or r.
func (p *parser) body(name string, raw []byte, to *Body) {
	if !p.is('d', name, "a dictionary", raw) || p.err != nil {
		return
	}
	s := scanner{b: raw, i: 1}
	for s.more() {
		key, _ := s.str()
		raw, _ := s.raw(2)
		switch string(key) {
		case "cas":
			to.CAS = p.natural("cas", raw)
			to.Has |= HasCAS
		case "id":
			p.id("id", raw, &to.ID)
			to.Has |= HasID
		case "implied_port":
			to.ImpliedPort = p.integer("implied_port", raw) != 0
			to.Has |= HasImpliedPort
		case "info_hash":
			p.id("info_hash", raw, &to.InfoHash)
			to.Has |= HasInfoHash
		case "interval":
			to.Interval = p.integer("interval", raw)
			to.Has |= HasInterval
		case "k":
			to.Key = p.fixed("k", raw, 32)
			to.Has |= HasKey
		case "nodes":
			to.Nodes = p.multiple("nodes", raw, Node4Size)
			to.Has |= HasNodes
		case "nodes6":
			to.Nodes6 = p.multiple("nodes6", raw, Node6Size)
			to.Has |= HasNodes6
		case "num":
			to.Num = p.integer("num", raw)
			to.Has |= HasNum
		case "port":
			to.Port = p.integer("port", raw)
			to.Has |= HasPort
		case "salt":
			to.Salt, _ = p.string("salt", raw)
			to.Has |= HasSalt
		case "samples":
			to.Samples = p.multiple("samples", raw, IDSize)
			to.Has |= HasSamples
		case "seq":
			to.Seq = p.natural("seq", raw)
			to.Has |= HasSeq
		case "sig":
			to.Sig = p.fixed("sig", raw, 64)
			to.Has |= HasSig
		case "target":
			p.id("target", raw, &to.Target)
			to.Has |= HasTarget
		case "token":
			to.Token, _ = p.string("token", raw)
			to.Has |= HasToken
		case "v":
			to.Value = raw
			to.Has |= HasValue
		case "values":
			to.Values = p.strings("values", raw)
			to.Has |= HasValues
		case "want":
			to.Want = p.want(raw)
			to.Has |= HasWant
		} // wire-unknown-key
	}
}

// want reads the families that a query asks for.
func (p *parser) want(raw []byte) (w Want) {
	list := p.strings("want", raw)
	for s := (scanner{b: list}); s.i < len(list); {
		switch entry, _ := s.str(); string(entry) { // wire-want-unknown
		case "n4":
			w |= Want4
		case "n6":
			w |= Want6
		}
	}
	return w
}

// strings returns what stands between the l and the e of a list of strings.
func (p *parser) strings(name string, raw []byte) []byte {
	if !p.is('l', name, "a list", raw) {
		return nil
	}
	for s := (scanner{b: raw, i: 1}); s.more(); {
		if !isString(s.b[s.i:]) {
			p.refuse(ErrMalformed, "%s has an entry that is not a string", name) // wire-known-key
			return nil
		}
		s.str()
	}
	return raw[1 : len(raw)-1]
}

// id reads 20 bytes.
func (p *parser) id(name string, raw []byte, to *ID) {
	if b := p.fixed(name, raw, IDSize); b != nil {
		*to = ID(b)
	}
}

// fixed returns a string of n bytes, or nil.
func (p *parser) fixed(name string, raw []byte, n int) []byte {
	b, ok := p.string(name, raw)
	if ok && len(b) != n {
		p.refuse(ErrMalformed, "%s is %d bytes, not %d", name, len(b), n) // wire-known-key
		return nil
	}
	return b
}

// multiple returns a string of a multiple of n bytes, or nil.
func (p *parser) multiple(name string, raw []byte, n int) []byte {
	b, ok := p.string(name, raw)
	if ok && len(b)%n != 0 {
		p.refuse(ErrMalformed, "%s is %d bytes, not a multiple of %d", name, len(b), n) // wire-known-key
		return nil
	}
	return b
}

// string returns a string. It reports whether there was one.
func (p *parser) string(name string, raw []byte) ([]byte, bool) {
	if len(raw) == 0 || !isString(raw) {
		p.wrong(name, "a string", raw)
		return nil, false
	}
	return content(raw), true
}

// natural returns an integer that may not be negative.
func (p *parser) natural(name string, raw []byte) int64 {
	i := p.integer(name, raw)
	if i < 0 {
		p.refuse(ErrMalformed, "%s is negative", name) // wire-seq-negative
	}
	return i
}

// integer returns an integer, or 0.
func (p *parser) integer(name string, raw []byte) int64 {
	if !p.is('i', name, "an integer", raw) {
		return 0
	}
	i, _ := parseInt(raw[1 : len(raw)-1])
	return i
}

// is reports whether the value of the key called name begins with c, and otherwise notes what it ought to be.
func (p *parser) is(c byte, name, what string, raw []byte) bool {
	if len(raw) > 0 && raw[0] == c {
		return true
	}
	p.wrong(name, what, raw)
	return false
}

// wrong notes that the value of the key called name is not what it ought to be.
func (p *parser) wrong(name, what string, raw []byte) {
	if raw == nil {
		p.refuse(ErrMalformed, "%s is missing", name) // wire-key-missing
	} else {
		p.refuse(ErrMalformed, "%s is not %s", name, what) // wire-known-key
	}
}

// isString reports whether the value raw is a string.
func isString(raw []byte) bool { return raw[0]-'0' <= 9 }

// content returns the bytes of the string raw.
func content(raw []byte) []byte {
	i := 1
	for raw[i] != ':' {
		i++
	}
	return raw[i+1:]
}
