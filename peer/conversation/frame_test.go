package conversation

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func hexed(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

// appendFrame writes what was parsed.
func appendFrame(b []byte, f *Frame) []byte {
	switch f.Type {
	case FrameMessage:
		return AppendPart(b, &f.Part)
	case FrameAck:
		return AppendAck(b, &f.Ack)
	case FramePing:
		return AppendPing(b, f.Value)
	case FramePong:
		return AppendPong(b, f.Value)
	case FrameEnd:
		return AppendEnd(b, f.Reason)
	case FrameEndpoints:
		return AppendEndpoints(b, f.Endpoints)
	default:
		return AppendHello(b, &f.Hello)
	}
}

var (
	somewhere = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("[2001:db8::1]:1")}

	sameFrames = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.AddrPort{})}
)

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		hex   string
		frame Frame
	}{
		{"01 000d 0000000000000007 00 01 01 6869", Frame{Type: FrameMessage, Part: Part{ID: 7, Parts: 1, Type: Text, Bytes: []byte("hi")}}},
		{"01 000b 0000000000000000 00 01 ff", Frame{Type: FrameMessage, Part: Part{Parts: 1, Type: 255}}},
		{"01 000b ffffffffffffffff 3f 40 78", Frame{Type: FrameMessage, Part: Part{ID: 1<<64 - 1, Part: 63, Parts: 64, Bytes: []byte("x")}}},
		{"02 0018 0000000000000001 8000000000000002 0000000000000003", Frame{Type: FrameAck, Ack: Ack{1, 1<<63 | 2, 3}}},
		{"03 0000", Frame{Type: FramePing}},
		{"03 0008 0102030405060708", Frame{Type: FramePing, Value: []byte{1, 2, 3, 4, 5, 6, 7, 8}}},
		{"07 0008 0102030405060708", Frame{Type: FramePong, Value: []byte{1, 2, 3, 4, 5, 6, 7, 8}}},
		{"07 0000", Frame{Type: FramePong}},
		{"04 0001 02", Frame{Type: FrameEnd, Reason: ReasonMalformed}},
		{"05 0000", Frame{Type: FrameEndpoints}},
		{"05 001a 04 c0000201 1ae1 06 20010db8000000000000000000000001 0001", Frame{Type: FrameEndpoints, Endpoints: somewhere}},
		{"06 0020 0101010101010101 0000000000000002 0303030303030303 0000000000000004", Frame{Type: FrameHello, Hello: Hello{
			Stream: StreamID{1, 1, 1, 1, 1, 1, 1, 1}, First: 2, Other: StreamID{3, 3, 3, 3, 3, 3, 3, 3}, Next: 4,
		}}},
	} {
		b := hexed(t, c.hex)
		require.Equal(t, b, appendFrame([]byte{}, &c.frame))

		var f Frames
		require.NoError(t, ParseFrames(Pad(b), &f), c.hex)
		require.Empty(t, cmp.Diff([]Frame{c.frame}, f.List, sameFrames), c.hex)

		// A frame that the plaintext ends in is cut off, wherever that is.
		for n := 1; n < len(b); n++ {
			head := append(appendHeader(nil, frameLater, 2*Block-frameHeader-n), make([]byte, 2*Block-frameHeader-n)...)
			require.ErrorIs(t, ParseFrames(append(head, b[:n]...), &f), ErrMalformed, "%s cut to %d", c.hex, n)
		}
	}
}

func TestSizes(t *testing.T) {
	require.Len(t, AppendHello(nil, &Hello{}), HelloSize)
	require.Len(t, AppendAck(nil, &Ack{}), AckSize)
	require.Len(t, AppendPing(nil, make([]byte, PingValue)), PingSize)
	require.Len(t, AppendEnd(nil, 0), EndSize)
	for _, p := range []Part{{Parts: 1}, {Part: 1, Parts: 2, Bytes: []byte("x")}, {Parts: 2, Bytes: make([]byte, PartBytes)}} {
		require.Len(t, AppendPart(nil, &p), p.Size())
	}
	largest := Part{Parts: MaxParts, Bytes: make([]byte, PartBytes)}
	require.LessOrEqual(t, HelloSize+AckSize+PingSize+largest.Size(), MaxPlaintext)
	require.LessOrEqual(t, MaxMessage, PartBytes*MaxParts)
}

func TestPad(t *testing.T) {
	for n, want := range map[int]int{0: 64, 1: 64, 63: 64, 64: 64, 65: 128, 1087: 1088} {
		b := Pad(bytes.Repeat([]byte{9}, n))
		require.Len(t, b, want)
		require.True(t, allZero(b[n:]))
	}
}

