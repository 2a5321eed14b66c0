// Vectors is the judge that measures the test vectors: each is a case, answered by the reference shim.
//
//	go run ./internal/mutate -judge ./internal/mutate/vectors -survivors internal/mutate/survivors.txt -min 90 ./wire ./handshake ./ratchet
package main

import (
	"fmt"
	"os"

	"kith/internal/mutate/mutants"
	"kith/internal/shim"
	"kith/testvectors"
)

func main() {
	vectors, err := testvectors.All()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	byID := map[string]testvectors.Vector{}
	for _, v := range vectors {
		byID[v.ID] = v
	}
	var cases []mutants.Case
	for _, v := range vectors {
		// A vector that is refused says nothing if its twin is refused as well, so both are asked.
		asked := []testvectors.Vector{v}
		if twin, ok := byID[v.Twin]; ok {
			asked = append(asked, twin)
		}
		cases = append(cases, mutants.Case{Name: v.ID, Run: func() error { return verify(asked) }})
	}
	mutants.Judge(cases)
}

// verify asks a new shim, because no vector depends on those before it.
func verify(vectors []testvectors.Vector) error {
	s := shim.New()
	r := testvectors.Verify(vectors, func(q []byte) ([]byte, error) { return s.Answer(q), nil }, testvectors.Options{Canary: "mutants"})
	if r.Contract != nil {
		return r.Contract
	}
	for _, result := range r.Results {
		if result.Verdict != testvectors.Pass {
			return fmt.Errorf("%s: %s %v", result.Verdict, result.Why, result.Differences)
		}
	}
	return nil
}
