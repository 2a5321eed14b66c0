package ratchet

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var errNoDraw = errors.New("no randomness")

// A world is two ends, what is known of them, and a network that forgets nothing.
type world struct {
	ends  [2]*State
	know  [2]model
	sent  [2][]*sent        // by sender, everything
	fly   [2][]*sent        // by sender, what was neither delivered nor dropped
	seals map[[32]byte]bool // every message key that has sealed something
	texts int
	other *State // the responder of another conversation
}

func newWorld(t *rapid.T) *world {
	w := &world{seals: map[[32]byte]bool{}}
	w.ends[0], w.ends[1] = newPair(t)
	w.know[0].sends = 1
	s, rk := &Secrets{AD: secret("other")}, secret("other")
	w.other = NewResponder(s, &rk, &draws{label: "other"})
	return w
}

// send lets an end encrypt, lawfully or not, and reports whether it could.
func (w *world) send(t *rapid.T, from int, lawful bool) bool {
	s, k := w.ends[from], &w.know[from]
	text := fmt.Sprint("message ", w.texts)
	encrypting := func() ([]byte, error) { return s.Encrypt([]byte{}, []byte(text)) }
	switch {
	case k.sends == 0:
		refused(t, s, ErrState, text, encrypting)
		return false
	case k.next >= 512 && lawful:
		refused(t, s, ErrLimit, text, encrypting)
		return false
	}
	ck := s.sending.key
	mk, _ := KDFChain(&ck)
	require.False(t, w.seals[mk], "a message key seals twice")
	w.seals[mk] = true
	w.texts++

	m := &sent{text: text, mk: mk}
	m.place, m.pn = k.send()
	if lawful {
		var err error
		m.m, err = encrypting()
		require.NoError(t, err)
	} else {
		m.m = overrun(s, text)
	}
	require.False(t, holds(s, &ck) || holds(s, &mk), "keys remain after sending") // rt-send-erase
	w.sent[from] = append(w.sent[from], m)
	w.fly[from] = append(w.fly[from], m)
	return true
}

// lose has an end send up to n messages that the network never sees, lawfully or not. They cost less than those that it sees.
func (w *world) lose(t *rapid.T, from, n int, lawful bool) {
	s, k := w.ends[from], &w.know[from]
	if k.sends == 0 {
		return
	}
	if lawful {
		n = max(0, min(n, 512-k.next))
	}
	for range n {
		mk := s.sending.next()
		require.False(t, w.seals[mk], "a message key seals twice")
		w.seals[mk] = true
	}
	k.next += n
}

// deliver gives m to the other end.
func (w *world) deliver(t *rapid.T, from int, m *sent) {
	s, k := w.ends[1-from], &w.know[1-from]
	want := k.receive(m)
	decrypting := func() ([]byte, error) { text, _, err := s.Decrypt([]byte{}, m.m); return text, err }
	if want.reason != nil {
		refused(t, s, want.reason, m.text, decrypting)
		return
	}
	d := s.random.(*draws)
	if want.step && rapid.IntRange(0, 9).Draw(t, "no randomness") == 0 {
		d.fail = errNoDraw
		refused(t, s, errNoDraw, m.text, decrypting)
		d.fail = nil
	}
	drawn, private, root, ck := d.n, s.private, s.root, s.receiving.key
	text, newest, err := s.Decrypt([]byte{}, m.m)
	require.NoError(t, err, m.text)
	require.Equal(t, m.text, string(text))
	require.Equal(t, want.newest, newest, m.text)
	k.opened(m, want)

	require.False(t, holds(s, &m.mk), "a message key remains after its message has opened") // rt-erase
	if newest && k.newest > 0 && ck != [32]byte{} {
		require.False(t, holds(s, &ck), "a chain key remains") // rt-erase
	}
	if want.step {
		drawn++
		require.False(t, holds(s, &private) || holds(s, &root), "the private key before remains") // rt-erase-dh
	}
	require.Equal(t, drawn, d.n)
}

// refuse gives m, which nobody has sent like this, to an end, which refuses it for a reason.
func (w *world) refuse(t *rapid.T, to int, reason error, m []byte) {
	s := w.ends[to]
	refused(t, s, reason, "tampered", func() ([]byte, error) { text, _, err := s.Decrypt([]byte{}, m); return text, err })
}

// check compares what an end keeps with what it should.
func (w *world) check(t *rapid.T) {
	for i, s := range w.ends {
		k := &w.know[i]
		require.Equal(t, k.sends > 0 && k.next < 512, s.CanSend())
		var kept []place
		for _, key := range s.skipped {
			kept = append(kept, place{int(key.chain), int(key.n)})
		}
		require.True(t, slices.Equal(k.kept, kept), "keys of %v are kept, not of %v", kept, k.kept)
		require.LessOrEqual(t, len(kept), 2000)
		require.LessOrEqual(t, cap(s.skipped)*int(unsafe.Sizeof(skippedKey{})), 160<<10)
		var old []int
		for _, c := range s.old {
			if c.number > 0 {
				old = append(old, int(c.number))
			}
		}
		slices.Reverse(old)
		require.Equal(t, k.oldChains(), old)
		require.True(t, !slices.ContainsFunc(s.skipped[len(s.skipped):cap(s.skipped)], func(k skippedKey) bool { return k != skippedKey{} }),
			"keys remain behind the kept ones")
	}
}

