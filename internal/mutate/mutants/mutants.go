// Package mutants is the half of the mutator that is linked into the judged program. The packages under test are compiled from
// rewritten copies, in which each place that can be mutated asks this package which mutant is on; a judge hands its cases to
// [Judge], which is all that it needs to know of mutants. In an ordinary build nothing calls the rest.
package mutants

import (
	"fmt"
	"math"
	"os"
	"strconv"
)

// EnvMutant is the environment variable that turns one mutant on from the first instruction, by its number.
const EnvMutant = "KITH_MUTANT"

// MaxMutants is one more than the highest number that a mutant can have.
const MaxMutants = 1 << 18

var (
	chosen  = fromEnvironment() // the mutant that is on; 0: none
	visited [MaxMutants]bool    // by the first mutant of each place that was executed
	steps   uint64              // places executed since the case began
	limit   uint64              = math.MaxUint64
)

func fromEnvironment() uint32 {
	s := os.Getenv(EnvMutant)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic(fmt.Sprintf("mutants: %s is not a number: %q", EnvMutant, s))
	}
	return uint32(n)
}

// A runaway is what the program panics with when it executes far more places than it does without a mutant. It stands in for
// most deadlines, so that an endless loop is found at once and the verdict does not depend on how busy the machine is.
type runaway struct{}

func (runaway) Error() string { return "runs away" }

// visit notes that the place of the mutants from first on is executed.
func visit(first uint32) {
	visited[first] = true
	if steps++; steps > limit {
		panic(runaway{}) // again and again, where somebody recovers
	}
}

// On reports whether the mutant id is on.
func On(id uint32) bool {
	if chosen != id {
		return false
	}
	visit(id)
	return true
}

// Off reports whether none of the mutants of a place is on: neither first nor one between it and end.
func Off(first, end uint32) bool {
	visit(first)
	return chosen < first || chosen >= end
}

// at reports whether the mutant id is on, where it is the only one of its place.
func at(id uint32) bool {
	visit(id)
	return chosen == id
}

type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type number interface {
	integer | ~float32 | ~float64
}

// Step returns v, with the mutant id on v + by.
func Step[T integer](id uint32, v, by T) T {
	if at(id) {
		return v + by
	}
	return v
}

// Back returns v, with the mutant id on v - by.
func Back[T integer](id uint32, v, by T) T {
	if at(id) {
		return v - by
	}
	return v
}

// Text returns s, with the mutant id on s with another first byte. s must not be empty.
func Text[T ~string](id uint32, s T) T {
	if at(id) {
		b := []byte(s)
		b[0] ^= 1
		return T(b)
	}
	return s
}

// Not returns b, with the mutant id on its opposite.
func Not[T ~bool](id uint32, b T) T {
	if at(id) {
		return !b
	}
	return b
}

// Zero returns v, with the mutant id on the zero value of its type.
func Zero[T any](id uint32, v T) T {
	if at(id) {
		return *new(T)
	}
	return v
}

// Or returns a, with the mutant id on b.
func Or[T any](id uint32, a, b T) T {
	if at(id) {
		return b
	}
	return a
}

// Neg returns v, with the mutant id on -v.
func Neg[T number](id uint32, v T) T {
	if at(id) {
		return -v
	}
	return v
}

// Com returns ^v, with the mutant id on v.
func Com[T integer](id uint32, v T) T {
	if at(id) {
		return v
	}
	return ^v
}

// Add returns a + b, with the mutant id on a - b.
func Add[T number](id uint32, a, b T) T {
	if at(id) {
		return a - b
	}
	return a + b
}

// Sub returns a - b, with the mutant id on a + b.
func Sub[T number](id uint32, a, b T) T {
	if at(id) {
		return a + b
	}
	return a - b
}

// Mul returns a * b, with the mutant id on a + b, because a quotient could divide by zero.
func Mul[T number](id uint32, a, b T) T {
	if at(id) {
		return a + b
	}
	return a * b
}

// Quo returns a / b, with the mutant id on a * b.
func Quo[T number](id uint32, a, b T) T {
	if at(id) {
		return a * b
	}
	return a / b
}

// Rem returns a % b, with the mutant id on a / b.
func Rem[T integer](id uint32, a, b T) T {
	if at(id) {
		return a / b
	}
	return a % b
}

// And returns a & b, with the mutant id on a | b.
func And[T integer](id uint32, a, b T) T {
	if at(id) {
		return a | b
	}
	return a & b
}

// Ior returns a | b, with the mutant id on a & b.
func Ior[T integer](id uint32, a, b T) T {
	if at(id) {
		return a & b
	}
	return a | b
}

// Xor returns a ^ b, with the mutant id on a | b.
func Xor[T integer](id uint32, a, b T) T {
	if at(id) {
		return a | b
	}
	return a ^ b
}

// Andnot returns a &^ b, with the mutant id on a & b.
func Andnot[T integer](id uint32, a, b T) T {
	if at(id) {
		return a & b
	}
	return a &^ b
}

// Shl returns a << n, with the mutant id on a >> n.
func Shl[T, N integer](id uint32, a T, n N) T {
	if at(id) {
		return a >> n
	}
	return a << n
}

// Shr returns a >> n, with the mutant id on a << n.
func Shr[T, N integer](id uint32, a T, n N) T {
	if at(id) {
		return a << n
	}
	return a >> n
}
