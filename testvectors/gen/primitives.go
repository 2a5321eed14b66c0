package gen

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// The primitives of spec/rendezvous.md and handshake.md. Bytes are strings, as everywhere in gen. What can be computed in two ways
// is: a difference stops the generator.

// label is a label as it goes into a hash: with its byte 0x00.
func label(name string) string { return "kith/1 " + name + "\x00" }

// zeros returns n zero bytes.
func zeros(n int) string { return strings.Repeat("\x00", n) }

func u16(n int) string    { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func u32(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
func u64(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func fromU64(b string) uint64 { return binary.BigEndian.Uint64([]byte(b)) }

// hash is the spec's H.
func hash(b string) string {
	sum := sha256.Sum256([]byte(b))
	return string(sum[:])
}

func mac(key, message string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return string(h.Sum(nil))
}

func extract(salt, ikm string) string {
	prk, err := hkdf.Extract(sha256.New, []byte(ikm), []byte(salt))
	must(err)
	agree("HKDF-Extract", string(prk), mac(salt, ikm))
	return string(prk)
}

func expand(prk, info string, n int) string {
	out, err := hkdf.Expand(sha256.New, []byte(prk), info, n)
	must(err)
	again, last := "", ""
	for i := byte(1); len(again) < n; i++ { // RFC 5869, section 2.3
		last = mac(prk, last+info+string([]byte{i}))
		again += last
	}
	agree("HKDF-Expand", string(out), again[:n])
	return string(out)
}

// agree stops the generator when two ways to the same value come to different ends.
func agree(what, a, b string) {
	if a != b {
		panic(what + ": " + toHex(a) + " one way, " + toHex(b) + " the other")
	}
}

// sealed is XChaCha20-Poly1305.
func sealed(key, nonce, ad, plaintext string) string {
	aead, err := chacha20poly1305.NewX([]byte(key))
	must(err)
	out := string(aead.Seal(nil, []byte(nonce), []byte(plaintext), []byte(ad)))
	again, ok := unsealed(key, nonce, ad, out)
	if !ok {
		panic("a seal does not open")
	}
	agree("seal", plaintext, again)
	return out
}

func unsealed(key, nonce, ad, text string) (plaintext string, ok bool) {
	aead, err := chacha20poly1305.NewX([]byte(key))
	must(err)
	out, err := aead.Open(nil, []byte(nonce), []byte(text), []byte(ad))
	return string(out), err == nil
}

// known keeps what slow functions gave: they are asked the same again and again. It only ever grows, by what the vectors need.
var known sync.Map

// once returns f(), and what it gave before when it was asked with the same arguments.
func once[T any](name string, arguments string, f func() T) T {
	type question struct{ name, arguments string }
	if old, ok := known.Load(question{name, arguments}); ok {
		return old.(T)
	}
	out := f()
	known.Store(question{name, arguments}, out)
	return out
}

// x25519 may be zero: whoever calls it decides about that.
func x25519(private, public string) string {
	return once("x25519", private+public, func() string { return x25519Slow(private, public) })
}

func x25519Slow(private, public string) string {
	out := ladder(private, public)
	key, err := ecdh.X25519().NewPrivateKey([]byte(private))
	must(err)
	other, err := ecdh.X25519().NewPublicKey([]byte(public))
	must(err)
	shared, err := key.ECDH(other)
	if err != nil { // crypto/ecdh gives no zero result
		shared = make([]byte, 32)
	}
	agree("X25519", out, string(shared))
	return out
}

// x25519Public returns the public key of a private one, which is clamped when it is used.
func x25519Public(private string) string { return x25519(private, "\x09"+zeros(31)) }

// ed25519Public returns IK of a seed.
func ed25519Public(seed string) string {
	return once("ed25519", seed, func() string { return ed25519Slow(seed) })
}

func ed25519Slow(seed string) string {
	public := string(ed25519.NewKeyFromSeed([]byte(seed)).Public().(ed25519.PublicKey))
	agree("Ed25519", public, basePoint.times(scalar(seed)).encode())
	return public
}

// sign signs message as it stands: the label is in it.
func sign(seed, message string) string {
	sig := string(ed25519.Sign(ed25519.NewKeyFromSeed([]byte(seed)), []byte(message)))
	if rule := verify(ed25519Public(seed), message, sig); rule != "" {
		panic("a signature of our own breaks " + rule)
	}
	return sig
}

// verify returns the rule that refuses a signature, empty for none.
func verify(key, message, sig string) (rule string) {
	return once("verify", key+sig+message, func() string { return verifySlow(key, message, sig) })
}

func verifySlow(key, message, sig string) (rule string) {
	defer func() {
		if rule != "rv-verify-r" && (rule == "") != ed25519.Verify(ed25519.PublicKey(key), []byte(message), []byte(sig)) {
			panic("crypto/ed25519 judges another way")
		}
	}()
	r, s := sig[:32], fromLittle([]byte(sig[32:]))
	if s.Cmp(order) >= 0 {
		return "rv-verify-s"
	}
	y := fromLittle([]byte(r))
	y.SetBit(y, 255, 0)
	for _, small := range smallPoints {
		if _, its := small.affine(); y.Cmp(its) == 0 {
			return "rv-verify-r"
		}
	}
	a, ok := decodePoint(key)
	if !ok {
		panic("a signature under no key")
	}
	if basePoint.sum(s, a.negate(), challenge(r, key, message)).encode() != r {
		return "rv-verify-equation"
	}
	return ""
}

// kemPublic returns ek of d ‖ z.
func kemPublic(seed string) string {
	return string(kemKey(seed).EncapsulationKey().Bytes())
}

func kemKey(seed string) *mlkem.DecapsulationKey768 {
	dk, err := mlkem.NewDecapsulationKey768([]byte(seed))
	must(err)
	return dk
}

func encapsulate(ek, coins string) (ct, ss string) {
	key, err := mlkem.NewEncapsulationKey768([]byte(ek))
	must(err)
	shared, text, err := mlkemtest.Encapsulate768(key, []byte(coins))
	must(err)
	return string(text), string(shared)
}

func decapsulate(seed, ct string) (ss string) {
	shared, err := kemKey(seed).Decapsulate([]byte(ct))
	must(err)
	return string(shared)
}

// below reports whether 32 little-endian bytes are less than n.
func below(b string, n *big.Int) bool { return fromLittle([]byte(b)).Cmp(n) < 0 }

func sha512sum(b string) string {
	sum := sha512.Sum512([]byte(b))
	return string(sum[:])
}