// holds reports whether the memory of s has key in it.
func holds(s *State, key *[32]byte) bool {
	all := s.skipped[:cap(s.skipped)]
	return bytes.Contains(unsafe.Slice((*byte)(unsafe.Pointer(s)), unsafe.Sizeof(*s)), key[:]) ||
		bytes.Contains(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(all))), uintptr(len(all))*unsafe.Sizeof(skippedKey{})), key[:])
}

// thousand is rapid.Check with 1,000 checks, unless the command line asks for another number than rapid's own.
func thousand(t *testing.T, property func(*rapid.T)) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		require.NoError(t, f.Value.Set("1000"))
		t.Cleanup(func() { require.NoError(t, f.Value.Set(f.DefValue)) })
	}
	rapid.Check(t, property)
}

// Over a network that loses, doubles, reorders, tampers and replays, exactly those messages open that the model says, and once.
// What is refused leaves no trace.
func TestTwoEndsOverABadNetwork(t *testing.T) {
	thousand(t, func(t *rapid.T) {
		w := newWorld(t)
		end := rapid.IntRange(0, 1)
		pick := func(t *rapid.T, from []*sent) *sent {
			if len(from) == 0 {
				t.Skip("nothing was sent")
			}
			return from[len(from)-1-rapid.IntRange(0, len(from)-1).Draw(t, "back")]
		}
		land := func(from int, m *sent) {
			w.fly[from] = slices.DeleteFunc(w.fly[from], func(x *sent) bool { return x == m })
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				from := end.Draw(t, "from")
				for range rapid.IntRange(1, 4).Draw(t, "messages") {
					w.send(t, from, true)
				}
			},
			"burst": func(t *rapid.T) {
				from, lawful := end.Draw(t, "from"), rapid.Bool().Draw(t, "lawful")
				for range rapid.SampledFrom([]int{5, 20, 100}).Draw(t, "messages") {
					if !w.send(t, from, lawful) {
						break
					}
				}
				w.lose(t, from, rapid.SampledFrom([]int{0, 300, 500, 1000}).Draw(t, "lost"), lawful)
			},
			"deliver the oldest": func(t *rapid.T) {
				from := end.Draw(t, "from")
				for range rapid.IntRange(1, 4).Draw(t, "messages") {
					if len(w.fly[from]) > 0 {
						m := w.fly[from][0]
						w.deliver(t, from, m)
						land(from, m)
					}
				}
			},
			"reorder": func(t *rapid.T) {
				from := end.Draw(t, "from")
				m := pick(t, w.fly[from])
				w.deliver(t, from, m)
				land(from, m)
			},
			"double": func(t *rapid.T) {
				from := end.Draw(t, "from")
				w.deliver(t, from, pick(t, w.fly[from]))
			},
			"drop": func(t *rapid.T) {
				from := end.Draw(t, "from")
				land(from, pick(t, w.fly[from]))
			},
			"drop all": func(t *rapid.T) {
				w.fly[end.Draw(t, "from")] = nil
			},
			"replay": func(t *rapid.T) {
				from := end.Draw(t, "from")
				w.deliver(t, from, pick(t, w.sent[from]))
			},
			"talk": func(t *rapid.T) { // each loses some and answers the next
				from, lost := end.Draw(t, "from"), rapid.SampledFrom([]int{0, 1, 2, 300}).Draw(t, "lost")
				for range rapid.IntRange(1, 14).Draw(t, "turns") {
					w.send(t, from, true)
					w.lose(t, from, lost, true)
					if w.send(t, from, true) {
						m := w.sent[from][len(w.sent[from])-1]
						w.deliver(t, from, m)
						land(from, m)
					}
					from = 1 - from
				}
			},
			"tamper": func(t *rapid.T) {
				from := end.Draw(t, "from")
				m := pick(t, w.sent[from])
				// What is refused before the body is looked at is refused for the same reason with any body.
				reason := w.know[1-from].receive(m).reason
				if reason == nil {
					reason = ErrAuthentication
				}
				bad := bytes.Clone(m.m)
				switch rapid.IntRange(0, 6).Draw(t, "how") {
				case 0:
					bad[rapid.IntRange(0, sealedHeaderSize-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
					reason = ErrAuthentication
				case 1:
					bad[rapid.IntRange(sealedHeaderSize, len(bad)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
				case 2:
					bad = bad[:rapid.IntRange(0, len(bad)-1).Draw(t, "length")]
					if len(bad) < 96 {
						reason = ErrMalformed
					}
				case 3:
					bad = append(bad, make([]byte, rapid.IntRange(1, 1300).Draw(t, "more"))...)
					if len(bad) > 1223 {
						reason = ErrMalformed
					}
				case 4: // the body of another
					n := pick(t, w.sent[from])
					if n == m {
						t.Skip("the same")
					}
					bad = append(bad[:sealedHeaderSize], n.m[sealedHeaderSize:]...)
				case 5: // back to its sender
					w.refuse(t, from, ErrAuthentication, bad)
					return
				case 6: // into another conversation
					s := w.other
					refused(t, s, ErrAuthentication, "other", func() ([]byte, error) { x, _, err := s.Decrypt(nil, bad); return x, err })
					return
				}
				w.refuse(t, 1-from, reason, bad)
			},
			"": w.check,
		})
	})
}
