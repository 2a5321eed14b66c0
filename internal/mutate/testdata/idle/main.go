// Idle is a judge that executes nothing of package sample.
package main

import (
	"kith/internal/mutate/mutants"
	_ "kith/internal/mutate/testdata/sample"
)

func main() {
	mutants.Judge([]mutants.Case{{Name: "nothing", Run: func() error { return nil }}})
}
