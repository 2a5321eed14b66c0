// Broken is a judge that complains of everything.
package main

import (
	"errors"

	"kith/internal/mutate/mutants"
)

func main() {
	mutants.Judge([]mutants.Case{{Name: "any", Run: func() error { return errors.New("never content") }}})
}
