package dht

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// votes lets the node at from answer a ping, and say what our address is.
func (s *script) votes(from netip.AddrPort, said string) {
	s.Helper()
	s.n.Ping(s.now, from)
	s.drain()
	m := s.take(from).reply(id(from.Addr().As16()[13]))
	m.IP = netip.AddrPortFrom(netip.MustParseAddr(said), 1)
	s.message(from, m)
	s.now = s.now.Add(time.Millisecond)
}

func TestOwnAddressNeedsFiveVoters(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(4) {
		s.votes(at(i+1), "50.1.2.3")
		s.votes(netip.AddrPortFrom(netip.AddrFrom4([4]byte{45, i + 1, 9, 9}), 7), "50.1.2.3") // of the same /16
	}
	require.False(t, s.n.Address(V4).IsValid())
	require.Equal(t, id(0), s.n.ID(V4))
	s.votes(at(5), "50.1.2.3")
	require.Equal(t, netip.MustParseAddr("50.1.2.3"), s.n.Address(V4))
	require.True(t, Fits(s.n.ID(V4), s.n.Address(V4)))
	e := s.of(EventAddress)[0]
	require.Equal(t, s.n.ID(V4), e.ID)
	require.Equal(t, s.n.Address(V4), e.Address)
	require.Equal(t, uint64(1), s.n.Stats().NewIDs)
	self := s.n.ID(V4)
	require.NotEqual(t, [16]byte{}, [16]byte(self[3:19]), "the rest of an id is random")

	s.n.overlays[V4].retry = s.n.now // no longer quiet
	s.advance(time.Second)
	require.NotEmpty(t, s.asked)
	require.Equal(t, self, s.asked[0].m.Target, "the node looks around where it is now")

	s.asked = nil
	s.advanceSilently(11 * time.Minute)
	for i := range byte(5) { // who says what is known already tells nothing
		s.votes(at(50+i), "50.1.2.3")
	}
	require.Len(t, s.of(EventAddress), 1)
}

// What was said half an hour ago is forgotten.
func TestVotesExpire(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(4) {
		s.votes(at(i+1), "50.1.2.3")
	}
	s.advanceSilently(30 * time.Minute)
	s.votes(at(5), "50.1.2.3")
	require.False(t, s.n.Address(V4).IsValid())
	for i := range byte(4) {
		s.votes(at(i+10), "50.1.2.3")
	}
	require.True(t, s.n.Address(V4).IsValid())
}

func TestOwnAddressNeedsTwoThirds(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(3) {
		s.votes(at(100+i), fmt.Sprintf("60.1.1.%d", i)) // 3 liars
	}
	for i := range byte(6) { // 6 of 9 are just two thirds
		s.votes(at(1+i), "50.1.2.3")
	}
	require.False(t, s.n.Address(V4).IsValid())
	s.votes(at(7), "50.1.2.3")
	require.Equal(t, netip.MustParseAddr("50.1.2.3"), s.n.Address(V4))
}

func TestOwnAddressChangesOnceInTenMinutes(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(5) {
		s.votes(at(1+i), "50.1.2.3")
	}
	first := s.n.ID(V4)
	for i := range byte(20) {
		s.votes(at(1+i), "50.1.2.4")
	}
	require.Equal(t, netip.MustParseAddr("50.1.2.3"), s.n.Address(V4))
	require.Equal(t, first, s.n.ID(V4))
	s.advanceSilently(10*time.Minute - time.Second)
	s.votes(at(1), "50.1.2.4")
	require.Equal(t, first, s.n.ID(V4))
	s.advanceSilently(time.Second)
	s.votes(at(2), "50.1.2.4")
	require.Equal(t, netip.MustParseAddr("50.1.2.4"), s.n.Address(V4))
	require.NotEqual(t, first, s.n.ID(V4))
}

