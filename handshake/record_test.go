package handshake

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"kith/wire"
)

const recordSeconds = 1_800_000_000

var recordTime = time.Unix(recordSeconds, 0)

// draws returns a reader of the bytes, and nothing behind them.
func draws(b ...[]byte) *bytes.Reader { return bytes.NewReader(slices.Concat(b...)) }

// slots returns the slot in which alice publishes for bob, as each of the two sees it.
func slots(t testing.TB) (alices, bobs *Slot) {
	t.Helper()
	return pair(t, "alice", "bob").Slot(Own, IPv4, 83333), pair(t, "bob", "alice").Slot(Friend, IPv4, 83333)
}

// signed returns an item of a slot with any seq and value.
func signed(s *Slot, seq int64, value []byte) Item {
	i := Item{Key: s.Key, Seq: seq, Value: value}
	copy(i.Sig[:], ed25519.Sign(ed25519.PrivateKey(s.signing), wire.AppendSigned(nil, nil, seq, value)))
	return i
}

// sealed returns an item of a slot with any plaintext.
func sealed(s *Slot, seq int64, plaintext []byte) Item {
	aead, err := chacha20poly1305.NewX(s.seal[:])
	if err != nil {
		panic(err)
	}
	nonce := make([]byte, 24)
	b := aead.Seal(nonce, nonce, plaintext, slices.Concat(s.Key[:], binary.BigEndian.AppendUint64(nil, uint64(seq))))
	return signed(s, seq, wire.AppendString(nil, b))
}

// plain returns the plaintext of a record.
func plain(version byte, seconds uint64, fields []byte) []byte {
	b := append([]byte{version}, binary.BigEndian.AppendUint64(nil, seconds)...)
	b = append(b, fields...)
	return append(b, make([]byte, 472-len(b))...)
}

// rv-slot
func TestSlot(t *testing.T) {
	p := pair(t, "alice", "bob")
	for family, label := range map[Family]Label{IPv4: LabelSlot4, IPv6: LabelSlot6} {
		s := p.Slot(Own, family, 83333)
		key := ed25519.NewKeyFromSeed(p.key(label, Own, 83333))
		require.Equal(t, []byte(key[32:]), s.Key[:])
		require.Equal(t, wire.MutableTarget(key[32:], nil), s.Target)
		require.Equal(t, p.key(LabelRecord, Own, 83333), s.seal[:])
	}
	require.NotEqual(t, p.Slot(Own, IPv4, 1).Key, p.Slot(Own, IPv6, 1).Key)
	require.NotEqual(t, p.Slot(Own, IPv4, 1).Key, p.Slot(Friend, IPv4, 1).Key)
	s := p.Slot(Own, IPv4, 1)
	s.Erase()
	require.Zero(t, s.seal)
	require.Equal(t, make([]byte, 64), []byte(s.signing))
}

// The record, computed a second time. rv-record-form, rv-record-draws
func TestSealRecord(t *testing.T) {
	alices, bobs := slots(t)
	nonce := bytes.Repeat([]byte{7}, 24)
	seq := int64(recordSeconds*1000 + 123)
	i, err := alices.Seal(draws(nonce), seq, eight[:2])
	require.NoError(t, err)
	require.Len(t, i.Value, 516)
	require.Equal(t, "512:", string(i.Value[:4]))
	require.Equal(t, nonce, i.Value[4:28])
	require.NoError(t, wire.CheckBencode(i.Value))
	require.True(t, ed25519.Verify(i.Key[:], wire.AppendSigned(nil, nil, seq, i.Value), i.Sig[:]))

	aead, err := chacha20poly1305.NewX(alices.seal[:])
	require.NoError(t, err)
	plaintext, err := aead.Open(nil, nonce, i.Value[28:], slices.Concat(alices.Key[:], binary.BigEndian.AppendUint64(nil, uint64(seq))))
	require.NoError(t, err)
	require.Equal(t, plain(1, recordSeconds, unhex(t, "01 001a 04 c0000201 1ae1 06 20010db8000000000000000000000001 1ae1")), plaintext)

	r, err := bobs.Open(recordTime, 0, i)
	require.NoError(t, err)
	require.Equal(t, Record{seq, recordSeconds, eight[:2]}, r)
	require.NoError(t, alices.Check(i))
}

func TestSealRecordRefuses(t *testing.T) {
	alices, _ := slots(t)
	rand := draws(make([]byte, 24))
	_, err := alices.Seal(rand, 1, append(slices.Clone(eight), eight[0]))
	wantRefused(t, err, ErrLimit, "9 endpoints")
	_, err = alices.Seal(rand, 1, addrs("0.0.0.0:1"))
	wantRefused(t, err, ErrMalformed, "nobody has")
	require.Equal(t, 24, rand.Len(), "nothing was drawn")
	_, err = alices.Seal(draws(make([]byte, 23)), 1, nil)
	require.Error(t, err)
}

