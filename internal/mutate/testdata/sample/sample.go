// Package sample has at least one place for every kind of mutant.
package sample

import (
	"errors"
	"fmt"
)

var (
	ErrLong  = errors.New("sample: long")
	ErrShort = errors.New("sample: short")
)

var table = [3]int{3, 5, 7}

// dead is used by nothing that is executed.
var dead = [2]int{1, 2}

// Dead is never called.
func Dead(i int) int { return dead[i] + 1 }

// Lookup uses what is initialised before the first case.
func Lookup(i int) int { return table[i] }

func refuse(class error, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, class)...)
}

// Check has checks, comparisons, classes and texts for people.
func Check(b []byte) error {
	if len(b) < 2 {
		return refuse(ErrShort, "%d bytes", len(b))
	}
	long := func(what string) error { return fmt.Errorf("%s of %d bytes: %w", what, len(b)-4, ErrLong) }
	if len(b) > 4 {
		return long("argument")
	}
	return nil
}

// Label has a text that is not for people.
func Label(b []byte) []byte { return append(b, "kith"...) }

// Between has && and ||, and operands.
func Between(n, low, high int, always bool) bool {
	if always || n >= low && n < high {
		return true
	}
	return false
}

// Sum has a loop that ends whatever happens in it.
func Sum(list []int) (sum int) {
	for _, n := range list {
		if n < 10 {
			continue
		}
		sum += n
	}
	return sum
}

// Series has one that does not, and arithmetic.
func Series(upTo int) int {
	sum := 10
	for i := 0; i < upTo; i++ {
		sum = sum*2 - i/3 + i%5
	}
	return sum
}

// Bits has the operators on bits.
func Bits(a, b uint32) (x, y, z uint32) {
	x = a&b ^ a>>3
	y = a<<2 | ^b
	z = a &^ b
	z |= 0x100
	z--
	return x, y, -z
}

func minus(a, b int) int { return a - b }

// Swapped calls with two arguments of one type.
func Swapped(a, b int) int { return minus(a, b) }

// A Pair has fields.
type Pair struct{ A, B int }

// Make sets fields.
func Make(a int, b []byte) *Pair {
	p := &Pair{A: a}
	p.B = len(b)
	return p
}

// Erase has statements without a result.
func Erase(secret []byte, n *int) {
	defer clear(secret)
	*n++
	if *n == 0 {
		return
	}
	*n = 7
}

// Depth recurses, without end if its check is gone.
func Depth(n int) int {
	if n == 0 {
		return 0
	}
	return Depth(n-1) + 1
}

// A Flag is a boolean of its own, into which no mutant of a comparison fits.
type Flag bool

// Less returns one.
func Less(a, b int) Flag { return a < b }

// Three ends with a panic: without it a return is missing.
func Three(n int) int {
	if n == 3 {
		return 1
	}
	panic("not three")
}

// Harmless has a mutant that nobody can notice.
func Harmless(n int) int {
	if n > 0 {
		return n
	}
	return 0
}

// Unseen has an operand that the good judge never comes to.
func Unseen(a, b bool) bool { return a && !b }

var left bool

// Leave leaves something behind with a mutant.
func Leave(n int) bool {
	if n > 3 {
		left = true
	}
	return !left
}

// Once returns 1.
func Once() int { return 1 }

// Far returns 1.
func Far() int { return 1 }

// Next returns 1, by which the caller counts.
func Next() int { return 1 }
