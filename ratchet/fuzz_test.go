package ratchet

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// situation returns one of several states, and who sends to it.
func situation(t testing.TB, i uint8) (from, to *State, s *script) {
	s = play(t, [...]string{
		"",
		"A sends a0 a1 \n B gets a1",
		"A sends a0 a1 a2 \n B gets a1 \n B sends b0 \n A gets b0",
		"A sends a0 a1 a2 \n B gets a1 \n B sends b0 \n A gets b0 \n A sends c0 c1 \n B gets c1",
	}[i%4])
	return s.ends["A"], s.ends["B"], s
}

// FuzzDecrypt gives strangers' bytes to a state. What opens was sent, and what does not is refused for a reason and leaves no trace.
func FuzzDecrypt(f *testing.F) {
	sent := map[string]string{} // the situations begin alike, and so do what is sent in them
	for i := range uint8(4) {
		from, _, s := situation(f, i)
		s.messages["next"] = overrun(from, "next")
		for text, m := range s.messages {
			sent[string(m)] = text
			f.Add(i, m)
		}
	}
	f.Add(uint8(0), []byte{})
	f.Add(uint8(1), make([]byte, MaxMessage))
	reasons := []error{ErrMalformed, ErrAuthentication, ErrReplay, ErrLimit}
	f.Fuzz(func(t *testing.T, i uint8, m []byte) {
		_, to, _ := situation(t, i)
		before, hash := copyOf(to), to.Snapshot()
		text, newest, err := to.Decrypt([]byte{}, m)
		if err == nil {
			require.Contains(t, sent, string(m))
			require.Equal(t, sent[string(m)], string(text))
			require.NotEqual(t, hash, to.Snapshot())
			require.True(t, to.CanSend())
			return
		}
		require.True(t, slices.ContainsFunc(reasons, func(r error) bool { return errors.Is(err, r) }), err)
		require.Nil(t, text)
		require.False(t, newest)
		require.True(t, same(before, to))
		require.Equal(t, hash, to.Snapshot())
	})
}

// FuzzDecryptSealed gives a state headers and bodies that the other side has sealed, whatever is in them.
func FuzzDecryptSealed(f *testing.F) {
	key := secret("key")
	public := publicKey(&key)
	f.Add(uint8(0), uint8(0), []byte{}, uint32(0), uint32(0), uint16(0), true)
	f.Add(uint8(1), uint8(0), []byte{}, uint32(0), uint32(2), uint16(0), true)
	f.Add(uint8(2), uint8(1), public[:], uint32(3), uint32(9), uint16(100), false)
	f.Add(uint8(3), uint8(2), public[:], uint32(1004), uint32(1001), uint16(1128), true)
	f.Fuzz(func(t *testing.T, i, which uint8, dh []byte, pn, n uint32, size uint16, right bool) {
		from, to, _ := situation(t, i)
		m := forge(from, func(s *State) {
			s.previous = pn
			s.sendHeader = [...][32]byte{s.sendHeader, s.nextSendHeader, to.newest.header, to.nextRecvHeader, to.old[0].header}[which%5]
			if len(dh) == 32 {
				s.public = [32]byte(dh)
			}
			if !right {
				s.sending.key[0] ^= 1
			}
			forward(s, uint64(min(n, 2000)))
			s.sending.n = uint64(n)
		})
		before, hash, drawn := copyOf(to), to.Snapshot(), to.random.(*draws).n
		_, newest, err := to.Decrypt(nil, m)
		if err != nil {
			require.False(t, newest)
			require.True(t, same(before, to))
			require.Equal(t, hash, to.Snapshot())
			require.Equal(t, drawn, to.random.(*draws).n)
			return
		}
		require.True(t, right)
		require.True(t, to.CanSend())
		require.LessOrEqual(t, len(to.skipped), MaxSkipped)
		require.True(t, slices.IsSortedFunc(to.skipped, func(a, b skippedKey) int {
			return slices.Compare([]uint64{a.chain, uint64(a.n)}, []uint64{b.chain, uint64(b.n)})
		}))
		_, _, err = to.Decrypt(nil, m)
		require.Error(t, err, "a second time")
	})
}
