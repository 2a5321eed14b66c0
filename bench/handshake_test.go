package bench

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/cloudflare/circl/dh/x25519"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/cloudflare/circl/sign/ed25519"
	"github.com/flynn/noise"
	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"

	"kith/handshake"
)

// parties are two contacts, and a knock from the first to the second.
type parties struct {
	initiator, responder *handshake.Pair
	now                  time.Time
	knock                []byte
}

func newParties(tb testing.TB) *parties {
	p := &parties{now: time.Unix(1_800_000_000, 0)}
	var ids [2]*handshake.Identity
	for i := range ids {
		var err error
		ids[i], err = handshake.NewIdentity(random(32))
		require.NoError(tb, err)
	}
	var err error
	p.initiator, err = handshake.NewPair(ids[0], ids[1].PublicKey())
	require.NoError(tb, err)
	p.responder, err = handshake.NewPair(ids[1], ids[0].PublicKey())
	require.NoError(tb, err)
	p.knock, err = handshake.AppendKnock(nil, handshake.Knock{Time: uint64(p.now.UnixMilli())})
	require.NoError(tb, err)
	return p
}

func random(n int) []byte {
	b := make([]byte, n)
	_, err := rand.Read(b)
	must(err)
	return b
}

func (p *parties) offer() *handshake.OwnOffer {
	spk, rk, ek := [32]byte(random(32)), [32]byte(random(32)), [64]byte(random(64))
	return handshake.MakeOffer(p.responder.Identity(), p.now, p.knock, &spk, &rk, &ek)
}

func (p *parties) accept(offer []byte) []byte {
	o, err := handshake.CheckOffer(p.initiator.Friend(), p.now, p.knock, offer)
	must(err)
	e, coins := [32]byte(random(32)), [32]byte(random(32))
	accept, _, err := p.initiator.MakeAccept(o, &e, &coins)
	must(err)
	return accept
}

// A handshakeBound calls the primitives of one side on buffers that are there already; what is secret or checked is of no interest to it.
type handshakeBound struct {
	seed       ed25519.PrivateKey
	transcript [2500]byte
	sig        []byte
	x, y, out  x25519.Key
	kem        [64]byte
	public     *mlkem768.PublicKey
	private    *mlkem768.PrivateKey
	ek         [mlkem768.PublicKeySize]byte
	ct         [mlkem768.CiphertextSize]byte
	ss         [32]byte
}

func newHandshakeBound() *handshakeBound {
	b := &handshakeBound{seed: ed25519.NewKeyFromSeed(make([]byte, 32)), x: x25519.Key{8}}
	b.sig = ed25519.Sign(b.seed, b.transcript[:1303])
	x25519.KeyGen(&b.y, &b.x)
	b.public, b.private = mlkem768.NewKeyFromSeed(b.kem[:])
	b.public.Pack(b.ek[:])
	return b
}

func (b *handshakeBound) dh(n int) {
	for range n {
		x25519.Shared(&b.out, &b.x, &b.y)
	}
}

// schedule is what both sides derive: auth (32 bytes of HKDF-Expand), th (SHA-256 of 2,523 bytes or so), prk, and 176 bytes of HKDF-Expand.
func (b *handshakeBound) schedule() {
	_, err := hkdf.Expand(sha256.New, b.ss[:], "auth, both identities and an epoch: 8 + 12 + 64 bytes ........ ....................", 32)
	must(err)
	th := sha256.Sum256(b.transcript[:])
	prk, err := hkdf.Extract(sha256.New, b.transcript[:160], b.transcript[:17])
	must(err)
	_, err = hkdf.Expand(sha256.New, prk, string(th[:])+"kith/1 session ", 176)
	must(err)
}

// makeOffer: two X25519 key pairs, an ML-KEM key pair and its encoding, SHA-256 of the knock, a signature of 1,303 bytes, SHA-256 of the offer.
func (b *handshakeBound) makeOffer() {
	random := random(128)
	for i := range 2 {
		copy(b.x[:], random[32*i:])
		x25519.KeyGen(&b.out, &b.x)
	}
	b.public, b.private = mlkem768.NewKeyFromSeed(random[64:])
	b.public.Pack(b.ek[:])
	sha256.Sum256(b.transcript[:1177])
	b.sig = ed25519.Sign(b.seed, b.transcript[:1303])
	sha256.Sum256(b.transcript[:1338])
}

