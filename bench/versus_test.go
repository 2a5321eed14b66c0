package bench

import (
	"slices"
	"testing"
	"time"
)

// A contender is one way to do the same work. begin sets it up, which is not measured, and returns what does it once: some rivals get slower the longer a session lasts.
type contender struct {
	name  string
	begin func() (once func())
}

// versus runs all contenders by turns in rounds of the same length, so that what disturbs the machine disturbs them alike, and reports for each the median
// time of one call and, for all but the last, the median of the ratios to the last in the same round.
func versus(b *testing.B, batch int, all ...contender) {
	times := make([][]float64, len(all))
	for round := 0; b.Loop(); round++ {
		for i := range all {
			i = (i + round) % len(all) // nobody is always first
			once := all[i].begin()
			once()
			begun := time.Now()
			for range batch {
				once()
			}
			times[i] = append(times[i], float64(time.Since(begun).Nanoseconds())/float64(batch))
		}
	}
	last := len(all) - 1
	for i, c := range all {
		b.ReportMetric(median(times[i])/1e3, "µs-"+c.name)
		if i == last {
			break
		}
		ratios := make([]float64, len(times[i]))
		for round := range ratios {
			ratios[round] = times[i][round] / times[last][round]
		}
		b.ReportMetric(median(ratios), "x-"+c.name)
	}
	b.ReportMetric(0, "ns/op") // of a round: means nothing
}

func median(values []float64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[len(values)/2]
}
