package conformance_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// Each planted fault makes its own cases fail and no other one, and without faults none does.
func TestEachPlantedFaultFailsItsCases(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	for _, fault := range append([]conformance.Fault{{What: "none"}}, conformance.Planted...) {
		failed := []string{}
		for _, c := range dhtcases.Suite().Cases {
			m, err := conformance.NewFaulty(bytes.NewReader(seed), conformance.Epoch, fault)
			require.NoError(t, err)
			w := conformance.NewSim(m)
			w.Meet()
			run := c.Run(w, conformance.Options{Seed: 1})
			if v := run.Outcome.Verdict; v == conformance.Fail || v == conformance.Inconclusive {
				failed = append(failed, c.ID)
			}
		}
		assert.ElementsMatch(t, fault.Cases, failed, "a node that %s", fault.What)
	}
}
