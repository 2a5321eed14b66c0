// Command write writes the test vectors into the present folder; go generate calls it. It is kith vectors gen without the rest of
// kith, so that vectors can be made while something else does not compile.
package main

import (
	"fmt"
	"os"

	"kith/testvectors/gen"
)

func main() {
	if _, err := gen.Write("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
