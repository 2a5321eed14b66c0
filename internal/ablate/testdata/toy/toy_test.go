package toy

import (
	"flag"
	"testing"
)

var (
	seeds = flag.Int("sim.seeds", 5, "")
	first = flag.Uint64("sim.first", 1, "")
)

func TestSimulation(t *testing.T) {
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		if seed >= 4 && Add(seed, 1) != seed+1 {
			t.Fatalf("violation: lost one, seed %d", seed)
		}
	}
}

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Fatal("1 + 2")
	}
}
