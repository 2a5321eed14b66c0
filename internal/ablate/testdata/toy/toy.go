// Package toy is what the tests of ablate take rules out of.
package toy

// Add returns a + b.
func Add(a, b uint64) uint64 {
	sum := a + b // toy-add
	return sum
}
