package handshake

import (
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The standard library gives the same keys, ciphertexts and secrets from the same bytes, for right ciphertexts and for others.
func TestKEMOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := [KEMSeedSize]byte(rapid.SliceOfN(rapid.Byte(), KEMSeedSize, KEMSeedSize).Draw(t, "seed"))
		coins := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "coins"))
		key := NewDecapsulationKey(&seed)
		oracle, err := mlkem.NewDecapsulationKey768(seed[:])
		require.NoError(t, err)
		b := key.AppendEncapsulationKey(nil)
		require.Equal(t, oracle.EncapsulationKey().Bytes(), b)

		ek, err := ParseEncapsulationKey(b)
		require.NoError(t, err)
		var ct [CiphertextSize]byte
		var sent, got [32]byte
		ek.Encapsulate(&ct, &sent, &coins)
		wantSecret, wantCiphertext, err := mlkemtest.Encapsulate768(oracle.EncapsulationKey(), coins[:])
		require.NoError(t, err)
		require.Equal(t, wantCiphertext, ct[:])
		require.Equal(t, wantSecret, sent[:])
		key.Decapsulate(&got, &ct)
		require.Equal(t, sent, got)

		ct[rapid.IntRange(0, len(ct)-1).Draw(t, "place")] ^= 1
		key.Decapsulate(&got, &ct)
		require.NotEqual(t, sent, got)
		rejected, err := oracle.Decapsulate(ct[:])
		require.NoError(t, err)
		require.Equal(t, rejected, got[:])
	})
}

// FIPS 203, section 7.2: each number of 12 bits is below 3,329, wherever it stands. hs-offer-ek
func TestEncapsulationKeyCheck(t *testing.T) {
	seed := [KEMSeedSize]byte{1}
	good := NewDecapsulationKey(&seed).AppendEncapsulationKey(nil)
	set := func(b []byte, i, v int) {
		if p := b[i/2*3:]; i%2 == 0 {
			p[0], p[1] = byte(v), p[1]&0xf0|byte(v>>8)
		} else {
			p[1], p[2] = p[1]&0x0f|byte(v<<4), byte(v>>4)
		}
	}
	for i := range 768 {
		b := append([]byte(nil), good...)
		for v, ok := range map[int]bool{0: true, 3328: true, 3329: false, 4095: false} {
			set(b, i, v)
			_, err := ParseEncapsulationKey(b)
			_, oracle := mlkem.NewEncapsulationKey768(b)
			require.Equal(t, ok, err == nil)
			require.Equal(t, ok, oracle == nil)
		}
	}
	for n := range good {
		_, err := ParseEncapsulationKey(good[:n])
		wantRefused(t, err, ErrMalformed, "encapsulation key")
	}
	_, err := ParseEncapsulationKey(append(good, 0))
	wantRefused(t, err, ErrMalformed, "encapsulation key")
}

func TestEraseDecapsulationKey(t *testing.T) {
	seed := [KEMSeedSize]byte{1}
	k := NewDecapsulationKey(&seed)
	private := k.private
	k.Erase()
	require.Zero(t, *private)
	require.Zero(t, *k)
	k.Erase()
}

func FuzzParseEncapsulationKey(f *testing.F) {
	seed := [KEMSeedSize]byte{1}
	f.Add(NewDecapsulationKey(&seed).AppendEncapsulationKey(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseEncapsulationKey(b)
		_, oracle := mlkem.NewEncapsulationKey768(b)
		require.Equal(t, oracle == nil, err == nil)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		packed := make([]byte, EncapsulationKeySize)
		k.key.Pack(packed)
		require.Equal(t, b, packed)
	})
}