// Who says that we are where nobody can be, or in the other family, has no vote.
func TestVotesForAddressesThatAreNotGlobal(t *testing.T) {
	for _, said := range []string{"127.0.0.1", "10.0.0.1", "0.0.0.0", "224.0.0.1", "2a00::1", "::1"} {
		s := begin(t, 0x00).quiet()
		for i := range byte(10) {
			s.votes(at(1+i), said)
		}
		require.Zero(t, s.n.Stats().Votes, said)
		require.Equal(t, id(0), s.n.ID(V4))
	}
}

// What strangers say in their queries, or in answers that nobody asked for, is no vote.
func TestVotesAreAnswersToOurQueries(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(10) {
		s.message(at(i+1), wire.Message{Kind: wire.KindReply, T: []byte("aaaa"), IP: addr("50.1.2.3:1"), Body: wire.Body{Has: wire.HasID, ID: id(i + 1)}})
	}
	require.Zero(t, s.n.Stats().Votes)
}

func TestANewIDSortsTheTableAnew(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for b := 255; b > 0; b -= 3 {
		s.knows(node(byte(b)))
	}
	nodes := s.n.Stats().Nodes[V4]
	for i := range byte(5) {
		s.votes(at(3*i), "50.1.2.3")
	}
	require.Equal(t, uint64(1), s.n.Stats().NewIDs)
	checkTable(t, &s.n.overlays[V4].table, s.n.now)
	require.Greater(t, s.n.Stats().Nodes[V4], nodes/2)
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
	require.Equal(t, s.n.ID(V4), s.wantReply(client).ID)
}

// An id that fits is kept when the address is learnt.
func TestAnIDThatFitsIsKept(t *testing.T) {
	fits := IDFor(netip.MustParseAddr("50.1.2.3"), [20]byte{19: 5})
	s := begin(t, 0x00, func(c *Config) { c.ID4 = fits }).quiet()
	for i := range byte(6) {
		s.votes(at(1+i), "50.1.2.3")
	}
	require.True(t, s.n.Address(V4).IsValid())
	require.Equal(t, fits, s.n.ID(V4))
	require.Zero(t, s.n.Stats().NewIDs)
}

// saysReadOnly returns whether a ping that the node sends now has ro.
func (s *script) saysReadOnly() bool {
	s.Helper()
	s.asked = nil
	s.n.Ping(s.now, at(0xdd))
	s.drain()
	ro := s.take(at(0xdd)).m.ReadOnly
	require.Equal(s, ro, s.n.Stats().ReadOnly[V4])
	return ro
}

func TestReadOnlyUntilAStrangerAsks(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Reachable = false }).quiet()
	require.True(t, s.saysReadOnly())

	s.send(at(0xdd), "d1:ad2:id20:<dd>e1:q4:ping1:t2:aa1:y1:qe")
	s.wantReply(at(0xdd)) // answered all the same
	require.True(t, s.saysReadOnly(), "a query of one whom we asked shows nothing")
	require.False(t, s.n.Reached(V4))

	s.send(client, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
	s.wantReply(client)
	require.False(t, s.saysReadOnly())
	require.False(t, s.of(EventReadOnly)[0].ReadOnly)
	require.True(t, s.n.Reached(V4))
	require.False(t, s.n.Reached(V6))

	s.advanceSilently(15*time.Minute - time.Second)
	require.False(t, s.saysReadOnly())
	s.advanceSilently(time.Second)
	require.True(t, s.saysReadOnly(), "nobody asked for 15 minutes")

	s.send(client, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
	require.False(t, s.saysReadOnly(), "and again one did, whom we had not answered for 15 minutes")
}

// Among nodes that enter nobody who says ro, none would ever be asked: so each leaves it out for a while.
func TestTrialWithoutRO(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.Reachable, c.Bootstrap = false, []netip.AddrPort{at(0x80)} })
	s.advance(0)
	require.True(t, s.asked[0].m.ReadOnly, "the first look-up")
	s.replies(0x80)
	s.advance(retryFirst + time.Second)
	require.False(t, s.asked[0].m.ReadOnly, "the trial")
	require.Equal(t, id(0x11), s.asked[0].m.Target, "begins with a look around")
	s.replies(0x80)
	s.quiet()

	require.False(t, s.saysReadOnly())
	s.advanceSilently(trialFor)
	require.True(t, s.saysReadOnly())
	s.advance(trialEvery - trialFor)
	require.False(t, s.saysReadOnly(), "the next one")
}

