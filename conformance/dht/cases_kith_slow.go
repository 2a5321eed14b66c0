package dht

import (
	"fmt"
	"time"

	"kith/conformance"
)

// What a Kith node does when time has passed. In virtual time these are as quick as any; against sockets they wait.
func init() {
	Case("dht-token-expiry", Reject, func(s *Script) {
		n, infoHash := s.Node(), s.ID()
		token := n.Token(infoHash)
		s.Wait(15*time.Minute + time.Second)
		s.Judge((*Node).Stored, func(*Node) {
			n.Announce(infoHash, token, 6881).WantNoReply()
			n.WantNoPeer(infoHash)
		})
	}).Slow()

	// Whenever in the life of the node's secret it was given.
	Case("dht-token-life-each-minute", Accept, func(s *Script) {
		n := s.Node()
		var given []time.Duration
		var infoHashes [][20]byte
		var tokens [][]byte
		for range 6 {
			infoHash := s.ID()
			given, infoHashes, tokens = append(given, s.Now()), append(infoHashes, infoHash), append(tokens, n.Token(infoHash))
			s.Wait(time.Minute)
		}
		for i, token := range tokens {
			s.Wait(given[i] + 10*time.Minute - 5*time.Second - s.Now())
			n.Announce(infoHashes[i], token, 6881).WantReply()
		}
	}).Slow()

	Case("dht-announce-expiry", Survive, func(s *Script) {
		n, infoHash := s.Node(), s.ID()
		s.Given(func() { n.Announce(infoHash, n.Token(infoHash), 6881).WantReply() })
		s.Wait(45*time.Minute + time.Second)
		s.Judge((*Node).Stored, func(n *Node) { n.WantNoPeer(infoHash) })
	}).Slow()

	// The last announcement counts, not the first.
	Case("dht-announce-expiry-last", Accept, func(s *Script) {
		n, infoHash := s.Node(), s.ID()
		for range 3 {
			s.Given(func() { n.Announce(infoHash, n.Token(infoHash), 6881).WantReply() })
			s.Wait(40 * time.Minute)
		}
		n.WantPeer(infoHash, n.Peer(6881))
	}).Slow()

	Case("dht-item-expiry", Survive, func(s *Script) {
		immutable, mutable := s.Immutable(s.Bytes(20)), s.Mutable(1, "a value")
		n := s.Node()
		n.Have(immutable)
		n.Have(mutable)
		s.Wait(2*time.Hour + time.Second)
		s.Judge((*Node).KeepAny, func(n *Node) { n.WantNoItem(immutable.Target(), mutable.Target()) })
	}).Slow()

	Case("dht-put-again-life", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(1, "a value")
		for range 2 {
			s.Given(func() { n.wantAgain(it) })
			s.Wait(100 * time.Minute)
		}
		n.WantItem(it)
	}).Slow()

	// An answer may be late; in the table it counts all the same, until nobody can still have waited for it.
	Case("dht-query-timeout-late", Accept, func(s *Script) {
		n := s.Node()
		x := n.answersAfter(14 * time.Second)
		r := n.FindNode(x.ID).WantReply()
		r.Check(r.Names(x.ID), "the node that answered after 14 s")
	}).Slow()

	Case("dht-query-timeout-unasked", Survive, func(s *Script) {
		s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) {
			x := n.answersAfter(15*time.Second + 100*time.Millisecond)
			r := n.FindNode(x.ID).Look()
			r.Check(!r.Names(x.ID), "not the node that answered after 15 s")
		})
	}).Slow()

	Case("dht-table-ping-once-five-minutes", Survive, func(s *Script) {
		s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) {
			x := n.Newcomer(2).Mute()
			for range 10 {
				x.Ping().Look()
				s.Wait(29 * time.Second)
			}
			pings := len(x.AskedFor("ping"))
			s.Check(pings <= 1, "one ping in 5 min", fmt.Sprintf("%d", pings))
		})
	}).Slow()

	// What it is asked for a look-up does as well as a ping.
	Case("dht-table-questionable", Accept, func(s *Script) {
		n := s.Node()
		silent, waiting := s.overfill(n)
		before := len(silent.Mute().Asked())
		s.Wait(15*time.Minute - 10*time.Second)
		named := false
		for range 120 {
			if named = n.FindNode(waiting.ID).WantReply().Names(waiting.ID); named {
				break
			}
			s.Wait(500 * time.Millisecond)
		}
		s.Check(named, "the node that waits for a place, in that of the one that is silent", "not within 16 min")
		queries := len(silent.Asked()) - before
		s.Check(queries >= 2, "two queries to it before another took its place", fmt.Sprintf("%d", queries))
	}).Slow()

	Case("dht-table-bad", Accept, func(s *Script) {
		n := s.Node()
		silent, newcomer := s.replaced(n)
		r := n.FindNode(newcomer.ID).WantReply()
		r.Check(r.Names(newcomer.ID) && !r.Names(silent.ID), "the newcomer, in the place of the node that is silent")
	}).Slow()
}

// answersAfter makes a newcomer ask, and answers what the target then asks it so much later.
func (n *Node) answersAfter(d time.Duration) *Node {
	s := n.s
	x := n.Newcomer(2).Mute()
	n.meets(x)
	q := x.firstAsked()
	s.Wait(d - (s.Now() - q.At))
	x.write(q.From, encode(dict("r", dict("id", x.ID), "t", q.Message.T, "y", "r")), "the answer, late")
	s.settle()
	return x
}

// overfill makes nine nodes of one range known to the target at once, so that eight get a place in its table and one has to wait. It
// returns one of the eight, and the one that waits.
func (s *Script) overfill(n *Node) (placed, waiting *Node) {
	s.Given(func() {
		id, depth := n.Ping().WantReply().ID(), s.deep(2)
		var all []*Node
		for host := 1; host <= 9; host++ {
			x := n.Newcomer(host).Mute()
			x.settleAt(id, depth)
			n.meets(x)
			all = append(all, x)
		}
		for _, x := range all {
			x.OnQuery = nil
			x.write(x.Asked()[0].From, conformance.Answer(x.ID, x.Asked()[0].Message), "the answer, when all have been asked")
		}
		s.settle()
		r := n.FindNode(all[0].ID).WantReply()
		for _, x := range all {
			if r.Names(x.ID) {
				placed = x
			} else {
				waiting = x
			}
		}
		if placed == nil || waiting == nil {
			s.Inconclusive("of nine nodes of one range the target names eight")
		}
	})
	return placed, waiting
}

// replaced fills a range of the table, lets one node of it fall silent, and has a newcomer ask until it is named or an hour has
// passed.
func (s *Script) replaced(n *Node) (silent, newcomer *Node) {
	id, depth, old := s.fill(n, 1)
	silent = old[3]
	s.Given(func() {
		silent.Mute()
		s.Wait(15 * time.Minute)
		newcomer = n.Newcomer(10)
		newcomer.settleAt(id, depth)
		for range 60 {
			newcomer.FindNode(newcomer.ID).WantReply()
			s.Wait(30 * time.Second)
			if n.FindNode(newcomer.ID).WantReply().Names(newcomer.ID) {
				return
			}
		}
	})
	return silent, newcomer
}
