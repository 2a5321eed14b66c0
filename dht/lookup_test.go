package dht

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLookupFindsTheClosest(t *testing.T) {
	s := begin(t, 0x00)
	s.knows(node(0x80), node(0x90), node(0xa0), node(0x40))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0xa0, 0x90, 0x80) // the 3 closest
	s.replies(0x90, 0xf0)
	s.wantAsked(MethodFindNode, 0xa0, 0x80, 0xf0)
	s.replies(0xf0, 0xfe, 0xfc)
	s.replies(0xa0)
	s.wantAsked(MethodFindNode, 0x80, 0xfe, 0xfc)
	s.replies(0x80)
	s.wantAsked(MethodFindNode, 0xfe, 0xfc, 0x40)
	s.replies(0x40)
	s.replies(0xfe)
	s.undone(op)
	s.replies(0xfc)
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, []byte{0xfe, 0xfc, 0xf0, 0xa0, 0x90, 0x80, 0x40}, names(e.Nodes))
	require.Equal(t, 7, e.Asked)
	s.wantNothing()
}