func TestReadOnlyByConfiguration(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.ReadOnly = true }).quiet()
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
	require.True(t, s.saysReadOnly())
	require.Empty(t, s.of(EventReadOnly))
}

// votesFor is votes with the port.
func (s *script) votesFor(from netip.AddrPort, said string) {
	s.Helper()
	s.n.Ping(s.now, from)
	s.drain()
	m := s.take(from).reply(id(from.Addr().As16()[13]))
	m.IP = addr(said)
	s.message(from, m)
	s.now = s.now.Add(time.Millisecond)
}

func TestEndpointNeedsAQuorumAsTheAddressDoes(t *testing.T) {
	s := begin(t, 0x00).quiet()
	require.False(t, s.n.Endpoint(V6).IsValid())
	for i := range byte(4) {
		s.votesFor(at(i+1), "50.1.2.3:4000")
	}
	require.False(t, s.n.Endpoint(V4).IsValid())
	s.votesFor(at(5), "50.1.2.3:4000")
	require.Equal(t, addr("50.1.2.3:4000"), s.n.Endpoint(V4))
	e := s.of(EventEndpoint)
	require.Len(t, e, 1)
	require.Equal(t, addr("50.1.2.3:4000"), e[0].Endpoint)
	require.Equal(t, V4, e[0].Family)

	for i := range byte(20) { // the NAT gives another port
		s.votesFor(at(20+i), "50.1.2.3:5000")
	}
	require.Equal(t, addr("50.1.2.3:4000"), s.n.Endpoint(V4), "within 10 minutes")
	s.advanceSilently(10 * time.Minute)
	s.votesFor(at(1), "50.1.2.3:5000")
	require.Equal(t, addr("50.1.2.3:5000"), s.n.Endpoint(V4))
	require.Len(t, s.of(EventEndpoint), 2)
	require.Len(t, s.of(EventAddress), 1)
}

// Behind a NAT with a port for each destination there is an address and no endpoint.
func TestNoEndpointWithoutOnePort(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(30) {
		s.votesFor(at(i+1), fmt.Sprintf("50.1.2.3:%d", 4000+int(i)/2*2))
	}
	require.True(t, s.n.Address(V4).IsValid())
	require.False(t, s.n.Endpoint(V4).IsValid())
	require.Empty(t, s.of(EventEndpoint))
	for i := range byte(40) { // the ports agree before long
		s.votesFor(at(i+31), "50.1.2.3:7")
	}
	require.False(t, s.n.Endpoint(V4).IsValid(), "40 of 64 are not two thirds")
	for i := range byte(10) {
		s.votesFor(at(i+71), "50.1.2.3:7")
	}
	require.Equal(t, addr("50.1.2.3:7"), s.n.Endpoint(V4))
}

// With the address the port goes, and comes again with the first that is agreed on.
func TestEndpointAfterAMove(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for i := range byte(5) {
		s.votesFor(at(i+1), "50.1.2.3:4000")
	}
	s.advanceSilently(31 * time.Minute)
	for i := range byte(5) {
		s.votesFor(at(i+1), fmt.Sprintf("50.1.2.4:%d", 1+i))
	}
	require.Equal(t, netip.MustParseAddr("50.1.2.4"), s.n.Address(V4))
	require.False(t, s.n.Endpoint(V4).IsValid())
	for i := range byte(5) {
		s.votesFor(at(i+1), "50.1.2.4:4000")
	}
	require.Equal(t, addr("50.1.2.4:4000"), s.n.Endpoint(V4))
	var seen []netip.AddrPort
	for _, e := range s.of(EventEndpoint) {
		seen = append(seen, e.Endpoint)
	}
	require.Equal(t, []netip.AddrPort{addr("50.1.2.3:4000"), {}, addr("50.1.2.4:4000")}, seen)
}
