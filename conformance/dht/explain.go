package dht

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"

	"kith/conformance"
)

// Explanation is what people want to know about a requirement that a node does not keep.
type Explanation struct {
	Sentence string // of the document that the requirement comes from, with its name
	Harm     string // what others suffer from it
	Mend     string // what to do
}

//go:embed explain.txt
var explanations string

// Explain returns the explanation of a requirement; of one that no case judges it is empty.
func Explain(requirement string) Explanation { return parseExplanations(explanations)[requirement] }

// parseExplanations reads blocks: the requirement's id on a line of its own, then lines that begin with "says", "harm" or "mend";
// an indented line goes on.
func parseExplanations(text string) map[string]Explanation {
	all := map[string]Explanation{}
	id := ""
	var field *string
	var x Explanation
	store := func() {
		if id != "" {
			all[id] = x
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case line[0] != ' ' && rest == "":
			store()
			id, x, field = word, Explanation{}, nil
		case strings.HasPrefix(line, "    ") && field != nil:
			*field += "\n" + strings.TrimSpace(line)
		default:
			switch word {
			case "says":
				field = &x.Sentence
			case "harm":
				field = &x.Harm
			case "mend":
				field = &x.Mend
			default:
				panic(fmt.Sprintf("conformance: explain.txt: %q begins no field", line))
			}
			*field = rest
		}
	}
	store()
	return all
}

// Demonstrate plays a case against the reference node in virtual time.
func Demonstrate(c *conformance.Case) (*conformance.Run, error) {
	m, err := conformance.NewReference(bytes.NewReader(bytes.Repeat([]byte{1}, 32)), conformance.Epoch)
	if err != nil {
		return nil, err
	}
	w := conformance.NewSim(m)
	w.Meet()
	return c.Run(w, conformance.Options{Seed: 1}), nil
}