// Each item breaks one rule and keeps all before it.
func TestOpenRecordRefuses(t *testing.T) {
	alices, bobs := slots(t)
	seq := int64(recordSeconds*1000 + 123)
	good, err := alices.Seal(draws(make([]byte, 24)), seq, eight)
	require.NoError(t, err)
	highest := seq
	change := func(f func(*Item)) Item {
		i := good
		i.Value = bytes.Clone(i.Value)
		f(&i)
		return i
	}
	resign := func(f func(*Item)) Item {
		i := change(f)
		return signed(alices, i.Seq, i.Value)
	}
	other := pair(t, "alice", "carol").Slot(Own, IPv4, 83333)
	foreign, err := other.Seal(draws(make([]byte, 24)), seq, eight)
	require.NoError(t, err)
	for _, c := range []struct {
		rule  string
		item  Item
		class error
		words string
	}{
		{"rv-record-key", foreign, ErrAuthentication, "another key"},
		{"rv-record-signature", change(func(i *Item) { i.Sig[0] ^= 1 }), ErrAuthentication, "signature does not verify"},
		{"rv-record-signature", change(func(i *Item) { i.Sig[63] |= 0x80 }), ErrAuthentication, "signature does not verify"},
		{"rv-record-signature", change(func(i *Item) { i.Seq++ }), ErrAuthentication, "signature does not verify"},
		{"rv-record-signature", change(func(i *Item) { i.Value[4] ^= 1 }), ErrAuthentication, "signature does not verify"},
		{"rv-record-lower", resign(func(i *Item) { i.Seq-- }), ErrReplay, "was had"},
		{"rv-record-lower", signed(alices, -5, good.Value), ErrReplay, "was had"},
		{"rv-record-size", resign(func(i *Item) { i.Value = append(i.Value, 0) }), ErrMalformed, "string of 512"},
		{"rv-record-size", resign(func(i *Item) { i.Value = i.Value[:515] }), ErrMalformed, "string of 512"},
		{"rv-record-size", resign(func(i *Item) { i.Value[0] = '6' }), ErrMalformed, "string of 512"},
		{"rv-record-size", signed(alices, seq, nil), ErrMalformed, "string of 512"},
		{"rv-record-size", signed(alices, seq, append([]byte("511:"), good.Value[5:]...)), ErrMalformed, "string of 512"},
		{"rv-record-seal", resign(func(i *Item) { i.Value[4] ^= 1 }), ErrAuthentication, "does not open"},
		{"rv-record-seal", resign(func(i *Item) { i.Value[515] ^= 1 }), ErrAuthentication, "does not open"},
		{"rv-record-seal", resign(func(i *Item) { i.Seq++ }), ErrAuthentication, "does not open"},
		{"rv-record-version", sealed(alices, seq, plain(0, recordSeconds, nil)), ErrMalformed, "version 0"},
		{"rv-record-version", sealed(alices, seq, plain(2, recordSeconds, nil)), ErrMalformed, "version 2"},
		{"rv-record-time", sealed(alices, seq, plain(1, recordSeconds+1, nil)), ErrMalformed, "another time"},
		{"rv-record-time", sealed(alices, seq, plain(1, recordSeconds-1, nil)), ErrMalformed, "another time"},
		{"rv-record-content", sealed(alices, seq, plain(1, recordSeconds, []byte{2, 0, 0})), ErrMalformed, "unknown type"},
		{"rv-record-content", sealed(alices, seq, plain(1, recordSeconds, append([]byte{1, 0, 63}, bytes.Repeat([]byte{4, 192, 0, 2, 1, 1, 1}, 9)...))), ErrLimit, "more than 8"},
	} {
		got, err := bobs.Open(recordTime, highest, c.item)
		require.Zero(t, got, c.rule)
		wantRefused(t, err, c.class, c.words)
	}
	_, err = bobs.Open(recordTime, highest, good)
	require.NoError(t, err)
	_, err = bobs.Open(recordTime, highest, sealed(alices, seq, plain(1, recordSeconds, nil)))
	require.NoError(t, err)
}

// rv-record-age
func TestRecordAge(t *testing.T) {
	alices, bobs := slots(t)
	i, err := alices.Seal(draws(make([]byte, 24)), recordSeconds*1000+999, nil)
	require.NoError(t, err)
	for at, ok := range map[int64]bool{-3601: false, -3600: true, 0: true, 7200: true, 7201: false} {
		_, err := bobs.Open(time.Unix(recordSeconds+at, 999_999_999), 0, i)
		if ok {
			require.NoError(t, err, at)
		} else {
			wantRefused(t, err, ErrState, "it is")
		}
	}
	// No time is so far ahead that it comes round.
	_, err = bobs.Open(recordTime, 0, sealed(alices, math.MaxInt64, plain(1, math.MaxInt64/1000, nil)))
	wantRefused(t, err, ErrState, "it is")
}

