package dht

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
)

func reference(t *testing.T, seed byte) conformance.Machine {
	t.Helper()
	n, err := conformance.NewReference(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), conformance.Epoch)
	require.NoError(t, err)
	return n
}

func TestTheReferencePassesEveryCase(t *testing.T) {
	for _, c := range Suite().Cases {
		t.Run(c.ID, func(t *testing.T) {
			for seed := range byte(3) {
				w := conformance.NewSim(reference(t, seed))
				w.Meet()
				run := finish(w, c.Run(w, conformance.Options{Seed: uint64(seed)}))
				if c.ID == "dht-id-address" {
					require.Equal(t, conformance.Blocked, run.Outcome.Verdict, "loopback, where a Sim lives, is exempt from BEP 42")
					continue
				}
				require.Equal(t, conformance.Pass, run.Outcome.Verdict, "seed %d: expected %s; observed %s; %+v",
					seed, run.Outcome.Expected, run.Outcome.Observed, run.Outcome)
			}
		})
	}
}

func TestTheReferenceMeetsTheContractAndClaimsEverything(t *testing.T) {
	w := conformance.NewSim(reference(t, 1))
	run := finish(w, contract(w, conformance.Options{}))
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
	w = conformance.NewSim(reference(t, 1))
	c := claims(w, conformance.Options{})
	require.Equal(t, conformance.Profiles, c.Profiles)
	require.NotZero(t, c.ID)
	require.Equal(t, "KT", string(c.Version[:2]))
}

func TestNullTargetsDoNotMeetTheContract(t *testing.T) {
	for name, target := range nulls {
		w := conformance.NewSim(target())
		run := finish(w, contract(w, conformance.Options{}))
		require.NotEqual(t, conformance.Pass, run.Outcome.Verdict, name)
	}
}

func TestNeighboursAreKnownToTheReference(t *testing.T) {
	w := conformance.NewSim(reference(t, 1))
	run := play("test", Accept, func(s *Script) {
		near := s.Neighbours()
		s.Check(len(near) == 18, "18 neighbours that were asked", "fewer")
		n := s.Node()
		for _, x := range near {
			found := false
			for _, c := range n.FindNode(x.ID).WantReply().Nodes() {
				found = found || c.ID == x.ID && c.Addr == x.Addr
			}
			s.Check(found, "the neighbour among the closest to itself", "not there")
		}
	}, w, conformance.Options{})
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
}
