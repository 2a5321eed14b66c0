package bench

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"testing"

	"github.com/cloudflare/circl/dh/x25519"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"kith/ratchet"
)

// ends returns both ends of a conversation in which each has opened a message of the other.
func ends(tb testing.TB) (all [2]*ratchet.State) {
	var private, public x25519.Key
	private[0] = 8
	x25519.KeyGen(&public, &private)
	secrets := ratchet.Secrets{RK: [32]byte{1}, HKI: [32]byte{2}, NHKR: [32]byte{3}, AD: [32]byte{4}}
	var err error
	all[0], err = ratchet.NewInitiator(&secrets, public, nil)
	require.NoError(tb, err)
	all[1] = ratchet.NewResponder(&secrets, (*[32]byte)(&private), nil)
	ch := kithChannel(all)
	for from := range 2 {
		_, err := ch(from, []byte("hello"))
		require.NoError(tb, err)
	}
	return all
}

// kithChannel lets the other side say something where a sending chain has no more keys: once in 512 messages.
func kithChannel(all [2]*ratchet.State) channel {
	var sealed, opened []byte
	var ch channel
	ch = func(from int, plaintext []byte) (_ []byte, err error) {
		if !all[from].CanSend() && all[1-from].CanSend() {
			if _, err := ch(1-from, nil); err != nil {
				return nil, err
			}
		}
		if sealed, err = all[from].Encrypt(sealed[:0], plaintext); err != nil {
			return nil, err
		}
		opened, _, err = all[1-from].Decrypt(opened[:0], sealed)
		return opened, err
	}
	return ch
}

// A ratchetBound is what one message costs at the least: its primitives, called on buffers that are there already. Nothing is kept, skipped or checked.
type ratchetBound struct {
	key, sum             [32]byte
	plain, opened        [2048]byte
	ad, message          []byte // 32 bytes of AD, then the sealed header
	pub, private, shared x25519.Key
}

func newRatchetBound() *ratchetBound {
	b := &ratchetBound{private: x25519.Key{8}, ad: make([]byte, 32, 2048), message: make([]byte, 0, 2048)}
	x25519.KeyGen(&b.pub, &b.private)
	return b
}

// hmacs computes n HMACs of one block each, every one under a key of its own.
func (b *ratchetBound) hmacs(n int) {
	for range n {
		mac := hmac.New(sha256.New, b.key[:])
		mac.Write(b.key[:])
		mac.Sum(b.sum[:0])
	}
}

// symmetric is encrypt and decrypt within a chain. Each side: KDF_CK (2 HMAC), KDF_MK (extract and two blocks: 3 HMAC), the header under XChaCha20-Poly1305, the body under
// ChaCha20-Poly1305 with a key of its own; the sender draws a nonce.
func (b *ratchetBound) symmetric(plaintext int) {
	headers, err := chacha20poly1305.NewX(b.key[:])
	must(err)
	var nonce [24]byte
	_, err = rand.Read(nonce[:])
	must(err)

	b.hmacs(5)
	b.ad = append(b.ad[:32], nonce[:]...)
	b.ad = headers.Seal(b.ad, nonce[:], b.plain[:40], b.ad[:32])
	bodies, err := chacha20poly1305.New(b.key[:])
	must(err)
	b.message = bodies.Seal(b.message[:0], nonce[:12], b.plain[:plaintext], b.ad)

	headers, err = chacha20poly1305.NewX(b.key[:])
	must(err)
	_, err = headers.Open(b.opened[:0], nonce[:], b.ad[56:], b.ad[:32])
	must(err)
	b.hmacs(5)
	bodies, err = chacha20poly1305.New(b.key[:])
	must(err)
	_, err = bodies.Open(b.opened[:0], nonce[:12], b.message, b.ad)
	must(err)
}

// step is what a DH step adds, on the side that receives: two shared secrets, a key pair, KDF_RK twice (extract and three blocks: 4 HMAC).
func (b *ratchetBound) step() {
	_, err := rand.Read(b.private[:])
	must(err)
	x25519.KeyGen(&b.shared, &b.private)
	x25519.Shared(&b.shared, &b.private, &b.pub)
	x25519.Shared(&b.shared, &b.private, &b.pub)
	b.hmacs(8)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// talk sends one message of 256 bytes at a call, each time from the other side if turns.
func talk(ch channel, turns bool) (once func()) {
	text := make([]byte, 256)
	from := 0
	return func() {
		if turns {
			from = 1 - from
		}
		_, err := ch(from, text)
		must(err)
	}
}

// BenchmarkRatchet sends messages of 256 bytes: encrypt and decrypt together. Alternating, each message begins a new chain and so makes a DH step.
func BenchmarkRatchet(b *testing.B) {
	for _, mode := range []struct {
		name  string
		turns bool
		batch int
	}{{"one-way", false, 100}, {"alternating", true, 20}} {
		b.Run(mode.name, func(b *testing.B) {
			versus(b, mode.batch,
				contender{"kith", func() func() { return talk(kithChannel(ends(b)), mode.turns) }},
				contender{"libsignal", func() func() { return talk(signalChannel(b), mode.turns) }},
				contender{"doubleratchet", func() func() { return talk(statusChannel(b), mode.turns) }},
				contender{"bound", func() func() {
					least := newRatchetBound()
					return func() {
						if mode.turns {
							least.step()
						}
						least.symmetric(256)
					}
				}})
		})
	}
}

// BenchmarkRatchetMemory reports the live heap of an idle end of a conversation, and of one that keeps 2,000 keys of missing messages.
func BenchmarkRatchetMemory(b *testing.B) {
	const conversations = 200
	measure := func(lose int) float64 {
		all := make([]*ratchet.State, 0, conversations)
		before := heap()
		for range conversations {
			pair := ends(b)
			for range lose / 500 {
				for i := range 501 {
					m, err := pair[0].Encrypt(nil, nil)
					must(err)
					if i < 500 {
						continue // lost
					}
					_, _, err = pair[1].Decrypt(nil, m)
					must(err)
				}
				m, err := pair[1].Encrypt(nil, nil)
				must(err)
				_, _, err = pair[0].Decrypt(nil, m)
				must(err)
			}
			all = append(all, pair[1])
		}
		used := float64(heap()-before) / conversations
		runtime.KeepAlive(all)
		return used
	}
	idle, full := measure(0), measure(2000)
	for b.Loop() { // once is enough
	}
	b.ReportMetric(idle, "B-idle")
	b.ReportMetric(full, "B-2000-skipped")
	b.ReportMetric(0, "ns/op")
}

// heap returns the live heap in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
