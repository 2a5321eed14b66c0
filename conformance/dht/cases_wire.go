package dht

import (
	"bytes"
	"fmt"
	"strings"

	"kith/conformance/lenient"
)

// How the target writes what it sends. The decoder of the harness reads past what is not canonical and keeps it as flaws.
func init() {
	// BEP 5's replies have no integers; what else the target answers may have some.
	Case("wire-int-form", Accept, func(s *Script) {
		s.wantWithout(isInt, "integers in their one form")
		n, it := s.Node(), s.Mutable(1<<33, "a value")
		answers := []*Answer{n.Query("kith_no_such").Outcome(), n.Sample(s.ID()).Outcome(), n.Get(it.Target()).Outcome()}
		if a := answers[2]; a.IsReply() {
			token, _ := a.Message.R.Get("token")
			answers = append(answers, n.Put(token.Str, it).Outcome(), n.Get(it.Target()).Outcome())
		}
		for _, a := range answers {
			for i := 0; a != nil && i < len(a.Message.Flaws); i++ {
				s.Check(!isInt(a.Message.Flaws[i]), "integers in their one form", a.Message.Flaws[i].String()+" of "+a.quote())
			}
		}
	})
	Case("wire-length-form", Accept, func(s *Script) { s.wantWithout(isLength, "lengths without a leading zero") })
	Case("wire-key-order", Accept, func(s *Script) { s.wantWithout(isOrder, "keys in order, each once") })
	Case("wire-one-value", Accept, func(s *Script) { s.wantWithout(isBehind, "nothing behind the message") })

	wantErrorWithout := func(id string, is func(lenient.Flaw) bool, expected string) {
		onError(id, func(n *Node, a *Answer) {
			for _, f := range a.Message.Flaws {
				n.s.Check(!is(f), expected, f.String()+" of "+a.quote())
			}
		})
	}
	wantErrorWithout("wire-int-form-error", isInt, "integers in their one form")
	wantErrorWithout("wire-key-order-error", isOrder, "keys in order, each once")
	wantErrorWithout("wire-one-value-error", isBehind, "nothing behind the error")

	Case("wire-krpc-dictionary", Accept, func(s *Script) {
		for _, r := range s.replies() {
			r.Check(r.Message.Root.Kind == lenient.Dict, "one dictionary")
		}
	})

	Case("wire-krpc-kind", Accept, func(s *Script) {
		for _, r := range s.replies() {
			y, _ := r.Top("y")
			r.Check(y.Kind == lenient.String && string(y.Str) == "r", "`y` as the string r")
		}
	})

	onRefusal("wire-krpc-kind-error", func(s *Script, n *Node) *Packet { return n.Query("kith_no_such") }, func(a *Answer) bool {
		return a.Message.Y == "e"
	}, "`y` as e, beside `e`")

	for _, c := range []struct {
		id    string
		wrong func(s *Script, n *Node) *Packet
	}{
		{"wire-krpc-error", func(_ *Script, n *Node) *Packet { return n.Query("kith_no_such") }},
		{"wire-krpc-error-arguments", func(s *Script, n *Node) *Packet { return n.GetPeers(s.ID()).NoArg("info_hash") }},
		{"wire-krpc-error-token", func(s *Script, n *Node) *Packet { return n.Announce(s.ID(), s.Bytes(8), 6881) }},
		{"wire-krpc-error-no-arguments", func(s *Script, n *Node) *Packet { return n.FindNode(s.ID()).NoArgs() }},
	} {
		onRefusal(c.id, c.wrong, (*Answer).IsError, "`e` as a list of an integer and a string")
	}

	Case("wire-krpc-version", Accept, func(s *Script) {
		for _, r := range s.replies() {
			v, _ := r.Top("v")
			r.Check(len(v.Str) > 0, "a `v` in every message")
		}
	})

	onError("wire-krpc-version-error", func(n *Node, a *Answer) {
		v, _ := a.Top("v")
		n.s.Check(len(v.Str) > 0, "a `v` in every message", a.quote())
	})

	Case("wire-send-size", Accept, func(s *Script) {
		n := s.Node()
		for _, p := range []*Packet{n.FindNode(s.ID()), n.GetPeers(s.ID()), n.FindNode(s.ID()).Want("n4", "n6"), n.GetPeers(s.ID()).Want("n4", "n6")} {
			r := p.WantReply()
			r.Check(len(r.Raw) <= 1024, "at most 1,024 bytes")
		}
	})

	// An error that repeats what it is about must not grow with it.
	Case("wire-send-size-error", Reject, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			a := n.Query(string(lettersOf(s.Bytes(1200)))).WantNoReply()
			s.Check(a == nil || len(a.Raw) <= 1024, "an error of at most 1,024 bytes", a.String())
		})
	})

	Case("wire-nodes-form", Accept, func(s *Script) {
		n := s.Node()
		n.wantNodesOf(n.Acquainted())
	})

	Case("wire-nodes6-form", Accept, func(s *Script) {
		n := s.Node6()
		n.wantNodesOf(n.Acquainted())
	})

	valuesOf := func(id string, width int, open func(*Script) *Node) {
		Case(id, Accept, func(s *Script) {
			n := open(s)
			for i := range 3 {
				ih := s.ID()
				s.Given(func() { n.Announce(ih, n.Token(ih), 6881+i).WantReply() })
				r := n.GetPeers(ih).WantReply()
				if !r.Has("values") {
					s.Inconclusive("the target names the peer that was announced")
				}
				for _, v := range r.Value("values", lenient.List).List {
					r.Check(v.Kind == lenient.String && len(v.Str) == width, "`values` as a list of compact addresses of the family")
				}
			}
		})
	}
	valuesOf("wire-values-form", 6, (*Script).Node)
	valuesOf("wire-values-form-6", 18, (*Script).Node6)

	Case("wire-samples-form", Accept, func(s *Script) {
		n := s.Node()
		s.Given(func() { n.Stored() })
		n.Sample(s.ID()).WantReply().Samples()
	})

	// Unknown keys fill the query up.
	Case("wire-datagram-taken", Accept, func(s *Script) {
		n := s.Node()
		for _, size := range []int{512, 1023, 1024} {
			n.FindNode(s.ID()).fill(size).WantReply()
		}
	})

	Case("wire-datagram-taken-6", Accept, func(s *Script) { n := s.Node6(); n.GetPeers(s.ID()).fill(1024).WantReply() })

	Case("wire-datagram-taken-announce", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		n.Announce(ih, n.Token(ih), 6881).fill(1024).WantReply()
		n.WantPeer(ih, n.Peer(6881))
	})

	Case("wire-unknown-key-everywhere", Accept, func(s *Script) {
		n := s.Node()
		for _, z := range []any{1, "a", lenient.L{1, lenient.L{"a"}}, dict("z", dict("z", 1))} {
			n.FindNode(s.ID()).Top("0", z).Top("zz", z).Arg("0", z).Arg("zz", z).WantReply()
		}
	})

	// BEP 33's, which few know.
	Case("wire-unknown-key-scrape", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		token := n.GetPeers(ih).Arg("noseed", 1).Arg("scrape", 1).WantReply().Token()
		n.Announce(ih, token, 6881).Arg("seed", 1).Arg("name", "a").WantReply()
	})

	// Keys that have a meaning in another method.
	Case("wire-unknown-key-of-others", Accept, func(s *Script) {
		n := s.Node()
		n.Ping().Arg("target", s.Bytes(20)).Arg("info_hash", s.Bytes(20)).Arg("port", 1).WantReply()
		n.FindNode(s.ID()).Arg("token", s.Bytes(4)).WantReply()
	})

	Case("wire-unknown-key-many", Accept, func(s *Script) {
		p := s.Node().Ping()
		for range 40 {
			p.Arg("y"+string(lettersOf(s.Bytes(8))), 1)
		}
		p.WantReply()
	})

	Case("wire-version-absent", Accept, func(s *Script) {
		n := s.Node()
		n.Ping().NoTop("v").WantReply()
		n.FindNode(s.ID()).NoTop("v").WantReply()
	})

	Case("wire-version-absent-announce", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		token := n.GetPeers(ih).NoTop("v").WantReply().Token()
		n.Announce(ih, token, 6881).NoTop("v").WantReply()
	})
}