// makeAccept: SHA-256 of the knock and of the offer, the signature verified, e's key pair, three shared secrets, ML-KEM's key read and used, the schedule.
func (b *handshakeBound) makeAccept() {
	sha256.Sum256(b.transcript[:1177])
	sha256.Sum256(b.transcript[:1338])
	if !ed25519.Verify(b.seed.Public().(ed25519.PublicKey), b.transcript[:1303], b.sig) {
		panic("the signature does not verify")
	}
	random := random(64)
	copy(b.x[:], random)
	x25519.KeyGen(&b.out, &b.x)
	b.dh(3)
	must(b.public.Unpack(b.ek[:]))
	b.public.EncapsulateTo(b.ct[:], b.ss[:], random[32:])
	b.schedule()
}

// takeAccept: three shared secrets, decapsulation, the schedule.
func (b *handshakeBound) takeAccept() {
	b.dh(3)
	b.private.DecapsulateTo(b.ss[:], b.ct[:])
	b.schedule()
}

// BenchmarkHandshake compares each step with the sum of its primitives, without envelopes.
func BenchmarkHandshake(b *testing.B) {
	p := newParties(b)
	for _, step := range []struct {
		name        string
		ours, bound func() func()
	}{
		{"offer", func() func() { return func() { p.offer() } }, func() func() { return newHandshakeBound().makeOffer }},
		{"initiator", func() func() { offer := p.offer().Bytes[:]; return func() { p.accept(offer) } }, func() func() { return newHandshakeBound().makeAccept }},
		{"responder", func() func() {
			offer := p.offer()
			accept := p.accept(offer.Bytes[:])
			return func() {
				_, err := p.responder.TakeAccept(offer, accept)
				must(err)
			}
		}, func() func() { return newHandshakeBound().takeAccept }},
	} {
		b.Run(step.name, func(b *testing.B) {
			versus(b, 10, contender{"kith", step.ours}, contender{"bound", step.bound})
		})
	}
}

// BenchmarkHandshakeWhole is both sides of a handshake until both have the keys, without envelopes and network. Noise IK has no post-quantum part and one signature less; libsignal is
// X3DH with one signature, without post-quantum part, and with the first message, which its handshake needs.
func BenchmarkHandshakeWhole(b *testing.B) {
	p := newParties(b)
	versus(b, 5,
		contender{"noise-IK", func() func() {
			keys := [2]noise.DHKey{}
			for i := range keys {
				var err error
				keys[i], err = noiseSuite.GenerateKeypair(rand.Reader)
				must(err)
			}
			return func() {
				i, r := noiseIK(b, keys[0], keys[1])
				m, _, _, err := i.WriteMessage(nil, nil)
				must(err)
				_, _, _, err = r.ReadMessage(nil, m)
				must(err)
				m, _, _, err = r.WriteMessage(nil, nil)
				must(err)
				_, _, _, err = i.ReadMessage(nil, m)
				must(err)
			}
		}},
		contender{"libsignal", func() func() {
			ctx := context.Background()
			users := [2]*signalUser{newSignalUser(b, "alice"), newSignalUser(b, "bob")}
			return func() {
				users[0].session, users[1].session = nil, nil
				users[1].refill(b)
				builder := users[0].builder(users[1])
				must(builder.ProcessBundle(ctx, users[1].bundle()))
				first, err := session.NewCipher(builder, users[1].address).Encrypt(ctx, []byte("hello"))
				must(err)
				m, err := protocol.NewPreKeySignalMessageFromBytes(first.Serialize(), users[1].code.PreKeySignalMessage, users[1].code.SignalMessage)
				must(err)
				_, err = session.NewCipher(users[1].builder(users[0]), users[0].address).DecryptMessage(ctx, m)
				must(err)
			}
		}},
		contender{"kith", func() func() {
			return func() {
				offer := p.offer()
				_, err := p.responder.TakeAccept(offer, p.accept(offer.Bytes[:]))
				must(err)
			}
		}})
}
