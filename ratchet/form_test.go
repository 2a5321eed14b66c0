package ratchet

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
)

// The formulas of spec/ratchet.md a second time, with the standard library, and as far as no message is lost.

func expand(t *testing.T, salt, ikm []byte, info string, n int) []byte {
	out, err := hkdf.Key(sha256.New, ikm, salt, info, n)
	require.NoError(t, err)
	return out
}

func shared(t *testing.T, private, public []byte) []byte {
	a, err := ecdh.X25519().NewPrivateKey(private)
	require.NoError(t, err)
	b, err := ecdh.X25519().NewPublicKey(public)
	require.NoError(t, err)
	out, err := a.ECDH(b)
	require.NoError(t, err)
	return out
}

func public(t *testing.T, private []byte) []byte {
	a, err := ecdh.X25519().NewPrivateKey(private)
	require.NoError(t, err)
	return a.PublicKey().Bytes()
}

func tagged(key []byte, tag byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte{tag})
	return h.Sum(nil)
}

// message returns what is sent under these keys, and the next chain key.
func message(t *testing.T, hk, ck, ad, dh []byte, pn, n uint32, nonce []byte, text string) (m, next []byte) {
	x, err := chacha20poly1305.NewX(hk)
	require.NoError(t, err)
	h := slices.Concat(dh, binary.BigEndian.AppendUint32(nil, pn), binary.BigEndian.AppendUint32(nil, n))
	m = x.Seal(slices.Clone(nonce), nonce, h, ad)
	body := expand(t, make([]byte, 32), tagged(ck, 1), "kith/1 message\x00", 44)
	c, err := chacha20poly1305.New(body[:32])
	require.NoError(t, err)
	return c.Seal(m, body[32:], []byte(text), slices.Concat(ad, m)), tagged(ck, 2)
}

func TestMessageForm(t *testing.T) { // rt-start, rt-send-form
	alice, bob := newPair(t)
	s, rk := secrets(), secret("rk")
	drawn := map[string]*draws{"alice": {label: "alice"}, "bob": {label: "bob"}}
	draw := func(who string, n int) []byte {
		b := make([]byte, n)
		_, err := io.ReadFull(drawn[who], b)
		require.NoError(t, err)
		return b
	}
	root := func(rk, dh []byte) (nextRK, ck, nhk []byte) {
		out := expand(t, rk, dh, "kith/1 root\x00", 96)
		return out[:32], out[32:64], out[64:]
	}

	a := draw("alice", 32)
	RK, ck, nhkA := root(s.RK[:], shared(t, a, public(t, rk[:])))
	want, ck := message(t, s.HKI[:], ck, s.AD[:], public(t, a), 0, 0, draw("alice", 24), "first")
	require.Equal(t, want, encrypt(t, alice, "first"))
	require.Equal(t, "first", decrypt(t, bob, want))
	want, _ = message(t, s.HKI[:], ck, s.AD[:], public(t, a), 0, 1, draw("alice", 24), "second")
	require.Equal(t, want, encrypt(t, alice, "second"))

	b := draw("bob", 32) // when the first was opened
	RK, ck, nhkB := root(RK, shared(t, b, public(t, a)))
	want, _ = message(t, s.NHKR[:], ck, s.AD[:], public(t, b), 0, 0, draw("bob", 24), "answer")
	require.Equal(t, want, encrypt(t, bob, "answer"))
	require.Equal(t, "answer", decrypt(t, alice, want))

	a2 := draw("alice", 32)
	RK, ck, _ = root(RK, shared(t, a2, public(t, b)))
	want, _ = message(t, nhkA, ck, s.AD[:], public(t, a2), 2, 0, draw("alice", 24), "third")
	require.Equal(t, want, encrypt(t, alice, "third"))
	require.Equal(t, "third", decrypt(t, bob, want))

	b2 := draw("bob", 32)
	_, ck, _ = root(RK, shared(t, b2, public(t, a2)))
	want, _ = message(t, nhkB, ck, s.AD[:], public(t, b2), 1, 0, draw("bob", 24), "fourth")
	require.Equal(t, want, encrypt(t, bob, "fourth"))
	require.Equal(t, "fourth", decrypt(t, alice, want))
}

// What Encrypt and Decrypt return stands behind what was there.
func TestAppending(t *testing.T) {
	alice, bob := newPair(t)
	for _, room := range []int{0, 2000} {
		m, err := alice.Encrypt(append(make([]byte, 0, room), "before"...), []byte("text"))
		require.NoError(t, err)
		require.Equal(t, "before", string(m[:6]))
		text, _, err := bob.Decrypt(append(make([]byte, 0, room), "before"...), m[6:])
		require.NoError(t, err)
		require.Equal(t, "beforetext", string(text))
	}
}

// A reader may give less than it is asked for.
func TestShortReads(t *testing.T) {
	rk, b := secret("rk"), secret("draw")
	whole, err := NewInitiator(secrets(), publicKey(&rk), bytes.NewReader(b[:]))
	require.NoError(t, err)
	half, err := NewInitiator(secrets(), publicKey(&rk), iotest.HalfReader(bytes.NewReader(b[:])))
	require.NoError(t, err)
	require.Equal(t, whole.Snapshot(), half.Snapshot())
}

// Every bit of a state counts in its snapshot.
func TestSnapshotSeesAll(t *testing.T) {
	s := play(t, `
		A sends a0 a1 a2
		B gets a2
		B sends b0
		A gets b0
		A sends a3 a4
		B gets a4`).ends["B"]
	seen := map[[32]byte]string{s.Snapshot(): "as it is"}
	leaves := 0
	var visit func(v reflect.Value, path string)
	visit = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
			return
		case reflect.Array, reflect.Slice:
			for i := range v.Len() {
				visit(v.Index(i), path+"[]")
			}
			return
		case reflect.Interface:
			return // the reader of draws
		}
		v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // may be set, though it has no exported name
		was := reflect.ValueOf(v.Interface())
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			v.SetUint(v.Uint() ^ 1)
		}
		require.NotContains(t, seen, s.Snapshot(), path)
		seen[s.Snapshot()] = path
		v.Set(was)
		leaves++
	}
	visit(reflect.ValueOf(s).Elem(), "State")
	require.Greater(t, leaves, 32*20)
	s.skipped = s.skipped[:len(s.skipped)-1]
	require.NotContains(t, seen, s.Snapshot())
	s.random = nil
	require.NotContains(t, seen, s.Snapshot())
}
