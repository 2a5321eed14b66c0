package bench

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"kith/handshake"
	"kith/internal/curve25519"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// A case of Wycheproof, with the fields of all the files that are read here.
type wycheproofCase struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string // valid, invalid or acceptable

	Public, Private, Shared hexBytes // X25519
	Msg, Sig                hexBytes // Ed25519, and the AEADs' plaintext
	Key, IV, AAD, CT, Tag   hexBytes
	IKM, Salt, Info, OKM    hexBytes
	Size                    int
	Seed, EK, C, K, M       hexBytes // ML-KEM
}

type wycheproofGroup struct {
	PublicKey struct{ PK hexBytes }
	TagSize   int
	Tests     []wycheproofCase
}

// readWycheproof returns all groups of one file, and checks that it holds as many cases as it says.
func readWycheproof(t *testing.T, name string) []wycheproofGroup {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	require.NoError(t, err)
	var file struct {
		NumberOfTests int
		TestGroups    []wycheproofGroup
	}
	require.NoError(t, json.Unmarshal(b, &file))
	n := 0
	for _, g := range file.TestGroups {
		n += len(g.Tests)
	}
	require.Equal(t, file.NumberOfTests, n)
	require.NotZero(t, n)
	return file.TestGroups
}

// judge compares an outcome with Wycheproof's for each case of a file. Where our rule is stricter than "valid" or "acceptable" asks, the case's flag stands in stricter; whatever is
// refused for another reason, or accepted though it is invalid, is a failure. It returns how many were refused by flag.
func judge(t *testing.T, file string, stricter []string, accepted func(g wycheproofGroup, c wycheproofCase) bool) map[string]int {
	refused := map[string]int{}
	n := 0
	for _, g := range readWycheproof(t, file) {
		for _, c := range g.Tests {
			n++
			ok := accepted(g, c)
			switch {
			case c.Result == "invalid":
				require.False(t, ok, "%s %d: %s %v", file, c.ID, c.Comment, c.Flags)
			case ok:
			default:
				i := slices.IndexFunc(stricter, func(f string) bool { return slices.Contains(c.Flags, f) })
				require.GreaterOrEqual(t, i, 0, "%s %d: %s %v is refused", file, c.ID, c.Comment, c.Flags)
				refused[stricter[i]]++
			}
		}
	}
	t.Logf("%s: %d cases; refused beyond Wycheproof: %v", file, n, refused)
	return refused
}

// Our rule refuses what is not canonical and what gives zero. Wycheproof calls both acceptable.
func TestWycheproofX25519(t *testing.T) {
	refused := judge(t, "x25519_test.json", []string{"ZeroSharedSecret", "NonCanonicalPublic"}, func(_ wycheproofGroup, c wycheproofCase) bool {
		var shared [32]byte
		err := handshake.X25519(&shared, (*[32]byte)(c.Private), (*[32]byte)(c.Public))
		if err != nil {
			require.ErrorIs(t, err, handshake.ErrMalformed)
			require.Zero(t, shared)
			return false
		}
		require.Equal(t, []byte(c.Shared), shared[:], c.ID)
		return true
	})
	require.Equal(t, map[string]int{"ZeroSharedSecret": 31, "NonCanonicalPublic": 13}, refused)
}

// Our rule refuses keys and R of small order besides; Wycheproof has none that is valid.
func TestWycheproofEd25519(t *testing.T) {
	refused := judge(t, "ed25519_test.json", nil, func(g wycheproofGroup, c wycheproofCase) bool {
		k := g.PublicKey.PK
		_, err := curve25519.Montgomery((*[32]byte)(k))
		require.NoError(t, err, "%x could be a contact", k)
		return curve25519.Verify(k, c.Msg, c.Sig) == nil
	})
	require.Empty(t, refused)
}

func TestWycheproofChaCha20Poly1305(t *testing.T) {
	for _, f := range []struct {
		name string
		size int
		new  func([]byte) (cipher.AEAD, error)
	}{
		{"chacha20_poly1305_test.json", chacha20poly1305.NonceSize, chacha20poly1305.New},
		{"xchacha20_poly1305_test.json", chacha20poly1305.NonceSizeX, chacha20poly1305.NewX},
	} {
		judge(t, f.name, nil, func(_ wycheproofGroup, c wycheproofCase) bool {
			if len(c.IV) != f.size {
				require.Equal(t, "invalid", c.Result)
				return false // every nonce of ours has its size by its type
			}
			a, err := f.new(c.Key)
			require.NoError(t, err)
			plain, err := a.Open(nil, c.IV, slices.Concat(c.CT, c.Tag), c.AAD)
			if err != nil {
				return false
			}
			require.True(t, bytes.Equal(c.Msg, plain), c.ID)
			require.Equal(t, []byte(slices.Concat(c.CT, c.Tag)), a.Seal(nil, c.IV, c.Msg, c.AAD), c.ID)
			return true
		})
	}
}

func TestWycheproofHKDF(t *testing.T) {
	judge(t, "hkdf_sha256_test.json", nil, func(_ wycheproofGroup, c wycheproofCase) bool {
		okm, err := hkdf.Key(sha256.New, c.IKM, c.Salt, string(c.Info), c.Size)
		return err == nil && bytes.Equal(okm, c.OKM)
	})
}

func TestWycheproofHMAC(t *testing.T) {
	judge(t, "hmac_sha256_test.json", nil, func(g wycheproofGroup, c wycheproofCase) bool {
		mac := hmac.New(sha256.New, c.Key)
		mac.Write(c.Msg)
		return hmac.Equal(mac.Sum(nil)[:g.TagSize/8], c.Tag)
	})
}

func TestWycheproofMLKEM768(t *testing.T) {
	judge(t, "mlkem_768_test.json", nil, func(_ wycheproofGroup, c wycheproofCase) bool {
		if len(c.Seed) != handshake.KEMSeedSize || len(c.C) != handshake.CiphertextSize {
			return false // by their types
		}
		dk := handshake.NewDecapsulationKey((*[handshake.KEMSeedSize]byte)(c.Seed))
		var ss [32]byte
		dk.Decapsulate(&ss, (*[handshake.CiphertextSize]byte)(c.C))
		return bytes.Equal(c.EK, dk.AppendEncapsulationKey(nil)) && bytes.Equal(c.K, ss[:])
	})
	judge(t, "mlkem_768_encaps_test.json", nil, func(_ wycheproofGroup, c wycheproofCase) bool {
		ek, err := handshake.ParseEncapsulationKey(c.EK)
		if err != nil {
			require.ErrorIs(t, err, handshake.ErrMalformed)
			return false
		}
		var ct [handshake.CiphertextSize]byte
		var ss [32]byte
		ek.Encapsulate(&ct, &ss, (*[32]byte)(c.M))
		return bytes.Equal(c.C, ct[:]) && bytes.Equal(c.K, ss[:])
	})
	judge(t, "mlkem_768_keygen_seed_test.json", nil, func(_ wycheproofGroup, c wycheproofCase) bool {
		return bytes.Equal(c.EK, handshake.NewDecapsulationKey((*[handshake.KEMSeedSize]byte)(c.Seed)).AppendEncapsulationKey(nil))
	})
}
