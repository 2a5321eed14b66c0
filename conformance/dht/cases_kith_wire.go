package dht

import (
	"fmt"
	"strings"

	"kith/conformance/lenient"
)

// What a Kith node refuses as a message, and what it then says. The plain refusals are lines of kith.multi.
func init() {
	Case("wire-depth", Reject, func(s *Script) {
		s.Judge(nested(15), func(n *Node) { n.Ping().Top("z", lists(16)).WantError(203) })
	})

	Case("wire-depth-arguments", Reject, func(s *Script) {
		s.Judge(nested(15), func(n *Node) { n.Ping().Arg("z", dicts(15)).WantError(203) })
	})

	Case("wire-depth-far", Reject, func(s *Script) {
		s.Judge(nested(15), func(n *Node) { n.Ping().Top("z", lists(1000)).WantError(203) })
	})

	Case("wire-depth-taken", Accept, func(s *Script) {
		n := s.Node()
		nested(15)(n)
		n.Ping().Arg("z", dicts(14)).WantReply()
	})

	Case("wire-kith-version", Accept, func(s *Script) {
		s.Node().Ping().WantReply().wantKithVersion()
	})

	Case("wire-kith-version-error", Reject, func(s *Script) {
		s.Judge(pinged, func(n *Node) { n.Query("kith_no_such").WantError(204).wantKithVersion() })
	})

	Case("wire-kith-version-query", Accept, func(s *Script) {
		n := s.Node()
		x := n.Newcomer(1)
		n.Introduce(x)
		x.firstAsked().wantKithVersion()
	})

	Case("wire-datagram-limit", Silence, func(s *Script) {
		s.Judge(padded(4096), func(n *Node) { n.Ping().pad(4097).WantSilence() })
	})

	Case("wire-datagram-limit-far", Silence, func(s *Script) {
		s.Judge(padded(4096), func(n *Node) { n.Ping().pad(9000).WantSilence() })
	})

	// What a buffer of 4,096 bytes would keep of it is a right query.
	Case("wire-datagram-limit-right-to-there", Silence, func(s *Script) {
		s.Judge(padded(4096), func(n *Node) { n.Ping().pad(4096).Behind([]byte("x")).WantSilence() })
	})

	Case("wire-known-key", Reject, func(s *Script) {
		s.refused((*Node).askAll,
			func(n *Node) *Packet { return n.Ping().Arg("id", s.Bytes(19)) },
			func(n *Node) *Packet { return n.Ping().Arg("id", s.Bytes(21)) },
			func(n *Node) *Packet { return n.Ping().Arg("id", 20) },
			func(n *Node) *Packet { return n.FindNode(s.ID()).Arg("target", s.Bytes(19)) },
			func(n *Node) *Packet { return n.Get(s.ID()).Arg("target", lenient.L{}) },
			func(n *Node) *Packet { return n.GetPeers(s.ID()).Arg("info_hash", s.Bytes(21)) },
			func(n *Node) *Packet { return n.GetPeers(s.ID()).Arg("info_hash", 0) },
		)
	})

	Case("wire-known-key-strings", Reject, func(s *Script) {
		put := func(n *Node) *Packet { return n.Offer(s.Mutable(1, "a value")) }
		s.refused((*Node).KeepAny,
			func(n *Node) *Packet { return put(n).Arg("k", s.Bytes(31)) },
			func(n *Node) *Packet { return put(n).Arg("k", 32) },
			func(n *Node) *Packet { return put(n).Arg("sig", s.Bytes(63)) },
			func(n *Node) *Packet { return put(n).Arg("sig", lenient.L{}) },
			func(n *Node) *Packet { return put(n).Arg("salt", 1) },
			func(n *Node) *Packet { return put(n).Arg("token", 1) },
		)
	})

	Case("wire-known-key-integers", Reject, func(s *Script) {
		ih := s.ID()
		announce := func(n *Node) *Packet { return n.Announce(ih, n.Token(ih), 6881) }
		put := func(n *Node) *Packet { return n.Offer(s.Mutable(1, "a value")) }
		s.refused((*Node).KeepAny,
			func(n *Node) *Packet { return announce(n).Arg("port", "6881") },
			func(n *Node) *Packet { return announce(n).Arg("implied_port", "1") },
			func(n *Node) *Packet { return put(n).Arg("seq", "1") },
			func(n *Node) *Packet { return put(n).Arg("cas", lenient.L{1}) },
			func(n *Node) *Packet { return n.Ping().Top("ro", "1") },
		)
	})

	Case("wire-known-key-lists", Reject, func(s *Script) {
		s.refused((*Node).askAll,
			func(n *Node) *Packet { return n.FindNode(s.ID()).Arg("want", "n4") },
			func(n *Node) *Packet { return n.FindNode(s.ID()).Arg("want", lenient.L{"n4", 6}) },
			func(n *Node) *Packet { return n.Ping().Arg("nodes", s.Bytes(25)) },
			func(n *Node) *Packet { return n.Ping().Arg("nodes6", s.Bytes(26)) },
			func(n *Node) *Packet { return n.Ping().Arg("values", "abcdef") },
			func(n *Node) *Packet { return n.Ping().Arg("samples", s.Bytes(21)) },
		)
	})

	Case("wire-known-key-top", Reject, func(s *Script) {
		s.refused(pinged,
			func(n *Node) *Packet { return n.Ping().Args(lenient.L{"id", n.ID}) },
			func(n *Node) *Packet { return n.Ping().Args(encode(dict("id", n.ID))) },
			func(n *Node) *Packet { return n.Ping().Top("v", 1).Top("z", "so that it has at least 40 bytes") },
			func(n *Node) *Packet { return n.Ping().Top("ro", lenient.L{1}) },
		)
	})

	Case("wire-ip-other-length-answer", Accept, func(s *Script) {
		n := s.Node()
		x := n.Newcomer(1)
		x.OnQuery = func(q *Answer) []byte {
			return encode(dict("ip", s.Bytes(5), "r", dict("id", x.ID), "t", q.Message.T, "y", "r"))
		}
		n.meets(x)
		r := n.FindNode(x.ID).WantReply()
		r.Check(r.Names(x.ID), "the node whose answers have an `ip` of 5 bytes")
	})

	Case("wire-seq-negative", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(-1, "a value")
			n.Offer(it).WantError(203)
			n.WantNoItem(it.Target())
		})
	})

	Case("wire-seq-negative-get", Reject, func(s *Script) {
		s.Judge((*Node).askAll, func(n *Node) { n.Get(s.ID()).Arg("seq", -1).WantError(203) })
	})

	Case("wire-seq-negative-cas", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value").WithCAS(-1)
			n.Offer(it).WantError(203)
			n.WantNoItem(it.Target())
		})
	})

	Case("wire-seq-negative-least", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) { n.Offer(s.Mutable(-1<<63, "a value")).WantError(203) })
	})

	Case("dht-not-query-silent", Silence, func(s *Script) {
		s.Judge(pinged, func(n *Node) { n.Ping().Top("t", s.Bytes(65)).WantSilence() })
	})

	Case("dht-not-query-silent-taken", Accept, func(s *Script) {
		n := s.Node()
		for _, size := range []int{1, 9, 64} {
			n.Ping().Top("t", s.Bytes(size)).WantReply()
		}
	})

	Case("dht-not-query-silent-no-t", Silence, func(s *Script) {
		s.Judge(pinged, func(n *Node) {
			n.Ping().NoTop("t").WantSilence()
			n.Ping().Top("t", "").WantSilence()
			n.Ping().Top("t", 7).WantSilence()
			n.Ping().Top("t", lenient.L{"aa"}).WantSilence()
		})
	})

	Case("dht-not-query-silent-kind", Silence, func(s *Script) {
		s.Judge(pinged, func(n *Node) {
			for _, y := range []any{"", "x", "qq", "Q", 1} {
				n.Ping().Top("y", y).WantSilence()
			}
			for _, q := range []any{1, lenient.L{"ping"}} {
				n.Ping().Top("q", q).WantSilence()
			}
		})
	})

	// The length points past the end, so that nothing behind it can be read.
	Case("dht-not-query-silent-unreadable", Silence, func(s *Script) {
		s.Judge(pinged, func(n *Node) {
			n.Ping().Edit(func(b []byte) []byte { return []byte(strings.Replace(string(b), "2:id20:", "2:id99:", 1)) }).WantSilence()
		})
	})

	Case("dht-error-malformed", Reject, func(s *Script) {
		s.Judge(pinged, func(n *Node) {
			a := n.Ping().Arg("id", s.Bytes(19)).WantError(203)
			s.Check(a.Message.Text != "", "a text that says what is wrong", "an empty one")
		})
	})

	// One answer, and from where the query went, as any other.
	Case("dht-error-malformed-once", Reject, func(s *Script) {
		s.Judge(pinged, func(n *Node) {
			sent := n.Ping().Behind([]byte("x")).Send()
			sent.WantError(203)
			sent.fence()
			s.Check(len(sent.Answers()) == 1, "one answer", fmt.Sprintf("%d", len(sent.Answers())))
		})
	})

	// If a key stands twice the first counts, also for the answer's t.
	Case("dht-error-malformed-t-twice", Reject, func(s *Script) {
		s.Judge(pinged, func(n *Node) { n.Ping().TwiceTop("t", s.Bytes(4)).WantError(203) })
	})
}

