package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kith/conformance"
)

// Help is set in lines of at most that many characters: longer ones are hard to read, and 80 is what a terminal has when nothing
// else is known.
const (
	helpMost  = 92
	helpUsual = 80
	helpLeast = 40
)

// helpWidth is how wide help may be where standard output goes.
func helpWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width <= 0 {
		return helpUsual
	}
	return max(helpLeast, min(width, helpMost))
}

// fitHelp sets the help of cmd, and of all commands below it, in lines of that width.
func fitHelp(cmd *cobra.Command, width int) {
	flags := ".FlagUsagesWrapped " + strconv.Itoa(width)
	cmd.SetUsageTemplate(strings.NewReplacer(
		".LocalFlags.FlagUsages", ".LocalFlags"+flags, ".InheritedFlags.FlagUsages", ".InheritedFlags"+flags,
	).Replace(cmd.UsageTemplate()))
	reflowLong(cmd, width)
}

func reflowLong(cmd *cobra.Command, width int) {
	cmd.Long = reflow(cmd.Long, width)
	for _, c := range cmd.Commands() {
		reflowLong(c, width)
	}
}

// reflow sets each paragraph anew, but for those that are indented.
func reflow(text string, width int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, " ") {
			continue
		}
		paragraphs[i] = conformance.Wrap(strings.ReplaceAll(p, "\n", " "), 0, width)
	}
	return strings.Join(paragraphs, "\n\n")
}
