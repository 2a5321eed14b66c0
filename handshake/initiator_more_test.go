package handshake

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Addresses that are learnt while an attempt knocks are knocked at too, under the same id.
func TestMoreAddresses(t *testing.T) { // hs-attempt-more
	s := begin(t)
	alice := s.friend("alice")
	s.refuseCall(ErrState, "knocking", func() error { return s.m.Also(s.now, alice.key(), alice.at) })
	id, knock := alice.begins()
	s.advance(500 * time.Millisecond)
	s.want(OutputTransmit)
	s.advance(time.Second)
	s.want(OutputTransmit)

	second := netip.MustParseAddrPort("[2001:db8::1]:9")
	s.did(s.m.Also(s.now, alice.key(), alice.at, second, second))
	out := s.want(OutputTransmit)
	require.Equal(t, second, out.To)
	e := alice.open(out.Datagram)
	require.Equal(t, id, e.ID)
	require.Equal(t, knock, e.Bytes)
	s.wantNothing()
	s.did(s.m.Also(s.now, alice.key(), second)) // had already
	s.wantNothing()

	s.advance(500*time.Millisecond - 1) // the tries begin anew
	s.wantNothing()
	s.advance(1)
	require.Equal(t, alice.at, s.want(OutputTransmit).To)
	require.Equal(t, second, s.want(OutputTransmit).To)

	alice.offers(id, knock)
	s.refuseCall(ErrState, "knocking", func() error { return s.m.Also(s.now, alice.key(), alice.at) })
}

func TestMoreAddressesAreBounded(t *testing.T) { // hs-attempt-more
	s := begin(t)
	alice := s.friend("alice")
	alice.begins()
	more := make([]netip.AddrPort, maxTargets)
	for i := range more {
		more[i] = netip.MustParseAddrPort(fmt.Sprintf("192.0.2.200:%d", i+1))
	}
	s.refuseCall(ErrLimit, "9 addresses", func() error { return s.m.Also(s.now, alice.key(), slices.Concat(more, more[:1])...) })
	s.refuseCall(ErrMalformed, "no address", func() error { return s.m.Also(s.now, alice.key(), netip.AddrPort{}) })
	s.refuseCall(ErrState, "no such contact", func() error { return s.m.Also(s.now, s.stranger("carol").key(), more[0]) })
	s.did(s.m.Also(s.now, alice.key(), more...))
	for _, to := range more {
		require.Equal(t, to, s.want(OutputTransmit).To)
	}
	s.advance(500 * time.Millisecond) // the oldest address gave way
	for _, to := range more {
		require.Equal(t, to, s.want(OutputTransmit).To)
	}
	s.wantNothing()
}

// However often addresses are added, the attempt has its end.
func TestMoreAddressesDoNotKeepAnAttempt(t *testing.T) { // hs-attempt-life
	s := begin(t)
	alice := s.friend("alice")
	alice.begins()
	for i := range 64 {
		s.advance(time.Second)
		for _, ok := s.m.Output(); ok; _, ok = s.m.Output() {
		}
		s.did(s.m.Also(s.now, alice.key(), netip.MustParseAddrPort(fmt.Sprintf("192.0.2.200:%d", i+1))))
		for _, ok := s.m.Output(); ok; _, ok = s.m.Output() {
		}
	}
	require.NotNil(t, s.m.contacts[alice.key()].attempt)
	s.advance(time.Second)
	require.Nil(t, s.m.contacts[alice.key()].attempt)
}