func TestPaddingNeedsNoHeader(t *testing.T) { // fewer than 3 bytes left are padding
	for _, room := range []int{0, 1, 2, 3} {
		b := appendHeader(nil, FramePing, 0)
		b = append(appendHeader(b, frameLater+1, Block-len(b)-frameHeader-room), make([]byte, Block-len(b)-frameHeader)...)
		require.Len(t, b, Block)
		var f Frames
		require.NoError(t, ParseFrames(b, &f), room)
		require.Len(t, f.List, 1)
	}
}

func TestWhatIsMalformed(t *testing.T) {
	endpoint := "04 c0000201 1ae1"
	for _, c := range []struct{ rule, hex string }{
		{"peer-frame-cut", "00 01"},
		{"peer-frame-cut", "00 0001 01"},
		{"peer-frame-cut", "03 0000 00 00 05"},
		{"peer-frame-cut", "03 ffff"},
		{"peer-frame-cut", "80 003e"},
		{"peer-frame-length", "01 0000"},
		{"peer-frame-length", "01 0009 0000000000000000 01"},
		{"peer-frame-length", "01 000a 0000000000000000 00 01"},
		{"peer-frame-length", "02 0017 0000000000000001 8000000000000002 00000000000003"},
		{"peer-frame-length", "02 0019 0000000000000001 8000000000000002 000000000000000300"},
		{"peer-frame-length", "03 0007 01020304050607"},
		{"peer-frame-length", "03 0009 010203040506070809"},
		{"peer-frame-length", "07 0001 01"},
		{"peer-frame-length", "04 0000"},
		{"peer-frame-length", "04 0002 0000"},
		{"peer-frame-length", "06 0000"},
		{"peer-frame-length", "06 001f 0101010101010101 0000000000000002 0303030303030303 00000000000000"},
		{"peer-frame-length", "06 0021 0101010101010101 0000000000000002 0303030303030303 000000000000000400"},
		{"peer-frame-unknown", "08 0000"},
		{"peer-frame-unknown", "7f 0001 00"},
		{"peer-message-parts", "01 000c 0000000000000000 00 00 01 78"},
		{"peer-message-parts", "01 000c 0000000000000000 00 41 01 78"},
		{"peer-message-parts", "01 000b 0000000000000000 01 01 78"},
		{"peer-message-parts", "01 000b 0000000000000000 40 40 78"},
		{"peer-message-parts", "01 000b 0000000000000000 00 02 01"},
		{"peer-message-parts", "01 000a 0000000000000000 01 02"},
		{"peer-endpoints-form", "05 0001 04"},
		{"peer-endpoints-form", "05 0006 04 c0000201 1a"},
		{"peer-endpoints-form", "05 0007 05 c0000201 1ae1"},
		{"peer-endpoints-form", "05 0007 06 c0000201 1ae1"},
		{"peer-endpoints-form", "05 0007 04 c0000201 0000"},
		{"peer-endpoints-form", "05 0007 04 00000000 1ae1"},
		{"peer-endpoints-form", "05 0007 04 ffffffff 1ae1"},
		{"peer-endpoints-form", "05 0013 06 00000000000000000000ffffc0000201 1ae1"},
		{"peer-endpoints-form", "05 003f" + strings.Repeat(endpoint, 9)},
	} {
		var f Frames
		good := AppendEndpoints(AppendPing(nil, nil), somewhere)
		require.ErrorIs(t, ParseFrames(Pad(append(good, hexed(t, c.hex)...)), &f), ErrMalformed, "%s: %s", c.rule, c.hex)
		require.Empty(t, f.List, "peer-frames-whole")
	}
	for _, n := range []int{0, 1, 63, 65, 1087} {
		require.ErrorIs(t, ParseFrames(make([]byte, n), &Frames{}), ErrMalformed, "peer-plaintext-size: %d", n)
	}
}

func TestLaterFramesAreReadOver(t *testing.T) { // peer-frame-later
	b := hexed(t, "80 0000 ff 0002 0101 03 0000 c3 0001 00")
	var f Frames
	require.NoError(t, ParseFrames(Pad(b), &f))
	require.Len(t, f.List, 1)
	require.Equal(t, FramePing, f.List[0].Type)
}

