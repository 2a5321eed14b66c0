package dht

import (
	"fmt"

	"kith/conformance/lenient"
)

func init() {
	// Who knows a node has at least that one to name, whatever the target is.
	Case("dht-find-nodes", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		for range 4 {
			r := n.FindNode(s.ID()).WantReply()
			r.Check(len(r.Nodes()) > 0, "a node: the target knows one")
		}
	})

	// BEP 5: the 8 closest. Who knows as many names as many.
	Case("dht-find-nodes-eight", Accept, func(s *Script) {
		n := s.Node()
		if known := n.Known(); len(known) < 8 {
			s.Inconclusive("the target knows 8 of its neighbours")
		}
		for range 4 {
			r := n.FindNode(s.ID()).WantReply()
			r.Check(len(r.Nodes()) >= 8, "8 nodes: the target knows them")
		}
	})

	Case("dht-find-closest", Accept, func(s *Script) {
		n := s.Node()
		n.wantClosest(n.FindNode, s.ID(), s.ID(), s.ID(), s.ID(), s.ID(), s.ID())
	})

	// Beside each neighbour in turn, so that every bucket is looked into.
	Case("dht-find-closest-each", Accept, func(s *Script) {
		n := s.NodeAt(1)
		n.wantClosest(n.FindNode, s.besideNeighbours()...)
	})

	Case("dht-find-closest-own", Accept, func(s *Script) {
		n := s.Node()
		id := n.Ping().WantReply().ID()
		n.wantClosest(n.FindNode, id, s.Near(id, 159), s.Near(id, 40))
	})

	// BEP 5: the target node or the 8 closest; it is among them either way.
	Case("dht-find-closest-itself", Accept, func(s *Script) {
		n := s.Node()
		seen := 0
		for _, x := range s.Neighbours() {
			if !n.FindNode(s.Near(x.ID, 159)).WantReply().Names(x.ID) {
				continue
			}
			seen++
			r := n.FindNode(x.ID).WantReply()
			r.Check(r.Names(x.ID), "the node asked for, which was named for the id beside it")
		}
		if seen == 0 {
			s.Inconclusive("the target knows one of its neighbours")
		}
	})

	Case("dht-find-eight", Accept, func(s *Script) {
		n := s.Node()
		var all []lenient.Contact
		for range 24 {
			r := n.FindNode(s.ID()).WantReply()
			r.Check(len(r.Contacts()) <= 8, "at most 8 nodes")
			for _, c := range r.Contacts() {
				if !names(all, c.ID) {
					all = append(all, c)
				}
			}
		}
		if len(all) <= 8 {
			s.Inconclusive("the target knows more than 8 nodes, so that it has to choose")
		}
	})

	Case("dht-find-twice", Accept, func(s *Script) {
		n := s.Node()
		most := 0
		for range 6 {
			r := n.FindNode(s.ID()).WantReply()
			list := r.Contacts()
			for i, c := range list {
				r.Check(!names(list[:i], c.ID), "every node once")
			}
			most = max(most, len(list))
		}
		if most < 2 {
			s.Inconclusive("the target names two nodes")
		}
	})

	Case("dht-peers-closest", Accept, func(s *Script) {
		n := s.Node()
		n.wantClosest(n.GetPeers, s.besideNeighbours()...)
	})
}

// besideNeighbours draws a target beside every other neighbour. At random most would lie in the far half of the id space, where a node that
// looks into one bucket only is right by luck.
func (s *Script) besideNeighbours() (targets [][20]byte) {
	for i, x := range s.Neighbours() {
		if i%2 == 0 {
			targets = append(targets, s.Near(x.ID, 12))
		}
	}
	return targets
}

// wantClosest asks for the targets and fails when a reply names a node and leaves out a nearer one that the target knows. It asks once
// more, for a node may have come or gone in between; a target that leaves out now one and now another is no better.
func (n *Node) wantClosest(query func([20]byte) *Packet, targets ...[20]byte) {
	asker := n.Sibling()
	known := asker.Known()
	for _, target := range targets {
		r := query(target).WantReply()
		x, missing := leftOut(known, target, r)
		if !missing || !asker.knows(x) {
			continue
		}
		r = query(target).WantReply()
		if x, missing = leftOut(known, target, r); missing && asker.knows(x) {
			r.Check(false, fmt.Sprintf("no node left out that is closer than one named: the target knows %x", x.ID))
		}
	}
	if len(known) <= 8 {
		n.s.Inconclusive("the target knows more than 8 of its neighbours, so that it has to choose")
	}
}
