package ratchet

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// forge returns the message that from would send next if edit had changed something of it before; from does not change.
func forge(from *State, edit func(s *State)) []byte {
	s := copyOf(from)
	edit(s)
	return overrun(s, "forged")
}

// forward takes keys out of s until its next message has number n.
func forward(s *State, n uint64) {
	for s.sending.n < n {
		s.sending.next()
	}
}

func untouched(*State) {}

// refuses requires that s refuses m, and opens its valid twin after that all the same.
func refuses(t *testing.T, s *State, reason error, m, twin []byte, what string) {
	t.Helper()
	decrypting := func() ([]byte, error) { m, _, err := s.Decrypt(nil, m); return m, err }
	refused(t, s, reason, what, decrypting)
	text, _, err := copyOf(s).Decrypt(nil, twin)
	require.NoError(t, err, what)
	require.Equal(t, "forged", string(text), what)
}

// A receiver in every kind of situation, and who sends to it.
func situations(t *testing.T) map[string]*script {
	return map[string]*script{
		"the first message":    play(t, ``),
		"the first of a chain": play(t, "A sends a0 a1 \n B gets a1 \n B sends b0 \n A gets b0"),
		"in a chain":           play(t, "A sends a0 a1 a2 \n B gets a0 a2"),
	}
}

// Every bit of a message counts.
func TestFlippedBits(t *testing.T) {
	for name, s := range situations(t) {
		a, b := s.ends["A"], s.ends["B"]
		for _, n := range []uint64{0, 3} { // 3: with keys skipped
			m := forge(a, func(s *State) { forward(s, s.sending.n+n) })
			for i := range m {
				bad := append([]byte{}, m...)
				bad[i] ^= 1 << (i % 8)
				refuses(t, b, ErrAuthentication, bad, m, fmt.Sprint(name, " ", i)) // rt-header-seal, rt-body-seal
			}
			for n := Overhead; n < len(m); n++ {
				refuses(t, b, ErrAuthentication, m[:n], m, name)
			}
			refuses(t, b, ErrAuthentication, append(m[:len(m):len(m)], 0), m, name)
		}
	}
	// And of one whose key is kept, of this chain and of an old one.
	s := play(t, "A sends a0 a1 a2 \n B gets a0 a2")
	check := func() {
		for i := range s.messages["a1"] {
			bad := append([]byte{}, s.messages["a1"]...)
			bad[i] ^= 0x80
			s.messages["bad"] = bad
			s.play("B refuses authentication bad")
		}
	}
	check()
	s.play("B sends b0 \n A gets b0 \n A sends c0 \n B gets c0")
	check()
	s.play("B gets-late a1")
}

// What only the other side could have sealed, and that it must not send.
func TestHeaders(t *testing.T) {
	first := play(t, "")
	chain := play(t, "A sends a0 a1 a2 \n B gets a2 \n B gets-late a1")
	step := play(t, "A sends a0 a1 a2 \n B gets a2 \n B gets-late a1 \n B sends b0 \n A gets b0")

	other := secret("another key")
	otherPublic := publicKey(&other)
	dh := func(u [32]byte) func(*State) { return func(s *State) { s.public = u } }
	pn := func(n uint32) func(*State) { return func(s *State) { s.previous = n } }

	for _, tc := range []struct {
		name   string
		in     *script
		reason error
		edit   func(*State)
		twin   func(*State)
	}{
		{"rt-dh-same", chain, ErrMalformed, dh(otherPublic), untouched},
		{"rt-dh-same, bit 255", chain, ErrMalformed, func(s *State) { s.public[31] ^= 0x80 }, untouched},
		{"rt-dh-canonical, bit 255", step, ErrMalformed, func(s *State) { s.public[31] ^= 0x80 }, untouched},
		{"rt-dh-canonical, bit 255 in the first", first, ErrMalformed, func(s *State) { s.public[31] ^= 0x80 }, untouched},
		{"rt-pn in the first", first, ErrMalformed, pn(1), pn(0)},
		{"rt-pn in the first, large", first, ErrMalformed, pn(1 << 31), pn(0)},
		{"rt-pn", step, ErrMalformed, pn(2), pn(3)},
		{"rt-pn, 0", step, ErrMalformed, pn(0), pn(3)},
		{"rt-pn before rt-skip-limit", step, ErrMalformed, func(s *State) { pn(2)(s); forward(s, 1001) }, pn(3)},
		{"rt-skip-limit of the old chain", step, ErrLimit, pn(1004), pn(1003)},
		{"rt-skip-limit of the old chain, at its end", step, ErrLimit, pn(1<<32 - 1), pn(1003)},
		{"rt-skip-limit of the new chain", step, ErrLimit, func(s *State) { forward(s, 1001) }, func(s *State) { forward(s, 1000) }},
		{"rt-skip-limit in the first chain", first, ErrLimit, func(s *State) { forward(s, 1001) }, func(s *State) { forward(s, 1000) }},
		{"rt-skip-limit, at the end", first, ErrLimit, func(s *State) { s.sending.n = 1<<32 - 1 }, untouched},
		{"rt-skip-limit in a chain", chain, ErrLimit, func(s *State) { forward(s, 1004) }, func(s *State) { forward(s, 1003) }},
		{"rt-skip-limit before rt-dh-zero", step, ErrLimit, func(s *State) { s.public = smallOrder[0]; pn(1004)(s) }, untouched},
		{"rt-body-seal", chain, ErrAuthentication, func(s *State) { s.sending.key[0] ^= 1 }, untouched},
		{"rt-body-seal of a new chain", step, ErrAuthentication, func(s *State) { s.sending.key[0] ^= 1 }, untouched},
		{"rt-dh-zero before rt-body-seal", step, ErrMalformed, func(s *State) { s.public = smallOrder[1]; s.sending.key[0] ^= 1 }, untouched},
		{"rt-message-once, gone", chain, ErrReplay, func(s *State) { s.sending.n = 1 }, untouched},
		{"rt-dh-same before rt-message-once", chain, ErrMalformed, func(s *State) { s.public = otherPublic; s.sending.n = 1 }, untouched},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := tc.in.ends["A"], tc.in.ends["B"]
			refuses(t, b, tc.reason, forge(a, tc.edit), forge(a, tc.twin), tc.name)
		})
	}

	for i, u := range smallOrder { // rt-dh-zero
		for _, s := range []*script{first, step} {
			a, b := s.ends["A"], s.ends["B"]
			refuses(t, b, ErrMalformed, forge(a, dh(u)), forge(a, untouched), fmt.Sprint("small order ", i))
		}
	}
	for d := range int64(19) { // rt-dh-canonical
		u := littleEndian(p)
		u[0] += byte(d)
		a, b := step.ends["A"], step.ends["B"]
		refuses(t, b, ErrMalformed, forge(a, dh(u)), forge(a, untouched), fmt.Sprint("p + ", d))
	}
}