// refused judges packets that all have to be answered with error 203.
func (s *Script) refused(control func(n *Node), packets ...func(n *Node) *Packet) {
	s.Judge(control, func(n *Node) {
		for _, p := range packets {
			p(n).WantError(203)
		}
	})
}

// pinged is the plainest control.
func pinged(n *Node) { n.Ping().WantReply() }

// askAll is the control of queries that are bent in several methods.
func (n *Node) askAll() {
	n.Ping().WantReply()
	n.FindNode(n.s.ID()).WantReply()
	n.GetPeers(n.s.ID()).WantReply()
	n.Get(n.s.ID()).WantReply()
}

// nested is a ping with so many lists inside one another, and so one level more.
func nested(depth int) func(n *Node) {
	return func(n *Node) { n.Ping().Top("z", lists(depth)).WantReply() }
}

func lists(depth int) lenient.Raw {
	return lenient.Raw(strings.Repeat("l", depth) + strings.Repeat("e", depth))
}

func dicts(depth int) lenient.Raw {
	return lenient.Raw(strings.Repeat("d1:a", depth-1) + "de" + strings.Repeat("e", depth-1))
}

// padded is a ping of exactly size bytes.
func padded(size int) func(n *Node) {
	return func(n *Node) { n.Ping().pad(size).WantReply() }
}

// pad makes the packet size bytes long by a key that nobody knows.
func (p *Packet) pad(size int) *Packet {
	p.Top("z", "")
	for n := size - len(p.Bytes()); n > 0; n-- {
		if p.Top("z", make([]byte, n)); len(p.Bytes()) == size {
			break
		}
	}
	return p
}

// wantKithVersion fails unless `v` is that of a Kith node.
func (a *Answer) wantKithVersion() {
	v, _ := a.Top("v")
	if len(v.Str) != 4 || string(v.Str[:2]) != "KT" {
		a.node.s.Fail("`v` of KT and two bytes", fmt.Sprintf("%q", v.Str))
	}
}

// meets makes x, whose answers a case has bent, known to the target as far as asking goes, until the target has asked back.
func (n *Node) meets(x *Node) {
	s := n.s
	s.Given(func() {
		x.FindNode(x.ID).WantReply()
		if !s.Within(patience, func() bool { return len(x.asked) > 0 }) {
			s.Inconclusive("the target asks a newcomer that has asked it, within " + patience.String())
		}
		s.settle()
	})
}
