package handshake

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// pair returns the pair of two names, as the first sees it.
func pair(t testing.TB, own, friend string) *Pair {
	t.Helper()
	p, err := NewPair(person(t, own), person(t, friend).PublicKey())
	require.NoError(t, err)
	return p
}

// mac is HMAC-SHA-256 of the parts.
func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// Every key of a pair, from the standard library and RFC 5869's formulas. rv-pair-keys
func TestPairKeys(t *testing.T) {
	alice, bob := person(t, "alice"), person(t, "bob")
	p := pair(t, "alice", "bob")
	require.Equal(t, alice, p.Identity())
	require.Equal(t, bob.PublicKey(), p.Friend())

	private, err := ecdh.X25519().NewPrivateKey(alice.dh[:])
	require.NoError(t, err)
	x, err := bob.PublicKey().X25519()
	require.NoError(t, err)
	public, err := ecdh.X25519().NewPublicKey(x[:])
	require.NoError(t, err)
	s, err := private.ECDH(public)
	require.NoError(t, err)
	prk := mac([]byte("kith/1 pair\x00"), s)
	require.Equal(t, prk, p.prk[:])

	a, b := alice.PublicKey(), bob.PublicKey()
	expand := func(label Label, from, to PublicKey, epoch uint64) []byte {
		return mac(prk, []byte("kith/1 "+label+"\x00"), from[:], to[:], binary.BigEndian.AppendUint64(nil, epoch), []byte{1})
	}
	for label, n := range map[Label]int{
		LabelSlot4: 32, LabelSlot6: 32, LabelRecord: 32, LabelTag: 16, LabelEnvelope: 32, LabelAuth: 32,
	} {
		for _, epoch := range []uint64{0, 83333, 1<<64 - 1} {
			got, err := p.Key(label, Own, epoch)
			require.NoError(t, err)
			require.Equal(t, expand(label, a, b, epoch)[:n], got)
			got, err = p.Key(label, Friend, epoch)
			require.NoError(t, err)
			require.Equal(t, expand(label, b, a, epoch)[:n], got)
		}
	}
	tag, key := p.Tag(Friend, 7), p.EnvelopeKey(Friend, 7)
	require.Equal(t, expand(LabelTag, b, a, 7)[:16], tag[:])
	require.Equal(t, expand(LabelEnvelope, b, a, 7), key[:])
	lo, hi := a, b
	if lo.Compare(hi) > 0 {
		lo, hi = hi, lo
	}
	for _, from := range []Side{Own, Friend} {
		got, err := p.Key(LabelPhase, from, 0)
		require.NoError(t, err)
		require.Equal(t, expand(LabelPhase, lo, hi, 0)[:4], got)
		require.Equal(t, int(binary.BigEndian.Uint32(got)%21600), p.Phase())
	}
	for _, label := range []Label{"", "slot", "Tag", "pair"} {
		_, err := p.Key(label, Own, 0)
		wantRefused(t, err, ErrMalformed, "is none of a pair's")
	}
}

// The two sides have the same keys, each with the other's direction.
func TestPairAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32)
		a, err := NewIdentity(seed.Draw(t, "a"))
		require.NoError(t, err)
		b, err := NewIdentity(seed.Draw(t, "b"))
		require.NoError(t, err)
		ab, err := NewPair(a, b.PublicKey())
		if a.PublicKey() == b.PublicKey() {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.NoError(t, err)
		ba, err := NewPair(b, a.PublicKey())
		require.NoError(t, err)
		epoch := rapid.Uint64().Draw(t, "epoch")
		label := rapid.SampledFrom([]Label{LabelSlot4, LabelSlot6, LabelRecord, LabelTag, LabelEnvelope, LabelAuth}).Draw(t, "label")
		require.Equal(t, ab.key(label, Own, epoch), ba.key(label, Friend, epoch))
		require.Equal(t, ab.key(label, Friend, epoch), ba.key(label, Own, epoch))
		require.NotEqual(t, ab.key(label, Own, epoch), ab.key(label, Friend, epoch))
		require.Equal(t, ab.Phase(), ba.Phase())
		require.Equal(t, ab.Slot(Own, IPv6, epoch), ba.Slot(Friend, IPv6, epoch))
	})
}

