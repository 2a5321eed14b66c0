// Good is a judge that notices every mutant of package sample that can be noticed.
package main

import (
	"bytes"
	"errors"
	"fmt"

	"kith/internal/mutate/mutants"
	"kith/internal/mutate/testdata/sample"
)

func want[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("%v, not %v", got, want)
	}
	return nil
}

var complained bool

func main() {
	mutants.Judge([]mutants.Case{
		{Name: "leave", Run: func() error {
			if !sample.Leave(3) {
				return errors.New("something is left")
			}
			return nil
		}},
		{Name: "once", Run: func() error {
			if complained {
				return nil // as testing does after a failure with -failfast
			}
			complained = sample.Once() != 1
			return want(complained, false)
		}},
		{Name: "far", Run: func() error {
			done := make(chan struct{})
			go func() {
				if sample.Far() != 1 {
					panic("too far for recover")
				}
				close(done)
			}()
			<-done
			return nil
		}},
		{Name: "check", Run: func() error {
			for n, class := range []error{sample.ErrShort, sample.ErrShort, nil, nil, nil, sample.ErrLong} {
				if err := sample.Check(make([]byte, n)); !errors.Is(err, class) {
					return fmt.Errorf("%d: %w", n, err)
				}
			}
			return nil
		}},
		{Name: "lookup", Run: func() error {
			return want([3]int{sample.Lookup(0), sample.Lookup(1), sample.Lookup(2)}, [3]int{3, 5, 7})
		}},
		{Name: "label", Run: func() error { return want(string(sample.Label([]byte("a "))), "a kith") }},
		{Name: "between", Run: func() error {
			for _, c := range []struct {
				n      int
				always bool
				want   bool
			}{{1, false, false}, {2, false, true}, {3, false, true}, {4, false, false}, {5, false, false}, {5, true, true}} {
				if err := want(sample.Between(c.n, 2, 4, c.always), c.want); err != nil {
					return fmt.Errorf("%d: %w", c.n, err)
				}
			}
			return want(sample.Between(4, 2, 9, false), true)
		}},
		{Name: "sum", Run: func() error {
			return errors.Join(want(sample.Sum([]int{10, 3, 9, 14}), 24), want(sample.Series(7), 1369))
		}},
		{Name: "bits", Run: func() error {
			x, y, z := sample.Bits(0x1234, 0x0ff3)
			return errors.Join(want(x, 0x76), want(y, 0xfffff8dc), want(z, 0xffffeefd))
		}},
		{Name: "swapped", Run: func() error { return want(sample.Swapped(5, 3), 2) }},
		{Name: "make", Run: func() error { return want(*sample.Make(4, []byte{1}), sample.Pair{A: 4, B: 1}) }},
		{Name: "erase", Run: func() error {
			secret, n := []byte{1, 2}, -1
			sample.Erase(secret, &n)
			if !bytes.Equal(secret, []byte{0, 0}) || n != 0 {
				return fmt.Errorf("% x, %d", secret, n)
			}
			sample.Erase(nil, &n)
			return want(n, 7)
		}},
		{Name: "depth", Run: func() error { return want(sample.Depth(3), 3) }},
		{Name: "less", Run: func() error { return want(sample.Less(1, 2), true) }},
		{Name: "three", Run: func() error { return want(sample.Three(3), 1) }},
		{Name: "harmless", Run: func() error {
			return want([3]int{sample.Harmless(-1), sample.Harmless(0), sample.Harmless(1)}, [3]int{0, 0, 1})
		}},
		{Name: "unseen", Run: func() error { return want(sample.Unseen(false, false), false) }},
		{Name: "next", Run: func() error {
			for i := 0; i != 5; i += sample.Next() {
				for sample.Next() < 1 {
					for {
						// No place is executed here any more.
					}
				}
			}
			return nil
		}},
	})
}