// rv-record-lower
func TestReaderRemembers(t *testing.T) {
	alices, bobs := slots(t)
	r := NewReader(bobs)
	require.Equal(t, bobs, r.Slot())
	item := func(seq int64) Item {
		i, err := alices.Seal(draws(make([]byte, 24)), seq, eight[:1])
		require.NoError(t, err)
		return i
	}
	read := func(seq int64) error {
		_, err := r.Read(recordTime, item(seq))
		return err
	}
	first := int64(recordSeconds * 1000)
	require.NoError(t, read(first))
	require.NoError(t, read(first), "the same item again")
	require.NoError(t, read(first+2))
	require.ErrorIs(t, read(first+1), ErrReplay)
	require.ErrorIs(t, read(first+3_601_000), ErrState)
	require.NoError(t, read(first+3), "what was refused is not remembered")
}

// rv-seq, rv-seq-observed, rv-seq-far
func TestSequence(t *testing.T) {
	jitter := func(n uint32) *bytes.Reader { return draws(binary.BigEndian.AppendUint32(nil, n)) }
	var s Sequence
	next := func(n uint32) int64 {
		seq, err := s.Next(recordTime, jitter(n))
		require.NoError(t, err)
		return seq
	}
	const first = recordSeconds * 1000
	require.EqualValues(t, first+999, next(1999))
	require.EqualValues(t, first+1000, next(0), "never the same twice")
	require.EqualValues(t, first+1001, next(math.MaxUint32), "4,294,967,295 mod 1000 = 295")
	s.Observe(first + 1000)
	require.EqualValues(t, first+1002, next(0), "a lower seq is no news")
	s.Observe(first + 3_600_998)
	require.EqualValues(t, first+3_600_999, next(0), "the last that a reader takes")
	rand := jitter(0)
	_, err := s.Next(recordTime, rand)
	wantRefused(t, err, ErrState, "far future")
	require.Equal(t, 4, rand.Len(), "nothing was drawn")
	seq, err := s.Next(recordTime.Add(time.Second), rand)
	require.NoError(t, err)
	require.EqualValues(t, first+3_601_000, seq, "a second later it is not so far")

	s = Sequence{Last: math.MaxInt64}
	_, err = s.Next(recordTime, jitter(0))
	wantRefused(t, err, ErrState, "far future")
	s = Sequence{}
	_, err = s.Next(recordTime, iotest.ErrReader(errors.New("empty")))
	require.ErrorContains(t, err, "empty")
	require.Equal(t, Sequence{}, s)
}

func TestCheckItem(t *testing.T) {
	alices, _ := slots(t)
	require.NoError(t, alices.Check(sealed(alices, math.MaxInt64, plain(9, 0, nil))), "whatever it says")
	require.ErrorIs(t, alices.Check(signed(alices, 1, nil)), ErrMalformed)
	require.ErrorIs(t, alices.Check(Item{}), ErrAuthentication)
}

// Whatever somebody who has the slot's key seals, a reader takes it or refuses it with a class, and does not change it.
func FuzzOpenRecord(f *testing.F) {
	alices, bobs := slots(f)
	f.Add(int64(recordSeconds*1000), plain(1, recordSeconds, appendFields(nil, eight)), true)
	f.Add(int64(recordSeconds*1000), []byte("512:"), false)
	f.Fuzz(func(t *testing.T, seq int64, b []byte, seal bool) {
		var i Item
		if seal && len(b) <= 472 {
			i = sealed(alices, seq, append(b, make([]byte, 472-len(b))...))
		} else {
			i = signed(alices, seq, b)
		}
		before := bytes.Clone(i.Value)
		r, err := bobs.Open(recordTime, 0, i)
		require.Equal(t, before, i.Value)
		if err != nil {
			require.Zero(t, r)
			require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrState) || errors.Is(err, ErrLimit) || errors.Is(err, ErrReplay))
			return
		}
		again, err := alices.Seal(draws(make([]byte, 24)), r.Seq, r.Endpoints)
		require.NoError(t, err)
		same, err := bobs.Open(recordTime, r.Seq, again)
		require.NoError(t, err)
		require.Equal(t, r.Time, same.Time)
		require.True(t, slices.Equal(r.Endpoints, same.Endpoints))
	})
}

func ExampleSlot() {
	seed := secret("alice")
	alice, err := NewIdentity(seed[:])
	if err != nil {
		panic(err)
	}
	seed = secret("bob")
	bob, err := NewIdentity(seed[:])
	if err != nil {
		panic(err)
	}
	now, rand := time.Unix(1_800_000_000, 0), draws(make([]byte, 4+24)) // rand: crypto/rand.Reader

	hers, err := NewPair(alice, bob.PublicKey())
	if err != nil {
		panic(err)
	}
	var sequence Sequence
	seq, err := sequence.Next(now, rand)
	if err != nil {
		panic(err)
	}
	item, err := hers.Slot(Own, IPv4, hers.Epoch(now)).Seal(rand, seq, addrs("192.0.2.1:6881"))
	if err != nil {
		panic(err)
	}

	his, err := NewPair(bob, alice.PublicKey())
	if err != nil {
		panic(err)
	}
	record, err := NewReader(his.Slot(Friend, IPv4, his.Epoch(now))).Read(now, item)
	fmt.Println(record.Endpoints, err)
	// Output: [192.0.2.1:6881] <nil>
}