// A header of an older chain names the key of that chain.
func TestHeaderOfAnOldChain(t *testing.T) {
	s := play(t, "A sends a0 \n B gets a0")
	before := copyOf(s.ends["A"])
	s.play("A sends a1 \n B sends b0 \n A gets b0 \n A sends c0 \n B gets c0 \n B keeps 1 1")
	b := s.ends["B"]
	other := secret("another key")
	bad := forge(before, func(s *State) { s.public = publicKey(&other) })
	refuses(t, b, ErrMalformed, bad, forge(before, untouched), "rt-dh-same")
	refuses(t, b, ErrReplay, forge(before, func(s *State) { forward(s, 2) }), forge(before, untouched), "number of no message")
	s.play("B gets-late a1 \n B keeps 0 0")
}

func TestStartKey(t *testing.T) { // rt-start-key
	bad := append([][32]byte{littleEndian(p)}, smallOrder...)
	rk := secret("rk")
	public := publicKey(&rk)
	public[31] |= 0x80
	for _, u := range append(bad, public) {
		s, err := NewInitiator(secrets(), u, &draws{})
		require.ErrorIs(t, err, ErrMalformed)
		require.Nil(t, s)
	}
}

// Without randomness nothing is sent and no chain begins; with it again, all goes on.
func TestNoRandomness(t *testing.T) {
	fail := errors.New("none left")
	rk := secret("rk")
	_, err := NewInitiator(secrets(), publicKey(&rk), &draws{fail: fail})
	require.ErrorIs(t, err, fail)

	alice, bob := newPair(t)
	alice.random.(*draws).fail = fail
	refused(t, alice, fail, "encrypt", func() ([]byte, error) { return alice.Encrypt(nil, []byte("text")) })
	alice.random.(*draws).fail = nil
	encrypt(t, alice, "lost")
	m := encrypt(t, alice, "hello")

	bob.random.(*draws).fail = fail
	dst := make([]byte, 3, 100)
	refused(t, bob, fail, "decrypt", func() ([]byte, error) { m, _, err := bob.Decrypt(dst, m); return m, err }) // rt-draw-late
	require.Equal(t, make([]byte, 100), dst[:100], "the text of a message that was not taken stays nowhere")
	bob.random.(*draws).fail = nil
	require.Equal(t, "hello", decrypt(t, bob, m))
	require.Len(t, bob.skipped, 1)
}

// A zero State, and an erased one, are no keys at all.
func TestNoState(t *testing.T) {
	alice, bob := newPair(t)
	m := encrypt(t, alice, "hello")
	require.Equal(t, "hello", decrypt(t, bob, m))
	alice.Erase()
	bob.Erase()
	require.Equal(t, new(State), alice)
	require.Equal(t, new(State), bob)
	for _, s := range []*State{alice, bob, {}} {
		require.False(t, s.CanSend())
		_, err := s.Encrypt(nil, nil)
		require.ErrorIs(t, err, ErrState)
		_, _, err = s.Decrypt(nil, m)
		require.ErrorIs(t, err, ErrState)
	}
}

// Behind the last number there is no other.
func TestLastNumber(t *testing.T) {
	s := play(t, "A sends a0 \n B gets a0")
	a, b := s.ends["A"], s.ends["B"]
	a.sending.n, b.receiving.n = 1<<32-1, 1<<32-1
	s.play("A overruns last over \n B gets last \n B refuses replay over")
}
