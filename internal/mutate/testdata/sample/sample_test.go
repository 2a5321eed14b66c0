package sample_test

import (
	"testing"

	"kith/internal/mutate/testdata/sample"
)

func TestSwapped(t *testing.T) {
	if sample.Swapped(5, 3) != 2 {
		t.Fatal("swapped")
	}
}

func TestDepth(t *testing.T) {
	t.Run("three", func(t *testing.T) {
		if sample.Depth(3) != 3 {
			t.Error("not so deep")
		}
	})
}