// wantNodesOf asks for a node that the target knows and for others. The forms are looked at, and where nodes of the harness are named, their addresses.
func (n *Node) wantNodesOf(known lenient.Contact) {
	for _, target := range [][20]byte{known.ID, n.s.ID()} {
		for _, p := range []*Packet{n.FindNode(target), n.GetPeers(target)} {
			r := p.WantReply()
			for _, c := range r.Contacts() {
				r.Check(c.ID != known.ID || c.Addr == known.Addr || n.translated(), fmt.Sprintf("the node %x at %v, where it is", known.ID, known.Addr))
			}
		}
	}
}

func isInt(f lenient.Flaw) bool {
	return strings.HasPrefix(f.What, "an integer with") || strings.HasPrefix(f.What, "a negative zero")
}
func isLength(f lenient.Flaw) bool { return strings.HasPrefix(f.What, "a string length") }
func isOrder(f lenient.Flaw) bool  { return strings.HasPrefix(f.What, "the key") }
func isBehind(f lenient.Flaw) bool { return strings.HasSuffix(f.What, "behind the value") }

// replies collects one reply to each of BEP 5's queries.
func (s *Script) replies() []*Reply {
	n, ih := s.Node(), s.ID()
	list := []*Reply{n.Ping().WantReply(), n.FindNode(s.ID()).WantReply(), n.GetPeers(ih).WantReply()}
	list = append(list, n.Announce(ih, list[2].Token(), 6881).WantReply())
	return append(list, n.GetPeers(ih).WantReply())
}

func (s *Script) wantWithout(is func(lenient.Flaw) bool, expected string) {
	for _, r := range s.replies() {
		for _, f := range r.Message.Flaws {
			if is(f) {
				r.Fail(expected, f.String()+" of "+r.quote())
			}
		}
	}
}

// onRefusal is a case that looks at the answer to a wrong query. A target that says nothing, or answers as if it were right, gives it no subject.
func onRefusal(id string, wrong func(*Script, *Node) *Packet, ok func(*Answer) bool, expected string) {
	Case(id, Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			a := wrong(s, n).Outcome()
			if a == nil || a.IsReply() {
				s.Inconclusive("the target answers an error to a wrong query")
			}
			s.Check(ok(a), expected, a.String())
		})
	})
}

// onError is a case that looks at an error, whichever the target sends.
func onError(id string, check func(n *Node, a *Answer)) {
	Case(id, Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) { check(n, n.Provoke()) })
	})
}

// fill adds unknown keys until the packet has size bytes.
func (p *Packet) fill(size int) *Packet {
	for n := max(0, size-len(p.Bytes())-len("1:z3:")-3); len(p.Bytes()) != size; n++ {
		p.Top("z", bytes.Repeat([]byte{'z'}, n))
	}
	return p
}