func TestNewPairRefusesKeysThatNobodyHas(t *testing.T) {
	id := person(t, "alice")
	for _, small := range torsion(t) {
		_, err := NewPair(id, PublicKey(small.Bytes()))
		wantRefused(t, err, ErrMalformed, "small order")
		_, err = PublicKey(small.Bytes()).X25519()
		wantRefused(t, err, ErrMalformed, "small order")
	}
	_, err := NewPair(id, id.PublicKey())
	wantRefused(t, err, ErrMalformed, "one's own")
}

func TestErasePair(t *testing.T) {
	p := pair(t, "alice", "bob")
	p.Erase()
	require.Zero(t, p.prk)
	require.Nil(t, p.Identity())
}

// rv-epoch-current, rv-epoch-live, rv-epoch-other
func TestEpochs(t *testing.T) {
	p := pair(t, "alice", "bob")
	start := int64(83333*EpochLength - p.Phase())
	for _, c := range []struct {
		into int64
		want []uint64
	}{
		{-3601, []uint64{83332}},
		{-3600, []uint64{83332, 83333}},
		{-1, []uint64{83332, 83333}},
		{0, []uint64{83333, 83332}},
		{3599, []uint64{83333, 83332}},
		{3600, []uint64{83333}},
		{10000, []uint64{83333}},
		{17999, []uint64{83333}},
		{18000, []uint64{83333, 83334}},
		{21599, []uint64{83333, 83334}},
		{21600, []uint64{83334, 83333}},
	} {
		for _, ns := range []int64{0, 999_999_999} {
			now := time.Unix(start+c.into, ns)
			require.Equal(t, c.want, p.Live(now), "%d s into the epoch", c.into)
			require.Equal(t, c.want[0], p.Epoch(now))
		}
	}
}

func TestEpochsBeforeTheFirst(t *testing.T) {
	p := pair(t, "alice", "bob")
	p.phase = 100
	require.Equal(t, []uint64{0}, p.Live(time.Unix(0, 0)))
	require.Equal(t, []uint64{0}, p.Live(time.Unix(-1e10, 0)))
	require.Equal(t, []uint64{0, 1}, p.Live(time.Unix(18000-100, 0)))
	require.Equal(t, []uint64{1, 0}, p.Live(time.Unix(21600-100, 0)))
}

// Of two clocks that differ by at most an hour, what one uses the other accepts.
func TestClocksWithinAnHourMeet(t *testing.T) {
	p := pair(t, "alice", "bob")
	rapid.Check(t, func(t *rapid.T) {
		p.phase = rapid.Uint64Range(0, EpochLength-1).Draw(t, "phase")
		now := rapid.Int64Range(0, 4e9).Draw(t, "now")
		apart := rapid.Int64Range(-EpochSlack, EpochSlack).Draw(t, "apart")
		require.True(t, slices.Contains(p.Live(time.Unix(now, 0)), p.Epoch(time.Unix(max(0, now+apart), 0))))
	})
}

func ExamplePair() {
	alice, err := NewIdentity(make([]byte, SeedSize))
	if err != nil {
		panic(err)
	}
	seed := secret("bob")
	bob, err := NewIdentity(seed[:])
	if err != nil {
		panic(err)
	}
	hers, err := NewPair(alice, bob.PublicKey())
	if err != nil {
		panic(err)
	}
	his, err := NewPair(bob, alice.PublicKey())
	if err != nil {
		panic(err)
	}
	now := time.Unix(1_800_000_000, 0)
	epoch := hers.Epoch(now)
	fmt.Println(epoch == his.Epoch(now))
	fmt.Println(hers.Tag(Own, epoch) == his.Tag(Friend, epoch))
	fmt.Println(hers.Slot(Own, IPv4, epoch).Target == his.Slot(Friend, IPv4, epoch).Target)
	// Output:
	// true
	// true
	// true
}

func BenchmarkTag(b *testing.B) {
	p := pair(b, "alice", "bob")
	b.ReportAllocs()
	for b.Loop() {
		p.Tag(Friend, 83333)
	}
}

func BenchmarkNewPair(b *testing.B) {
	id, friend := person(b, "alice"), person(b, "bob").PublicKey()
	for b.Loop() {
		_, err := NewPair(id, friend)
		require.NoError(b, err)
	}
}
