package ratchet

import (
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/stretchr/testify/require"
)

// secret returns the 32 bytes that a label stands for.
func secret(label string) [32]byte { return sha256.Sum256([]byte("kith/1 ratchet test " + label)) }

func secrets() *Secrets {
	return &Secrets{RK: secret("RK"), HKI: secret("HK_I"), NHKR: secret("NHK_R"), AD: secret("AD")}
}

// draws is a random reader that never gives the same twice, and counts what was drawn.
type draws struct {
	label string
	n     uint64
	sizes []int
	fail  error // for the next draw
}

func (d *draws) Read(b []byte) (int, error) {
	if d.fail != nil {
		return 0, d.fail
	}
	d.sizes = append(d.sizes, len(b))
	d.n++
	h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(d.label), d.n))
	return copy(b, h[:]), nil
}

var _ io.Reader = (*draws)(nil)

// newPair returns the two ends of a conversation in which nothing was said.
func newPair(t require.TestingT) (alice, bob *State) {
	rk := secret("rk")
	alice, err := NewInitiator(secrets(), publicKey(&rk), &draws{label: "alice"})
	require.NoError(t, err)
	return alice, NewResponder(secrets(), &rk, &draws{label: "bob"})
}

func encrypt(t require.TestingT, s *State, text string) []byte {
	m, err := s.Encrypt(nil, []byte(text))
	require.NoError(t, err)
	return m
}

func decrypt(t require.TestingT, s *State, m []byte) string {
	text, _, err := s.Decrypt(nil, m)
	require.NoError(t, err)
	return string(text)
}
