package ratchet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The three attacks of Cheval, Jacomme and Richards (IEEE S&P 2026) on the ratchet as it is commonly written, and what a thief of a
// state gets.

// sealed returns a message whose header and body are sealed under keys that the attacker has chosen.
func sealed(headerKey, chainKey [32]byte, h header) []byte {
	s := &State{random: &draws{label: "attacker"}, ad: secret("AD"), sendHeader: headerKey, public: h.dh, previous: h.pn}
	s.sending = chain{key: chainKey, n: uint64(h.n)}
	return overrun(s, "forged")
}

// A chain that does not exist is no chain of zeros ("none-ck"): not for who knows nothing, nor for who has stolen the header keys.
func TestNoneIsNoKey(t *testing.T) {
	mine := secret("attacker")
	rk := secret("rk")
	fresh, begun, talking := play(t, ""), play(t, "A sends a0 \n B gets a0"), play(t, "A sends a0 \n B gets a0 \n B sends b0 \n A gets b0")
	for _, s := range []*script{fresh, begun, talking} {
		for name, end := range s.ends {
			for _, headerKey := range [][32]byte{{}, secret("HK_I"), secret("NHK_R"), end.nextRecvHeader, end.newest.header} {
				for _, dh := range [][32]byte{{}, {1}, publicKey(&mine), publicKey(&rk), end.public, end.newest.dh} {
					for _, n := range []uint32{0, 1} {
						m := sealed(headerKey, [32]byte{}, header{dh: dh, n: n})
						text, _, err := end.Decrypt(nil, m) // rt-none
						require.Error(t, err, name)
						require.Nil(t, text)
					}
				}
			}
		}
	}
	fresh.play("A sends a0 \n B gets a0")
	talking.play("B sends b1 \n A gets b1 \n A sends a1 \n B gets a1")

	// With nothing stolen, not even the header opens.
	fresh = play(t, "")
	for name, end := range fresh.ends {
		m := sealed([32]byte{}, [32]byte{}, header{dh: publicKey(&mine)})
		refused(t, end, ErrAuthentication, name, func() ([]byte, error) { m, _, err := end.Decrypt(nil, m); return m, err })
	}
}

// One first message does not begin two sessions: not in the same state, and not in that of another offer, whose ratchet key differs even
// if everything else were the same.
func TestFirstMessageAgain(t *testing.T) {
	s := play(t, `
		A sends a0
		B gets a0
		B refuses replay a0
		B sends b0
		A gets b0
		A sends a1
		B gets a1
		B refuses authentication a0`)
	rk := secret("rk of another offer")
	again := NewResponder(secrets(), &rk, &draws{label: "again"})
	refused(t, again, ErrAuthentication, "again", func() ([]byte, error) { m, _, err := again.Decrypt(nil, s.messages["a0"]); return m, err })
}

// The first ratchet key is a key of its own, and gone after the first step: no later state has it, or anything else that the session began
// with, and none opens what was recorded before.
func TestStateForgetsItsStart(t *testing.T) {
	s := play(t, "A sends a0 a1 a2")
	b, rk, was := s.ends["B"], secret("rk"), secrets()
	require.True(t, holds(b, &rk) && holds(b, &was.RK) && holds(b, &was.NHKR) && holds(b, &was.HKI), "the test can see them")
	s.play("B gets a2")
	require.False(t, holds(b, &rk)) // rt-erase-dh
	require.False(t, holds(b, &was.RK))
	s.play("B gets-late a0 \n B sends b0 \n A gets b0")
	for name, end := range s.ends {
		thief := copyOf(end)
		for _, m := range []string{"a0", "a2", "b0"} {
			_, _, err := thief.Decrypt(nil, s.messages[m])
			require.Error(t, err, "%s, stolen from %s", m, name)
		}
	}
	// One more round, and the first header keys are gone as well.
	s.play("B gets-late a1 \n A sends a3 \n B gets a3 \n B sends b1 \n A gets b1")
	for name, end := range s.ends {
		for _, key := range [][32]byte{rk, was.RK, was.HKI, was.NHKR} {
			require.False(t, holds(end, &key), name)
		}
	}
}

// Who has copied a state reads on until the owner has made a new key and the other side has answered to it.
func TestHealing(t *testing.T) {
	s := play(t, "A sends a0 \n B gets a0 \n B sends b0 \n A gets b0")
	s.ends["thief"] = copyOf(s.ends["B"])
	s.ends["thief"].random = &draws{label: "thief"}
	s.play(`
		A sends a1
		thief gets a1
		B gets a1                      # and makes a new key
		B sends b1
		A gets b1
		A sends a2
		thief refuses authentication a2
		B gets a2`)
}
