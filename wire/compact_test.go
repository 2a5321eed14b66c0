package wire

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAddrPort(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1:6881":           "c0000201 1ae1",
		"0.0.0.0:0":                "00000000 0000",
		"[2001:db8::1]:6881":       "20010db8000000000000000000000001 1ae1",
		"[::ffff:192.0.2.1]:65535": "00000000000000000000ffffc0000201 ffff", // stays what it is, so that it is written as it came
	} {
		addr := netip.MustParseAddrPort(a)
		b := AppendAddrPort(nil, addr)
		require.Equal(t, unhex(want), b)
		got, err := ParseAddrPort(b)
		require.NoError(t, err)
		require.Equal(t, addr, got)
		for n := range b {
			if _, err := ParseAddrPort(b[:n]); n != Addr4Size {
				require.ErrorIs(t, err, ErrMalformed)
			}
		}
		_, err = ParseAddrPort(append(b, 0))
		require.ErrorIs(t, err, ErrMalformed)
	}
}

func TestNode(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1:6881":     "6d6e6f707172737475767778797a313233343536 c0000201 1ae1",
		"[2001:db8::1]:6881": "6d6e6f707172737475767778797a313233343536 20010db8000000000000000000000001 1ae1",
	} {
		node := Node{idM, netip.MustParseAddrPort(a)}
		b := AppendNode(nil, node)
		require.Equal(t, unhex(want), b)
		got, err := ParseNode(b)
		require.NoError(t, err)
		require.Equal(t, node, got)
		for n := range b {
			if _, err := ParseNode(b[:n]); n != Node4Size {
				require.ErrorIs(t, err, ErrMalformed)
			}
		}
		_, err = ParseNode(append(b, 0))
		wantProper(t, err)
	}
}

// What is appended is what comes out, in order, and a loop may end early.
// wire-nodes-form, wire-nodes6-form, wire-values-form, wire-samples-form
func TestLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want4, want6 []Node
		var addrs []netip.AddrPort
		var ids []ID
		var n4 Nodes4
		var n6 Nodes6
		var values Values
		var samples Samples
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			want4 = append(want4, Node{drawID(t), drawAddr(t, true)})
			n4 = AppendNode(n4, want4[len(want4)-1])
			want6 = append(want6, Node{drawID(t), drawAddr(t, false)})
			n6 = AppendNode(n6, want6[len(want6)-1])
			addrs = append(addrs, drawAddr(t, rapid.Bool().Draw(t, "v4")))
			values = AppendValue(values, addrs[len(addrs)-1])
			ids = append(ids, drawID(t))
			samples = AppendSample(samples, ids[len(ids)-1])
		}
		require.Equal(t, want4, slices.Collect(n4.All()))
		require.Equal(t, want6, slices.Collect(n6.All()))
		require.Equal(t, addrs, slices.Collect(values.All()))
		require.Equal(t, ids, slices.Collect(samples.All()))
		require.Equal(t, []int{len(ids), len(ids), len(ids)}, []int{n4.Len(), n6.Len(), samples.Len()})

		seen := 0
		for range n4.All() {
			seen++
			break
		}
		for range values.All() {
			seen++
			break
		}
		for range samples.All() {
			seen++
			break
		}
		require.Equal(t, 3*min(1, len(ids)), seen)
	})
}

// A Values that ParseMessage never returns ends the loop and nothing else.
func TestValuesOfNoList(t *testing.T) {
	for _, v := range []Values{nil, Values("x"), Values("6:abc"), Values("i1e"), Values("6:abcdefi1e")} {
		require.LessOrEqual(t, len(slices.Collect(v.All())), 1)
	}
}

func TestListsAllocateNothing(t *testing.T) {
	a4, a6 := netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("[2001:db8::1]:6881")
	n := Nodes4(AppendNode(AppendNode(nil, Node{idA, a4}), Node{idM, a4}))
	v := AppendValue(AppendValue(nil, a4), a6)
	sum := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for node := range n.All() {
			sum += int(node.Addr.Port())
		}
		for a := range v.All() {
			sum += int(a.Port())
		}
	}))
	require.NotZero(t, sum)
}

func FuzzParseNode(f *testing.F) {
	f.Add(AppendNode(nil, Node{idM, netip.MustParseAddrPort("192.0.2.1:6881")}))
	f.Add(AppendNode(nil, Node{idM, netip.MustParseAddrPort("[2001:db8::1]:6881")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNode(b)
		if err != nil {
			wantProper(t, err)
			return
		}
		require.Equal(t, b, AppendNode(nil, n))
	})
}

func FuzzParseAddrPort(f *testing.F) {
	f.Add(unhex("c0000201 1ae1"))
	f.Add(unhex("20010db8000000000000000000000001 1ae1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAddrPort(b)
		if err != nil {
			wantProper(t, err)
			return
		}
		require.Equal(t, b, AppendAddrPort(nil, a))
	})
}