func TestEndpointsThatNobodyTakesAreLeftOut(t *testing.T) {
	many := []netip.AddrPort{{}, netip.MustParseAddrPort("0.0.0.0:1"), netip.MustParseAddrPort("192.0.2.1:0")}
	for i := range 10 {
		many = append(many, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1))
	}
	var f Frames
	require.NoError(t, ParseFrames(Pad(AppendEndpoints(nil, many)), &f))
	require.Equal(t, many[3:11], f.List[0].Endpoints)
}

func TestSeveralEndpointFramesKeepApart(t *testing.T) {
	var f Frames
	b := AppendEndpoints(AppendEndpoints(AppendEndpoints(nil, somewhere[:1]), nil), somewhere)
	require.NoError(t, ParseFrames(Pad(b), &f))
	require.Equal(t, somewhere[:1], f.List[0].Endpoints)
	require.Empty(t, f.List[1].Endpoints)
	require.Equal(t, somewhere, f.List[2].Endpoints)
}

func TestFramesAllocateNothing(t *testing.T) {
	var b []byte
	b = AppendAck(b, &Ack{})
	for i := range 4 {
		b = AppendPart(b, &Part{ID: uint64(i), Parts: 1, Type: Text, Bytes: make([]byte, 240)})
	}
	b = Pad(b)
	var f Frames
	require.NoError(t, ParseFrames(b, &f))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = ParseFrames(b, &f) }))
}

func drawFrame(t *rapid.T) Frame {
	value := rapid.SampledFrom([][]byte{nil, []byte("12345678")})
	switch kind := FrameType(rapid.IntRange(1, 7).Draw(t, "type")); kind {
	case FrameMessage:
		p := Part{ID: rapid.Uint64().Draw(t, "id"), Parts: rapid.Uint8Range(1, MaxParts).Draw(t, "parts")}
		p.Part = rapid.Uint8Range(0, p.Parts-1).Draw(t, "part")
		if p.Part == 0 {
			p.Type = ContentType(rapid.Byte().Draw(t, "content type"))
		}
		p.Bytes = rapid.SliceOfN(rapid.Byte(), min(1, int(p.Parts)-1), 200).Draw(t, "bytes")
		return Frame{Type: kind, Part: p}
	case FrameAck:
		return Frame{Type: kind, Ack: Ack{rapid.Uint64().Draw(t, "next"), rapid.Uint64().Draw(t, "bitmap"), rapid.Uint64().Draw(t, "parts")}}
	case FramePing, FramePong:
		return Frame{Type: kind, Value: value.Draw(t, "value")}
	case FrameEnd:
		return Frame{Type: kind, Reason: rapid.Byte().Draw(t, "reason")}
	case FrameEndpoints:
		return Frame{Type: kind, Endpoints: rapid.SliceOfN(rapid.SampledFrom(somewhere), 0, 8).Draw(t, "endpoints")}
	default:
		id := rapid.SampledFrom([]StreamID{{}, {1}, {2, 3}})
		return Frame{Type: kind, Hello: Hello{id.Draw(t, "own"), rapid.Uint64().Draw(t, "first"), id.Draw(t, "other"), rapid.Uint64().Draw(t, "next")}}
	}
}

func TestFramesComeBackAsTheyWere(t *testing.T) {
	var f Frames // used again and again
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		var want []Frame
		for range rapid.IntRange(0, 8).Draw(t, "frames") {
			frame := drawFrame(t)
			want = append(want, frame)
			b = appendFrame(b, &frame)
		}
		if err := ParseFrames(Pad(b), &f); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, f.List, sameFrames); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzParseFrames(f *testing.F) {
	for _, s := range []string{
		"", "00", "01 000d 0000000000000007 00 01 01 6869", "01 000b 0000000000000000 01 02 78", "02 0018 0000000000000001 8000000000000002 0000000000000003",
		"03 0000 07 0008 0102030405060708 04 0001 02", "05 001a 04 c0000201 1ae1 06 20010db8000000000000000000000001 0001 05 0000",
		"06 0020 0101010101010101 0000000000000002 0303030303030303 0000000000000004 01 000a 0000000000000000 01 02", "80 0001 01 7f 0000", "ff ffff",
	} {
		f.Add(Pad(hexed(f, s)))
		f.Add(hexed(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var parsed, again Frames
		if ParseFrames(b, &parsed) != nil {
			require.Empty(t, parsed.List)
			return
		}
		var written []byte
		for i := range parsed.List {
			written = appendFrame(written, &parsed.List[i])
		}
		require.NoError(t, ParseFrames(Pad(written), &again))
		require.Empty(t, cmp.Diff(parsed.List, again.List, sameFrames))
	})
}
