package bench

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/flynn/noise"
	"github.com/status-im/doubleratchet"
	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/keyhelper"
	"go.mau.fi/libsignal/util/optional"
)

// A channel sends a message from one of two people to the other; from is 0 or 1. Each rival is one, and so are we.
type channel func(from int, plaintext []byte) ([]byte, error)

// A signalUser is a user of go.mau.fi/libsignal with its stores in memory. Nothing is serialised but what goes over the wire: that is the least
// that its interfaces allow.
type signalUser struct {
	address  *protocol.SignalAddress
	identity *identity.KeyPair
	id       uint32
	signed   *record.SignedPreKey
	prekey   *record.PreKey
	session  *record.Session
	code     *serialize.Serializer
}

func newSignalUser(tb testing.TB, name string) *signalUser {
	u := &signalUser{address: protocol.NewSignalAddress(name, 1), code: serialize.NewProtoBufSerializer(), id: keyhelper.GenerateRegistrationID()}
	var err error
	u.identity, err = keyhelper.GenerateIdentityKeyPair()
	require.NoError(tb, err)
	u.signed, err = keyhelper.GenerateSignedPreKey(u.identity, 1, u.code.SignedPreKeyRecord)
	require.NoError(tb, err)
	u.refill(tb)
	return u
}

// refill makes a one-time key, which the first message of a session uses up.
func (u *signalUser) refill(tb testing.TB) {
	keys, err := keyhelper.GeneratePreKeys(1, 1, u.code.PreKeyRecord)
	require.NoError(tb, err)
	u.prekey = keys[0]
}

func (u *signalUser) bundle() *prekey.Bundle {
	return prekey.NewBundle(u.id, 1, optional.NewOptionalUint32(u.prekey.ID().Value), u.signed.ID(), u.prekey.KeyPair().PublicKey(),
		u.signed.KeyPair().PublicKey(), u.signed.Signature(), u.identity.PublicKey())
}

func (u *signalUser) builder(to *signalUser) *session.Builder {
	return session.NewBuilder(u, u, u, u, to.address, u.code)
}

func (u *signalUser) GetIdentityKeyPair() *identity.KeyPair { return u.identity }
func (u *signalUser) GetLocalRegistrationID() uint32        { return u.id }
func (u *signalUser) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}
func (u *signalUser) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}
func (u *signalUser) LoadPreKey(context.Context, uint32) (*record.PreKey, error) {
	return u.prekey, nil
}
func (u *signalUser) StorePreKey(context.Context, uint32, *record.PreKey) error { return nil }
func (u *signalUser) ContainsPreKey(context.Context, uint32) (bool, error) {
	return u.prekey != nil, nil
}
func (u *signalUser) RemovePreKey(context.Context, uint32) error { return nil }
func (u *signalUser) LoadSignedPreKey(context.Context, uint32) (*record.SignedPreKey, error) {
	return u.signed, nil
}
func (u *signalUser) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	return []*record.SignedPreKey{u.signed}, nil
}
func (u *signalUser) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return nil
}
func (u *signalUser) ContainsSignedPreKey(context.Context, uint32) (bool, error) { return true, nil }
func (u *signalUser) RemoveSignedPreKey(context.Context, uint32) error           { return nil }
func (u *signalUser) LoadSession(context.Context, *protocol.SignalAddress) (*record.Session, error) {
	if u.session == nil {
		u.session = record.NewSession(u.code.Session, u.code.State)
	}
	return u.session, nil
}
func (u *signalUser) GetSubDeviceSessions(context.Context, string) ([]uint32, error) { return nil, nil }
func (u *signalUser) StoreSession(_ context.Context, _ *protocol.SignalAddress, s *record.Session) error {
	u.session = s
	return nil
}
func (u *signalUser) ContainsSession(context.Context, *protocol.SignalAddress) (bool, error) {
	return u.session != nil, nil
}
func (u *signalUser) DeleteSession(context.Context, *protocol.SignalAddress) error {
	u.session = nil
	return nil
}
func (u *signalUser) DeleteAllSessions(context.Context) error { u.session = nil; return nil }

