package bench

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer"
)

// runs is how many samples hyperdht gives.
const runs = 20

// rival is what hyperdht needs for the same, median by variant, in milliseconds.
type rival map[string]float64

// hyperdht runs node/hyperdht.js once, without and with --open; nil where it is not installed.
var hyperdht = sync.OnceValues(func() (rivals [2]rival, err error) {
	for i, flags := range [][]string{{}, {"--open"}} {
		cmd := exec.Command("node", append([]string{"node/hyperdht.js", "--runs", strconv.Itoa(runs)}, flags...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return rivals, err
		}
		rivals[i] = rival{}
		for line := range strings.Lines(string(out)) {
			var v struct {
				Variant string
				Median  float64 `json:"median_ms"`
			}
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				return rivals, err
			}
			rivals[i][v.Variant] = v.Median
		}
	}
	return rivals, nil
})

// reportRival reports what hyperdht needs, and how often as much as ours that is.
func reportRival(b *testing.B, variant string, ours float64) {
	rivals, err := hyperdht()
	if err != nil {
		why := err.Error()
		if errors.Is(err, exec.ErrNotFound) || errors.As(err, new(*exec.ExitError)) {
			why += "; for the rival: (cd node && npm ci)"
		}
		b.Log("hyperdht is not beside it: ", why)
		return
	}
	for i, name := range []string{"hyperdht", "hyperdht-open"} {
		b.ReportMetric(rivals[i][variant], "ms-"+name)
		b.ReportMetric(ours/rivals[i][variant], "x-"+name)
	}
}

// BenchmarkPeerFirst is the time from a friend's public key to the first message of 256 bytes echoed, over loopback, by a DHT of 40 nodes. The friend is a process of its own. Both are new to each other and to the DHT
// each time, and their stores are there and empty. Caller cold: from before the caller's peer starts, when the friend's record is in the DHT. Warm: the caller's node has its table too. Both cold: from before either starts.
func BenchmarkPeerFirst(b *testing.B) {
	door := startChild(b, "network").ask(order{}).Addr
	other := startChild(b, "friend")
	for _, variant := range []string{"caller-cold", "warm", "both-cold"} {
		b.Run(variant, func(b *testing.B) {
			var times, callers, friends []float64
			for b.Loop() {
				c := newPair(b, door)
				took, mine, his := c.first(other, variant)
				times, callers, friends = append(times, took), append(callers, mine), append(friends, his)
			}
			ours := median(times)
			b.ReportMetric(ours, "ms-kith")
			b.ReportMetric(median(callers), "commits-caller")
			b.ReportMetric(median(friends), "commits-friend")
			reportRival(b, variant, ours)
			load(b)
		})
	}
}

// first returns how many milliseconds the first echo took, and how many commits until it was there.
func (c *caller) first(other *child, variant string) (ms, mine, his float64) {
	count := func() (mine, his float64) {
		return float64(commits(c.tb, c.cfg.Store)), float64(commits(c.tb, c.friendStore()))
	}
	mine0, his0 := count()
	cold := variant == "both-cold"
	if !cold {
		other.ask(c.order(true, true))
		_, his0 = count() // his own contact is older than the call
	}
	if variant == "warm" {
		c.start()
		c.want(peer.EventReady)
	}
	begun := time.Now()
	if cold {
		other.tell(c.order(true, false))
	}
	if c.h == nil {
		c.start()
	}
	c.add()
	c.say(text(0, 256))
	e := c.want(peer.EventMessage)
	took := time.Since(begun)
	mine, his = count()
	require.Equal(c.tb, text(0, 256), e.Text)
	if cold {
		other.hear()
	}
	c.stop()
	other.ask(order{Do: "stop"})
	return float64(took.Microseconds()) / 1e3, mine - mine0, his - his0
}
