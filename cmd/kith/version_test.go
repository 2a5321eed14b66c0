package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	"kith/spec"
	"kith/testvectors"
)

func TestVersionNamesAllThatHaveOne(t *testing.T) {
	var out bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"version"})
	require.NoError(t, cmd.Execute())
	require.Equal(t, "kith "+version+"\nspec "+spec.Version+"\nsuite "+conformance.Version+"\nvectors "+testvectors.Version+"\n", out.String())

	out.Reset()
	cmd.SetArgs([]string{"version", "--json"})
	require.NoError(t, cmd.Execute())
	var got map[string]string
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, map[string]string{"kith": version, "spec": spec.Version, "suite": conformance.Version, "vectors": testvectors.Version}, got)
}
