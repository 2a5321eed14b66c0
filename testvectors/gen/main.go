// Command gen derives the test vectors from the formulas of the spec and writes them as JSON.
//
// It imports nothing of this module: with our codecs it would share their faults. Its own are written another way, for
// reading and not for speed: a tree of values, a reader that takes every spelling, and the rule that a canonical spelling
// is the one that writing the tree gives again. Each vector states its outcome, and gen refuses to write one with which
// its own reading of the bytes does not agree.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// version is the format's and the content's. While it ends in "-draft" vectors may still change; ids may not.
const version = "1-draft"

func main() {
	dir := flag.String("dir", ".", "the folder to write to")
	flag.Parse()
	for name, content := range files() {
		if err := os.WriteFile(filepath.Join(*dir, name), content, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

// A group is one file.
type group struct {
	Schema  string   `json:"$schema"`
	Version string   `json:"version"`
	Group   string   `json:"group"`
	Chapter string   `json:"chapter"`
	Comment string   `json:"comment"`
	Vectors []vector `json:"vectors"`
}

// files returns the content of each file by its name.
func files() map[string][]byte {
	out := map[string][]byte{}
	for _, g := range []group{
		{Group: "bencode", Chapter: "wire", Comment: "Bencode in its one canonical form.", Vectors: bencodeVectors()},
		{Group: "krpc", Chapter: "wire", Comment: "KRPC messages of BEP 5, 32, 42, 43, 44 and 51, and what is none.", Vectors: krpcVectors()},
		{Group: "compact", Chapter: "wire", Comment: "Compact forms of peers and nodes.", Vectors: compactVectors()},
		{Group: "bep42", Chapter: "dht", Comment: "Node ids and the addresses that they fit.", Vectors: bep42Vectors()},
		{Group: "bep44", Chapter: "dht", Comment: "Items: targets, signatures, and what a node takes and refuses.", Vectors: bep44Vectors()},
	} {
		g.Schema, g.Version = "schema.json", version
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		must(enc.Encode(g))
		out[g.Group+".json"] = b.Bytes()
	}
	return out
}

// must stops the generator: there is nobody to hand an error to, and a vector that is not certain is none.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
