package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kith/conformance"
	"kith/spec"
	"kith/testvectors"
)

// version is the binary's. The spec, the suite and the vectors carry their own.
const version = "0.1.0"

func versionCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program and of what it implements",
		Long: `Print the versions of this program, of the spec that it implements, of the conformance
suite and of the test vectors. They change apart from one another.`,
		Example: `  kith version
  kith version --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				b, err := json.Marshal(struct {
					Kith    string `json:"kith"`
					Spec    string `json:"spec"`
					Suite   string `json:"suite"`
					Vectors string `json:"vectors"`
				}{version, spec.Version, conformance.Version, testvectors.Version})
				if err != nil {
					return err
				}
				return pour(cmd, string(b)+"\n", exitFailed)
			}
			return pour(cmd, fmt.Sprintf("kith %s\nspec %s\nsuite %s\nvectors %s\n", version, spec.Version, conformance.Version, testvectors.Version), exitFailed)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}
