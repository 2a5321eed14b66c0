package handshake

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWholeHandshakeAsResponder(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.converses("one", s.ms())
	require.NotNil(t, s.m.contacts[alice.key()].present)
}

func TestWholeHandshakeAsInitiator(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	o, session := alice.offers(id, knock)
	accept := alice.says(id, "hello")
	theirs, err := alice.pair.TakeAccept(o, accept)
	require.NoError(t, err)
	wantSame(t, session, theirs)
	s.did(s.m.Opened(s.now, SessionID{alice.key(), id, Initiator}))
	s.want(OutputFinished)
	s.wantNothing()
}
