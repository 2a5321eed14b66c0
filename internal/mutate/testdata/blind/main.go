// Blind is a judge that executes what the good one does and looks at nothing.
package main

import (
	"kith/internal/mutate/mutants"
	"kith/internal/mutate/testdata/sample"
)

func main() {
	mutants.Judge([]mutants.Case{{Name: "all", Run: func() error {
		for n := range 6 {
			_ = sample.Check(make([]byte, n))
		}
		sample.Label(nil)
		sample.Between(3, 2, 4, false)
		sample.Sum([]int{9, 10})
		sample.Bits(1, 2)
		sample.Swapped(1, 2)
		sample.Make(1, nil)
		return nil
	}}})
}
