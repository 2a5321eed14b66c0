package bench

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/curve25519"
)

// The module with the vectors, of the version with which crypto/ed25519 is tested. It is a program of 2021 that does not compile any more,
// so go.mod cannot have it, and its hash stands here.
const (
	edgeCases    = "filippo.io/mostly-harmless/ed25519vectors@v0.0.0-20210322192420-30a2d7243a94"
	edgeCasesSum = "h1:oHn3iEYQCHVcHLEqtzCSizBZcnOSFk61oo8tKsbNrqI="
)

// An edgeCase is a signature over points that libraries treat in different ways: all combinations of small order, parts of small order
// and encodings of small order that are not canonical. It always satisfies the equation with a cofactor.
type edgeCase struct {
	A, R, S hexBytes
	M       string
	Flags   []string
}

func readEdgeCases(t *testing.T) (all []edgeCase) {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", edgeCases).Output()
	require.NoError(t, err, "%s", out)
	var m struct{ Dir, Sum string }
	require.NoError(t, json.Unmarshal(out, &m))
	require.Equal(t, edgeCasesSum, m.Sum)
	b, err := os.ReadFile(filepath.Join(m.Dir, "ed25519vectors.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &all))
	require.Len(t, all, 768)
	return all
}

// first returns the first of the flags that the case has, or "".
func (c *edgeCase) first(flags ...string) string {
	if i := slices.IndexFunc(flags, func(f string) bool { return slices.Contains(c.Flags, f) }); i >= 0 {
		return flags[i]
	}
	return ""
}

// What each flag means to us, and where we are stricter than the standard library. That refuses, as ref10 does, an R that is not canonical
// and a residue of small order, and takes everything else.
func TestEd25519EdgeCases(t *testing.T) {
	reasons := map[string]error{
		"NonCanonicalA":   curve25519.ErrSignatureKey,
		"LowOrderA":       curve25519.ErrSignatureKey,
		"LowOrderR":       curve25519.ErrSignatureR,
		"LowOrderResidue": curve25519.ErrSignature,
	}
	judged, stricter := map[string]int{}, map[string]int{}
	for i, c := range readEdgeCases(t) {
		flag := c.first("NonCanonicalA", "LowOrderA", "NonCanonicalR", "LowOrderR", "LowOrderResidue")
		judged[flag]++
		err := curve25519.Verify(c.A, []byte(c.M), slices.Concat(c.R, c.S))
		switch flag {
		case "": // a part of small order that cancels out, or none
			require.NoError(t, err, "%d: %v", i, c.Flags)
		case "NonCanonicalR": // −0 is small by its y; p and p + 1 are equal to no canonical encoding
			require.Error(t, err, "%d: %v", i, c.Flags)
		default:
			require.ErrorIs(t, err, reasons[flag], "%d: %v", i, c.Flags)
		}
		classic := ed25519.Verify([]byte(c.A), []byte(c.M), slices.Concat(c.R, c.S))
		require.Equal(t, c.first("NonCanonicalR", "LowOrderResidue") == "", classic, "%d: %v", i, c.Flags)
		switch {
		case classic && err != nil:
			stricter[flag]++
		case err == nil:
			require.True(t, classic, "%d: %v", i, c.Flags)
		}
	}
	t.Logf("by the first flag that we refuse: %v; of these the standard library takes %v", judged, stricter)
	require.Equal(t, map[string]int{"NonCanonicalA": 168, "LowOrderA": 300, "NonCanonicalR": 88, "LowOrderR": 106, "LowOrderResidue": 63, "": 43}, judged)
	require.Equal(t, map[string]int{"NonCanonicalA": 26, "LowOrderA": 86, "LowOrderR": 43}, stricter)
}

// Whose signatures would count if they were right: contacts.
func TestEd25519EdgeCasesAsContacts(t *testing.T) {
	reasons := map[string]error{"LowOrderA": curve25519.ErrSmallOrder, "LowOrderComponentA": curve25519.ErrSubgroup}
	judged := map[string]int{}
	for i, c := range readEdgeCases(t) {
		flag := c.first("NonCanonicalA", "LowOrderA", "LowOrderComponentA")
		judged[flag]++
		_, err := curve25519.Montgomery((*[32]byte)(c.A))
		switch flag {
		case "":
			require.NoError(t, err, "%d: %v", i, c.Flags)
		case "NonCanonicalA": // p and p + 1 are not canonical, and what has −0 as x has a small order
			if err != curve25519.ErrSmallOrder {
				require.ErrorIs(t, err, curve25519.ErrNotCanonical, "%d: %v", i, c.Flags)
			}
		default:
			require.ErrorIs(t, err, reasons[flag], "%d: %v", i, c.Flags)
		}
	}
	t.Logf("by the first flag for which nobody can be a contact: %v", judged)
	require.Equal(t, map[string]int{"NonCanonicalA": 168, "LowOrderA": 300, "LowOrderComponentA": 278, "": 22}, judged)
}
