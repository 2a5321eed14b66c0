package handshake

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func addrs(s ...string) (a []netip.AddrPort) {
	for _, x := range s {
		a = append(a, netip.MustParseAddrPort(x))
	}
	return a
}

var eight = addrs("192.0.2.1:6881", "[2001:db8::1]:6881", "192.0.2.2:1", "192.0.2.3:65535", "[2001:db8::2]:2", "192.0.2.4:4", "192.0.2.5:5", "192.0.2.6:6")

func TestFields(t *testing.T) {
	for _, c := range []struct {
		hex       string
		endpoints []netip.AddrPort
	}{
		{"", nil},
		{"01 001a 04 c0000201 1ae1 06 20010db8000000000000000000000001 1ae1", eight[:2]},
		{"01 0007 04 7f000001 0001", addrs("127.0.0.1:1")},
		{"01 0013 06 00000000000000000000000000000001 ffff", addrs("[::1]:65535")},
	} {
		b := unhex(t, c.hex)
		require.Equal(t, b, appendFields([]byte{}, c.endpoints))
		for n := range 5 {
			got, err := parseFields(append(bytes.Clone(b), make([]byte, n)...))
			require.NoError(t, err)
			require.Equal(t, c.endpoints, got)
		}
		for n := 1; n < len(b); n++ {
			_, err := parseFields(b[:n])
			wantRefused(t, err, ErrMalformed, "reaches beyond the end")
		}
	}
}

func TestFieldsRefused(t *testing.T) {
	one := "04 c0000201 1ae1"
	nine := bytes.Repeat(unhex(t, one), 9)
	for _, c := range []struct {
		rule, hex, words string
		class            error
	}{
		{"rv-field-cut", "01", "beyond the end", ErrMalformed},
		{"rv-field-cut", "01 00", "beyond the end", ErrMalformed},
		{"rv-field-cut", "01 0001", "beyond the end", ErrMalformed},
		{"rv-field-cut", "80 ffff 00", "beyond the end", ErrMalformed},
		{"rv-field-cut", "02 0001", "beyond the end", ErrMalformed},
		{"rv-field-padding", "00 01", "padding is not zero", ErrMalformed},
		{"rv-field-padding", "00 0007" + one, "padding is not zero", ErrMalformed},
		{"rv-field-padding", "00 00 00 00 00 01", "padding is not zero", ErrMalformed},
		{"rv-field-unknown", "02 0000", "unknown type 2", ErrMalformed},
		{"rv-field-unknown", "7f 0001 00", "unknown type 127", ErrMalformed},
		{"rv-field-twice", "01 0000 01 0000", "stands twice", ErrMalformed},
		{"rv-field-twice", "01 0007" + one + "80 0000 01 0007" + one, "stands twice", ErrMalformed},
		{"rv-endpoint-form", "01 0001 04", "cut off", ErrMalformed},
		{"rv-endpoint-form", "01 0006 04 c0000201 1a", "cut off", ErrMalformed},
		{"rv-endpoint-form", "01 0012 06 20010db8000000000000000000000001 1a", "cut off", ErrMalformed},
		{"rv-endpoint-form", "01 0008" + one + "04", "cut off", ErrMalformed},
		{"rv-endpoint-form", "01 0007 00 c0000201 1ae1", "of family 0", ErrMalformed},
		{"rv-endpoint-form", "01 0007 05 c0000201 1ae1", "of family 5", ErrMalformed},
		{"rv-endpoint-address", "01 0007 04 c0000201 0000", "port 0", ErrMalformed},
		{"rv-endpoint-address", "01 0007 04 00000000 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0007 04 e0000001 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0007 04 efffffff 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0007 04 ffffffff 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0013 06 00000000000000000000000000000000 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0013 06 ff020000000000000000000000000001 1ae1", "nobody has", ErrMalformed},
		{"rv-endpoint-address", "01 0013 06 00000000000000000000ffffc0000201 1ae1", "nobody has", ErrMalformed},
	} {
		got, err := parseFields(unhex(t, c.hex))
		require.Empty(t, got)
		wantRefused(t, err, c.class, c.words)
	}
	_, err := parseFields(append([]byte{1, 0, 63}, nine...)) // rv-endpoint-limit
	wantRefused(t, err, ErrLimit, "more than 8 endpoints")
	got, err := parseFields(append([]byte{1, 0, 56}, nine[:56]...))
	require.NoError(t, err)
	require.Len(t, got, 8)
}

// rv-field-later
func TestLaterFieldsAreIgnored(t *testing.T) {
	field := "01 0007 04 c0000201 1ae1"
	for _, s := range []string{
		"80 0000" + field, field + "ff 0003 010203", "80 0001 01 80 0001 02" + field + "80 0000", "80 0000 01 0000 80 0000",
	} {
		got, err := parseFields(append(unhex(t, s), 0, 0))
		require.NoError(t, err)
		require.LessOrEqual(t, len(got), 1)
	}
	got, err := parseFields(unhex(t, "01 0000"))
	require.NoError(t, err)
	require.Empty(t, got, "no endpoints, said in so many words")
}

// rv-record-fields
func TestCheckEndpoints(t *testing.T) {
	require.NoError(t, checkEndpoints(eight))
	require.NoError(t, checkEndpoints(nil))
	wantRefused(t, checkEndpoints(append(slices.Clone(eight), eight[0])), ErrLimit, "9 endpoints")
	for _, a := range append(addrs("192.0.2.1:0", "0.0.0.0:1", "[::]:1", "224.0.0.1:1", "[ff02::1]:1", "255.255.255.255:1", "[::ffff:192.0.2.1]:1", "[fe80::1%eth0]:1"), netip.AddrPort{}) {
		require.ErrorIs(t, checkEndpoints([]netip.AddrPort{eight[0], a}), ErrMalformed, a)
	}
}

func FuzzParseFields(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendFields(nil, eight))
	f.Add(append(appendFields(nil, eight[:2]), 0x80, 0, 1, 7, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		got, err := parseFields(b)
		require.Equal(t, before, b)
		if err != nil {
			require.Empty(t, got)
			return
		}
		require.NoError(t, checkEndpoints(got))
		again, err := parseFields(appendFields(nil, got))
		require.NoError(t, err)
		require.True(t, slices.Equal(got, again))
	})
}

func TestFieldsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var endpoints []netip.AddrPort
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			var ip netip.Addr
			if rapid.Bool().Draw(t, "v6") {
				ip = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip")))
			} else {
				ip = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip")))
			}
			if a := netip.AddrPortFrom(ip, rapid.Uint16().Draw(t, "port")); CheckEndpoint(a) == nil {
				endpoints = append(endpoints, a)
			}
		}
		b := appendFields([]byte("before"), endpoints)
		got, err := parseFields(b[6:])
		require.NoError(t, err)
		require.Equal(t, endpoints, got)
	})
}
