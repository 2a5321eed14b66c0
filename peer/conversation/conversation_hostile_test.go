package conversation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/handshake"
)

// Whatever a friend says, nothing panics, everything is bounded, and the conversation ends or goes on.
func TestFriendWhoSaysAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newScript(t, rapid.SampledFrom([]handshake.Role{initiator, responder}).Draw(rt, "role"))
		number := rapid.OneOf(rapid.Uint64Range(0, 5), rapid.Uint64Range(0, 200), rapid.Uint64())
		frame := rapid.Custom(func(rt *rapid.T) string {
			switch rapid.IntRange(0, 12).Draw(rt, "frame") {
			case 0:
				return fmt.Sprintf("hello %d", rapid.Uint64Range(0, 1).Draw(rt, "first"))
			case 1, 2, 3:
				return fmt.Sprintf("ack %d %d %d", number.Draw(rt, "next"), rapid.Uint64().Draw(rt, "bitmap"), rapid.Uint64().Draw(rt, "parts"))
			case 4, 5:
				return fmt.Sprintf("msg %d %s", number.Draw(rt, "id"), strings.Repeat("x", rapid.IntRange(0, 200).Draw(rt, "size")))
			case 6, 7:
				parts := rapid.IntRange(1, 64).Draw(rt, "parts")
				return fmt.Sprintf("part %d %d/%d x", number.Draw(rt, "id"), rapid.IntRange(0, parts-1).Draw(rt, "part"), parts)
			case 8:
				return "ping abcdefgh"
			case 9:
				return "pong abcdefgh"
			case 10:
				return "endpoints 192.0.2.9:1"
			case 11:
				return "raw ff0000"
			}
			return "end 7"
		})
		hello := "hello 0"
		if rapid.IntRange(0, 9).Draw(rt, "begins") > 0 {
			s.send(hello)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if s.c.state != open && s.c.state != waiting {
				break
			}
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				s.advance(time.Duration(rapid.IntRange(0, 5_000).Draw(rt, "ms")) * ms)
			case 1:
				s.say(strings.Repeat("y", rapid.IntRange(1, 5_000).Draw(rt, "size")))
			case 2:
				s.stalled = !s.stalled
				s.from, s.index = away, s.c.Base()+rapid.Uint32Range(0, 7).Draw(rt, "up")
			default:
				frames := rapid.SliceOfN(frame, 1, 4).Draw(rt, "frames")
				if plaintext := s.plaintext(frames...); len(plaintext) <= MaxPlaintext {
					s.send(frames...)
				}
			}
			checkFlight(rt, &s.c.flight)
			require.LessOrEqual(rt, len(s.c.pongs), maxPongs)
			require.LessOrEqual(rt, s.c.path.use-s.c.path.highest, uint32(cidsAhead))
			require.LessOrEqual(rt, len(s.c.events.list), 10)
			require.Equal(rt, s.c.state == over || s.c.state == waiting, s.c.NextTimeout().IsZero())
		}
		s.stalled = false
		s.advance(24 * time.Hour)
		if s.c.state != waiting {
			s.wantErased()
		}
	})
}
