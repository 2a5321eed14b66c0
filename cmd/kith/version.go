package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// version is the binary's. The spec, the suite and the vectors carry their own.
const version = "0.1.0"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program and of what it implements",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "kith %s\n", version)
			return err
		},
	}
}
