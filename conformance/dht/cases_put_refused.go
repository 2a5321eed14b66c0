package dht

import (
	"crypto/ed25519"
	"crypto/sha1"
	"strings"

	"kith/conformance/lenient"
)

// What a node must not store, and how it says so.
func init() {
	Case("dht-put-no-value", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, lenient.Raw("")) // the signature is right for no value
			n.NotStored(n.Offer(it).NoArg("v"), it.Target())
		})
	})

	Case("dht-put-no-value-over-another", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.Have(it)
			n.NotReplaced(it, n.Offer(it.Next(2, lenient.Raw(""))).NoArg("v"))
		})
	})

	Case("dht-put-no-value-immutable", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Immutable(lenient.Raw(""))
			n.NotStored(n.Offer(it).NoArg("v"), it.Target())
		})
	})

	// Values that are not canonical, and what parsers may make of them. U stands for a string that makes the item one of its own. A Kith
	// node stores neither; another may store what came, as it came.
	for _, v := range []struct {
		name, raw string
		made      []string
	}{
		{"unsorted", "d1:bU1:ai1ee", []string{"d1:ai1e1:bUe"}},
		{"key-twice", "d1:aU1:alUee", []string{"d1:aUe", "d1:alUee"}},
		{"integer", "lUi03ei-0ee", []string{"lUi3ei0ee"}},
		{"length", "l0Ui1ee", []string{"lUi1ee"}},
	} {
		bent := func(s *Script) (it *Item, made [][20]byte) {
			unique := string(encode(s.Bytes(24)))
			it = s.Immutable(lenient.Raw(strings.ReplaceAll(v.raw, "U", unique)))
			for _, m := range v.made {
				made = append(made, sha1.Sum([]byte(strings.ReplaceAll(m, "U", unique))))
			}
			return it, made
		}
		Case("dht-put-canonical-"+v.name, Survive, func(s *Script) {
			s.Judge((*Node).KeepAny, func(n *Node) {
				it, made := bent(s)
				n.NotStored(n.Offer(it), append(made, it.Target())...)
			})
		})
		Case("dht-put-verbatim-"+v.name, Survive, func(s *Script) {
			s.Judge((*Node).KeepAny, func(n *Node) {
				it, made := bent(s)
				n.NotStored(n.Offer(it), made...)
				if r := n.Get(it.Target()).Look(); r.Has("v") {
					r.WantItem(it)
				}
			})
		})
	}

	Case("dht-put-canonical-mutable", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, lenient.Raw("d1:bi1e1:ai1ee"))
			n.NotStored(n.Offer(it), it.Target())
		})
	})

	// The signature is over seq 0, which is what a parser may make of none.
	Case("dht-put-incomplete-seq", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(0, "a value")
			n.NotStored(n.Offer(it).NoArg("seq"), it.Target())
		})
	})

	Case("dht-put-incomplete-sig", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.NotStored(n.Offer(it).NoArg("sig"), it.Target())
		})
	})

	Case("dht-put-incomplete-sig-length", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.NotStored(n.Offer(it.WithSig(it.Signature()[:63])), it.Target())
			n.NotStored(n.Offer(it.WithSig(append(it.Signature(), 0))), it.Target())
		})
	})

	Case("dht-put-incomplete-k", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.NotStored(n.Offer(it).NoArg("k"), it.Target())
		})
	})

	Case("dht-put-incomplete-k-length", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			for _, k := range [][]byte{it.Public()[:31], append(it.Public(), 0)} {
				n.NotStored(n.Offer(it).Arg("k", k), it.Target(), sha1.Sum(k))
			}
		})
	})

	// A node may take more than 1,000 bytes. If it does not, it may say so.
	Case("dht-put-size-error", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) { n.sizeError(s.Immutable(s.sized(1001))) })
	})

	Case("dht-put-size-error-list", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) { n.sizeError(s.Mutable(1, s.sizedList(1001))) })
	})

	Case("dht-put-salt", Survive, func(s *Script) {
		s.Judge(saltOf(64), func(n *Node) {
			it := s.Mutable(1, "a value").WithSalt(s.Bytes(65))
			n.NotStored(n.Offer(it), it.Target(), it.WithSalt(it.Salt[:64]).Target())
		})
	})

	Case("dht-put-salt-200", Survive, func(s *Script) {
		s.Judge(saltOf(64), func(n *Node) {
			it := s.Mutable(1, "a value").WithSalt(s.Bytes(200))
			n.NotStored(n.Offer(it), it.Target())
		})
	})

	Case("dht-put-207", Reject, func(s *Script) {
		s.Judge(saltOf(64), func(n *Node) {
			n.Offer(s.Mutable(1, "a value").WithSalt(s.Bytes(65))).WantError(207)
		})
	})

	Case("dht-put-token-missing", Reject, func(s *Script) { s.badToken(func(_ *Node, p *Packet) { p.NoArg("token") }) })
	Case("dht-put-token-empty", Reject, func(s *Script) { s.badToken(func(_ *Node, p *Packet) { p.Arg("token", "") }) })
	Case("dht-put-token-integer", Reject, func(s *Script) { s.badToken(func(_ *Node, p *Packet) { p.Arg("token", 1) }) })

	Case("dht-put-token-flipped", Reject, func(s *Script) {
		s.badToken(func(_ *Node, p *Packet) {
			token, _ := p.dict().Get("token")
			p.Arg("token", flipped(token.([]byte)))
		})
	})

	Case("dht-put-token-ip", Reject, func(s *Script) {
		other := s.NodeAt(1)
		s.badToken(func(n *Node, p *Packet) {
			target, _ := p.dict().Get("target")
			s.Given(func() { p.Arg("token", other.Get(target.([20]byte)).WantReply().Token()) })
		})
	})

	Case("dht-put-signature-flipped", Survive, func(s *Script) {
		s.forged(func(it *Item) *Item { return it.WithSig(flipped(it.Signature())) })
	})

	Case("dht-put-signature-other-key", Survive, func(s *Script) {
		s.forged(func(it *Item) *Item { return it.WithSig(ed25519.Sign(s.Key(), it.Signed())) })
	})

	Case("dht-put-signature-other-salt", Survive, func(s *Script) {
		s.forged(func(it *Item) *Item { return it.WithSig(it.WithSalt([]byte("another")).Signature()) })
	})

	Case("dht-put-signature-other-seq", Survive, func(s *Script) {
		s.forged(func(it *Item) *Item { return it.WithSig(it.Next(it.Seq+10, it.Value).Signature()) })
	})

	Case("dht-put-signature-other-value", Survive, func(s *Script) {
		s.forged(func(it *Item) *Item { return it.WithSig(it.Next(it.Seq, "another").Signature()) })
	})

	Case("dht-put-206", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.Offer(it.WithSig(flipped(it.Signature()))).WantError(206)
		})
	})

	// The signature of what is stored fits nothing else, though it is known to be good.
	Case("dht-put-206-stored", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(6, "old").WithSig(it.Signature())).WantError(206)
			n.Offer(it.Next(5, "new").WithSig(it.Signature())).WantError(206)
			n.WantItem(it)
		})
	})

	Case("dht-put-206-zeros", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			n.Offer(s.Mutable(1, "a value").WithSig(make([]byte, 64))).WantError(206)
		})
	})
}

