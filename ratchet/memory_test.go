package ratchet

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What is promised to who has many sessions open. The property test looks at the capacity that the keys really have.
func TestMemory(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(State{}), uintptr(1<<10))
	require.LessOrEqual(t, MaxSkipped*unsafe.Sizeof(skippedKey{}), uintptr(160<<10))

	s := play(t, `
		A overruns a0..a1000
		B gets a1000
		B gets-late a0..a999`)
	require.Nil(t, s.ends["B"].skipped, "an array without keys is given back")
}

// Erase, and whatever moves or removes keys, leaves none of them in the arrays that it leaves.
func TestErasedArrays(t *testing.T) {
	s := play(t, "A overruns a0..a1000 \n B gets a3")
	b := s.ends["B"]
	arrays := [][]skippedKey{b.skipped[:cap(b.skipped)]}
	for _, next := range []string{"B gets-late a1", "B gets a9", "B gets a500", "B gets-late a0", "B gets a1000"} {
		s.play(next)
		arrays = append(arrays, b.skipped[:cap(b.skipped)])
	}
	require.NotEmpty(t, b.skipped)
	for _, a := range arrays {
		if unsafe.SliceData(a) != unsafe.SliceData(b.skipped) {
			require.Equal(t, make([]skippedKey, len(a)), a)
		}
	}
	b.Erase()
	for _, a := range arrays {
		require.Equal(t, make([]skippedKey, len(a)), a)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMemory reports what a session takes on the heap, idle and with 2,000 skipped keys.
func BenchmarkMemory(b *testing.B) {
	const sessions = 1000
	for b.Loop() {
		before := heap()
		states := make([]*State, 0, sessions)
		for range sessions {
			alice, bob := newPair(b)
			m, err := alice.Encrypt(nil, nil)
			require.NoError(b, err)
			_, _, err = bob.Decrypt(nil, m)
			require.NoError(b, err)
			bob.random = nil
			states = append(states, bob)
		}
		b.ReportMetric(float64(heap()-before)/sessions, "B/idle")
		runtime.KeepAlive(states)

		s := play(b, "A overruns a0 \n B gets a0 \n B sends b0 \n A overruns a1..a1000 \n A gets b0 \n A overruns c0..c1000")
		before = heap()
		s.play("B gets c1000")
		require.Len(b, s.ends["B"].skipped, 2000)
		b.ReportMetric(float64(heap()-before), "B/2000-keys")
		runtime.KeepAlive(s)
	}
}
