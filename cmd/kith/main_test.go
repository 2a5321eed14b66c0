package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestWhatDoesNotExistIsRefused(t *testing.T) {
	for args, says := range map[string]string{
		"confrom":            `no command "confrom"; did you mean conform?`,
		"conform dth":        `no command "dth"; did you mean dht?`,
		"dht pnig":           "did you mean ping?",
		"xyzzy":              `no command "xyzzy"` + "\n",
		"version now":        `"now": it takes no arguments`,
		"version --jsn":      "unknown flag: --jsn",
		"conform show":       "the id of a case",
		"conform explain":    "the id of a case or a requirement",
		"conform report a b": "the file",
		"conform list x":     "no arguments",
		"conform --seed -1":  "--seed",
		"dht get --timeout":  "flag needs an argument",
	} {
		got := kith(t, strings.Fields(args)...)
		require.Equal(t, exitUsage, got.code, args)
		require.Empty(t, got.out, args)
		require.Contains(t, got.errs, says, args)
		require.Contains(t, got.errs, "\nTry: kith", args)
	}
	require.Zero(t, kith(t).code)
}

// TestHelpFits shows all help in 60 columns and looks for a line that is wider; examples stay as they are.
func TestHelpFits(t *testing.T) {
	const width = 60
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		text := cmd.Long + "\n" + cmd.LocalFlags().FlagUsagesWrapped(width)
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			require.True(t, utf8.RuneCountInString(line) <= width || strings.HasPrefix(line, "  "), "%s: %q", cmd.CommandPath(), line)
		}
		for _, c := range cmd.Commands() {
			each(c)
		}
	}
	cmd := root()
	fitHelp(cmd, width)
	each(cmd)
}

// TestFilesAreOfferedWhereFilesAreMeant looks for what a shell is told to offer: files only where a file is meant.
func TestFilesAreOfferedWhereFilesAreMeant(t *testing.T) {
	const files, none, folders = ":0\n", ":4\n", ":16\n"
	for words, want := range map[string]string{
		"conform dht ": none, "conform dht --report ": files, "conform dht --expect ": files, "conform dht --target-log ": files, "conform --report ": files,
		"conform dht --transcripts ": folders, "conform dht --seed ": none, "conform report ": files, "conform list ": none, "version ": none,
		"node --state ": files, "node ": none, "dht put --file ": files, "dht put --key-file ": files, "dht put ": none, "dht ping ": none, "dht find ": none,
	} {
		got := kith(t, append([]string{"__complete"}, strings.Split(words, " ")...)...)
		require.True(t, strings.HasSuffix(got.out, want), "%s: %s", words, got.out)
	}
	require.Contains(t, kith(t, "__complete", "dht", "ping", "r").out, "router.bittorrent.com:6881\n")
}

func TestReflow(t *testing.T) {
	require.Equal(t, "one two\nthree\n\n  as it   is\n\nfour", reflow("one\ntwo three\n\n  as it   is\n\nfour", 8))
}
