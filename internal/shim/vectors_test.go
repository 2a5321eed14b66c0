package shim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/shim"
	"kith/testvectors"
)

// reference asks a new shim.
func reference() testvectors.Ask {
	s := shim.New()
	return func(request []byte) ([]byte, error) { return s.Answer(request), nil }
}

func TestVectors(t *testing.T) {
	require.Equal(t, testvectors.Version, shim.Version)
	vectors, err := testvectors.All()
	require.NoError(t, err)
	r := testvectors.Verify(vectors, reference(), testvectors.Options{Canary: "test"})
	require.NoError(t, r.Contract)
	for _, result := range r.Results {
		if result.Verdict != testvectors.Pass {
			t.Errorf("%s: %s: %s %v", result.Vector.ID, result.Verdict, result.Why, result.Differences)
		}
	}
	for _, op := range r.Unknown {
		t.Logf("no vector asks for %s", op)
	}
	require.Empty(t, r.Vacuous())
}

func BenchmarkVerify(b *testing.B) {
	vectors, err := testvectors.All()
	require.NoError(b, err)
	for b.Loop() {
		testvectors.Verify(vectors, reference(), testvectors.Options{})
	}
}
