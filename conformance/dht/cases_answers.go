package dht

import "kith/conformance/lenient"

func init() {
	Case("dht-id", Accept, func(s *Script) {
		here, there := s.Node().Ping().WantReply(), s.NodeAt(1).Ping().WantReply()
		there.Check(there.ID() == here.ID(), "the id that another address was told")
	})

	Case("dht-id-6", Accept, func(s *Script) {
		n := s.Node6()
		id := n.Ping().WantReply().ID()
		r := n.Sibling().Ping().WantReply()
		r.Check(r.ID() == id, "the id that another port was told")
	}).Profile("bep32")

	Case("dht-id-stable", Accept, func(s *Script) {
		n := s.Node()
		id := n.Ping().WantReply().ID()
		for range 8 {
			r := n.Sibling().Ping().WantReply()
			r.Check(r.ID() == id, "the id that the first reply had")
		}
	})

	// An error must not make a node take another id.
	Case("dht-id-stable-after-error", Survive, func(s *Script) {
		id := s.Node().Ping().WantReply().ID()
		same := func(n *Node) {
			r := n.Ping().Look()
			r.Check(r.ID() == id, "the id that the first reply had")
		}
		s.Judge(same, func(n *Node) {
			n.FindNode(id).NoArg("target").Outcome()
			n.Ping().Arg("id", id).Outcome() // somebody else claims the target's id
			same(n)
		})
	})

	Case("dht-reply-id-each-method", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		id := n.Ping().WantReply().ID()
		r := n.GetPeers(ih).WantReply()
		r.Check(r.ID() == id, "the id that the reply to a ping had")
		r = n.Announce(ih, r.Token(), 6881).WantReply()
		r.Check(r.ID() == id, "the id that the reply to a ping had")
	})

	Case("dht-reply-id-6", Accept, func(s *Script) {
		n := s.Node6()
		id := n.Ping().WantReply().ID()
		r := n.FindNode(s.ID()).WantReply()
		r.Check(r.ID() == id, "the id that the reply to a ping had")
	}).Profile("bep32")

	Case("dht-answer-once", Accept, func(s *Script) {
		s.Node().Ping().Send().WantOnce()
	})

	Case("dht-answer-once-peers", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Announce(ih, n.Token(ih), 6881).Send().WantOnce()
		n.GetPeers(ih).Send().WantOnce()
	})

	Case("dht-answer-once-error", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			for _, p := range []*Packet{n.Query("kith_no_such"), n.FindNode(s.ID()).NoArg("target"), n.Announce(s.ID(), s.Bytes(8), 6881)} {
				p.Send().WantAtMostOne()
			}
		})
	})

	// Three nodes ask at once under one t: nothing but the address tells them apart.
	Case("dht-answer-address", Accept, func(s *Script) {
		n, t := s.Node(), s.Bytes(4)
		var sent []*Sent
		for _, x := range []*Node{n, n.Sibling(), s.NodeAt(1)} {
			sent = append(sent, x.Ping().Top("t", t).Send())
		}
		for _, q := range sent {
			q.WantOnce()
		}
	})

	Case("dht-answer-address-6", Accept, func(s *Script) {
		n, t := s.Node6(), s.Bytes(4)
		first, second := n.Ping().Top("t", t).Send(), n.Sibling().Ping().Top("t", t).Send()
		first.WantOnce()
		second.WantOnce()
	}).Profile("bep32")

	Case("dht-answer-address-error", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			a := n.Provoke()
			s.Check(a.From == n.target, "an error from "+n.target.String(), "one from "+a.From.String())
		})
	})

	// NUL, what bencode uses as marks, and bytes that are no UTF-8.
	Case("dht-t-echo-binary", Accept, func(s *Script) {
		n := s.Node()
		for _, t := range []string{"\x00", "\x00\x00", "e\xff", "1:ai", "\xc3\x28\xf0\x80"} {
			n.Ping().Top("t", []byte(t)).WantReply()
		}
	})

	Case("dht-t-echo-each", Accept, func(s *Script) {
		n := s.Node()
		var sent []*Sent
		for range 4 {
			sent = append(sent, n.Ping().Send(), n.FindNode(s.ID()).Send(), n.GetPeers(s.ID()).Send())
		}
		for _, q := range sent {
			q.WantReply()
		}
	})

	Case("dht-t-echo-error", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			p := n.Query("kith_no_such").Top("t", s.Bytes(3))
			before := len(n.strays)
			p.Outcome()
			s.Check(len(n.strays) == before, "an error with the `t` of the query, or none", "one with another `t`")
		})
	})

	// An answer must not keep what the query before it, from the same address, was called.
	Case("dht-t-echo-sizes-in-turn", Accept, func(s *Script) {
		n := s.Node()
		for _, size := range []int{8, 1, 4, 2} {
			n.FindNode(s.ID()).Top("t", s.Bytes(size)).WantReply()
		}
	})

	Case("dht-ping-verbatim", Accept, func(s *Script) {
		n := s.Node()
		n.Raw([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")).WantReply() // BEP 5's own example
	})

	Case("dht-ping-6", Accept, func(s *Script) { s.Node6().Ping().WantReply() }).Profile("bep32")

	Case("dht-method-unknown", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Query("kith_no_such").WantError() })
	})

	Case("dht-method-unknown-arguments", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			n.Query("kith_no_such").Arg("token", s.Bytes(4)).Arg("port", 6881).Arg("z", lenient.L{1, "a"}).WantError()
		})
	})

	// A name is not known because another begins as it does.
	Case("dht-method-reply-longer", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Query("pings").WantNoReply() })
	})

	Case("dht-method-reply-shorter", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Query("pin").WantNoReply() })
	})

	Case("dht-method-reply-empty", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Query("").WantNoReply() })
	})

	Case("dht-method-reply-long", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Query(string(lettersOf(s.Bytes(600)))).WantNoReply() })
	})

	Case("dht-not-query-error", Silence, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			n.Dict(dict("e", lenient.L{203, "no"}, "t", s.Bytes(4), "y", "e")).WantNoReply()
		})
	})

	// Everything of a query, and yet a reply.
	Case("dht-not-query-reply", Silence, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Ping().Top("y", "r").Top("r", dict("id", n.ID)).WantNoReply() })
	})

	Case("dht-not-query-kind-unknown", Silence, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.Ping().Top("y", "x").WantNoReply() })
	})
}

// ask is the plainest control.
func ask(n *Node) { n.Ping().WantReply() }

// lettersOf turns bytes into small letters, for names.
func lettersOf(b []byte) []byte {
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return b
}

// WantAtMostOne fails if two answers came, once whatever there was to come is here.
func (q *Sent) WantAtMostOne() {
	q.fence()
	q.judged()
	if len(q.answers) > 1 {
		q.fail("at most one answer", "a second: "+q.answers[1].String())
	}
}