// sizeError offers what is too long.
func (n *Node) sizeError(it *Item) {
	sent := n.Offer(it).Send()
	switch a := sent.Outcome(); {
	case a.IsReply():
		n.s.Note("the target takes values of 1,001 bytes")
	case !a.IsError() || a.Message.Code != 205:
		sent.fail("a reply, or error 205", a.String())
	}
}

// saltOf is the control of salts that are too long: one of so many bytes.
func saltOf(size int) func(n *Node) {
	return func(n *Node) { n.Keep(n.s.Mutable(1, "a value").WithSalt(n.s.Bytes(size))) }
}

// badToken judges a put whose token bend has spoiled.
func (s *Script) badToken(bend func(n *Node, p *Packet)) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		it := s.Immutable(s.Bytes(20))
		p := n.Offer(it)
		bend(n, p)
		p.WantNoReply()
		n.WantNoItem(it.Target())
	})
}

// forged judges a put whose signature does not verify: of an item that is new, and of one that would take another's place.
func (s *Script) forged(forge func(it *Item) *Item) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		it := s.Mutable(1, "new").WithSalt([]byte("a salt"))
		n.NotStored(n.Offer(forge(it)), it.Target())
		old := s.Mutable(1, "old").WithSalt([]byte("a salt"))
		n.Have(old)
		n.NotReplaced(old, n.Offer(forge(old.Next(2, "new"))))
	})
}
