// Package gen derives the test vectors from the formulas of the spec, and with them the schemas of testvectors/.
//
// It imports nothing of this module but itself: with our codecs it would share their faults. Its own are written another way,
// for reading and not for speed: a tree of values, a reader that takes every spelling, and the rule that a canonical
// spelling is the one that writing the tree gives again. Each vector states its outcome, and gen refuses to write one with
// which its own reading does not agree.
//
// Start with [Files]. A group of vectors is a function that returns them, and one line in groups; the operations that they
// ask for stand in a table beside them and make the schemas: see operation.
package gen

import (
	"bytes"
	"encoding/json"
	"maps"
	"sync"
)

// version is the format's and the content's. While it ends in "-draft" vectors may still change; ids may not.
const version = "1-draft"

// A group is one file.
type group struct {
	name    string // of the file, without .json
	chapter string // of the spec, which its first requirements are of
	comment string
	vectors func() []vector
}

// groups stand in the order in which an implementer meets them.
var groups = []group{
	{"bencode", "wire", "Bencode in its one canonical form.", bencodeVectors},
	{"krpc", "wire", "KRPC messages of BEP 5, 32, 42, 43, 44 and 51, and what is none.", krpcVectors},
	{"compact", "wire", "Compact forms of peers and nodes.", compactVectors},
	{"bep42", "dht", "Node ids and the addresses that they fit.", bep42Vectors},
	{"bep44", "dht", "Items: targets, signatures, and what a node takes and refuses.", bep44Vectors},
	{"rendezvous", "rendezvous", "Identities, addresses, pair secrets, and records.", rendezvousVectors},
	{"handshake", "handshake", "Envelopes, knocks, offers, accepts, and the keys that come of them.", handshakeVectors},
	{"initiator", "handshake", "Scripts of who knocks: tries, fragments, and what is out.", initiatorVectors},
	{"responder", "handshake", "Scripts of who is knocked at: knocks, copies, and limits.", responderVectors},
	{"accepted", "handshake", "Scripts of what comes of an offer: accepts, half-open sessions, and the edge of an epoch.", acceptedVectors},
	{"ranks", "handshake", "Scripts of several handshakes of two people: which conversation lives.", rankVectors},
	{"ratchet", "ratchet", ratchetComment, ratchetVectors},
	{"conversation", "peer", conversationComment, conversationVectors},
}

// Files returns the content of each generated file by its name: a file for each group, schema.json and shim.schema.json. It panics
// when a vector contradicts itself: there is nobody to hand an error to, and a vector that is not certain is none.
func Files() map[string][]byte { return maps.Clone(files()) }

// files generates once: to search for bytes that break one rule and no other takes time.
var files = sync.OnceValue(generate)

func generate() map[string][]byte {
	out := map[string][]byte{"schema.json": indented(schema()), "shim.schema.json": indented(shimSchema())}
	for _, g := range groups {
		vectors := g.vectors()
		for _, v := range vectors {
			v.check()
		}
		out[g.name+".json"] = indented(object{
			{"$schema", "schema.json"}, {"version", version}, {"group", g.name}, {"chapter", g.chapter}, {"comment", g.comment}, {"vectors", vectors},
		})
	}
	return out
}

// indented writes JSON for people to read too.
func indented(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(enc.Encode(v))
	return b.Bytes()
}

// must stops the generator.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