// signalChannel is an established session of two users.
func signalChannel(tb testing.TB) channel {
	ctx := context.Background()
	users := [2]*signalUser{newSignalUser(tb, "alice"), newSignalUser(tb, "bob")}
	builders := [2]*session.Builder{users[0].builder(users[1]), users[1].builder(users[0])}
	require.NoError(tb, builders[0].ProcessBundle(ctx, users[1].bundle()))
	ciphers := [2]*session.Cipher{session.NewCipher(builders[0], users[1].address), session.NewCipher(builders[1], users[0].address)}
	first, err := ciphers[0].Encrypt(ctx, []byte("hello"))
	require.NoError(tb, err)
	m, err := protocol.NewPreKeySignalMessageFromBytes(first.Serialize(), users[1].code.PreKeySignalMessage, users[1].code.SignalMessage)
	require.NoError(tb, err)
	_, err = ciphers[1].DecryptMessage(ctx, m)
	require.NoError(tb, err)
	ch := func(from int, plaintext []byte) ([]byte, error) {
		sealed, err := ciphers[from].Encrypt(ctx, plaintext)
		if err != nil {
			return nil, err
		}
		m, err := protocol.NewSignalMessageFromBytes(sealed.Serialize(), users[1-from].code.SignalMessage)
		if err != nil {
			return nil, err
		}
		return ciphers[1-from].Decrypt(ctx, m)
	}
	_, err = ch(1, []byte("hello")) // now the first side leaves its prekey out
	require.NoError(tb, err)
	return ch
}

// forgetful is a store that keeps nothing: status-im's sessions hold their state themselves.
type forgetful struct{}

func (forgetful) Save([]byte, *doubleratchet.State) error   { return nil }
func (forgetful) Load([]byte) (*doubleratchet.State, error) { return nil, nil }

// statusChannel is a session of github.com/status-im/doubleratchet, which has no handshake and no header encryption.
func statusChannel(tb testing.TB) channel {
	key := make([]byte, 32)
	_, err := rand.Read(key)
	require.NoError(tb, err)
	pair, err := doubleratchet.DefaultCrypto{}.GenerateDH()
	require.NoError(tb, err)
	var ends [2]doubleratchet.Session
	ends[1], err = doubleratchet.New([]byte("bob"), key, pair, forgetful{})
	require.NoError(tb, err)
	ends[0], err = doubleratchet.NewWithRemoteKey([]byte("alice"), key, pair.PublicKey(), forgetful{})
	require.NoError(tb, err)
	return func(from int, plaintext []byte) ([]byte, error) {
		m, err := ends[from].RatchetEncrypt(plaintext, nil)
		if err != nil {
			return nil, err
		}
		return ends[1-from].RatchetDecrypt(m, nil)
	}
}

// noiseSuite is the one that is nearest to ours.
var noiseSuite = noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256)

// noiseIK is one handshake of Noise IK: both sides know the responder's static key, and the initiator's is sent. It has no post-quantum part.
func noiseIK(tb testing.TB, initiator, responder noise.DHKey) (i, r *noise.HandshakeState) {
	var err error
	i, err = noise.NewHandshakeState(noise.Config{CipherSuite: noiseSuite, Pattern: noise.HandshakeIK, Initiator: true, StaticKeypair: initiator, PeerStatic: responder.Public})
	require.NoError(tb, err)
	r, err = noise.NewHandshakeState(noise.Config{CipherSuite: noiseSuite, Pattern: noise.HandshakeIK, StaticKeypair: responder})
	require.NoError(tb, err)
	return i, r
}

func TestRivalsTalk(t *testing.T) {
	for name, ch := range map[string]channel{"libsignal": signalChannel(t), "doubleratchet": statusChannel(t)} {
		for i := range 20 {
			text := []byte{byte(i), 'x'}
			got, err := ch(i/3%2, text)
			require.NoError(t, err, name)
			require.Equal(t, text, got, name)
		}
	}
}
