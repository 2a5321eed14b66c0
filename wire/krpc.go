package wire

import (
	"net/netip"
	"strings"
)

// MaxDatagram is the longest datagram, in bytes, that ParseMessage takes.
const MaxDatagram = 4096 // wire-datagram-taken

// KithVersion is the value of v in what Kith's nodes send: KT, a major and a minor number.
const KithVersion = "KT\x00\x01" // wire-kith-version

// A Kind is the value of y: what a message is.
type Kind byte

// The kinds of message.
const (
	KindQuery Kind = 'q'
	KindReply Kind = 'r'
	KindError Kind = 'e'
)

// String returns the kind in words.
func (k Kind) String() string {
	switch k {
	case KindQuery:
		return "query"
	case KindReply:
		return "reply"
	case KindError:
		return "error"
	}
	return "unknown"
}

// A Message is one KRPC message (BEP 5, "KRPC Protocol"). The zero value of a field that is not needed is its absence, but T
// is always written, and for the fields of Body the bits in Has decide.
type Message struct {
	Kind     Kind           // y
	T        []byte         // t, the transaction id
	Method   []byte         // q, in a query
	Version  []byte         // v, program and version; nil: absent
	ReadOnly bool           // ro, in a query (BEP 43)
	IP       netip.AddrPort // ip, in a reply or error: where the query came from (BEP 42); not valid: absent
	Code     int64          // e, in an error: its number
	Text     []byte         // e, in an error: its text for people
	Body                    // a of a query, r of a reply; zero in an error
}

// A Keys is a set of keys of a Body.
type Keys uint32

// The keys that a Body knows, in the order in which they are written.
const (
	HasCAS Keys = 1 << iota
	HasID
	HasImpliedPort
	HasInfoHash
	HasInterval
	HasKey
	HasNodes
	HasNodes6
	HasNum
	HasPort
	HasSalt
	HasSamples
	HasSeq
	HasSig
	HasTarget
	HasToken
	HasValue
	HasValues
	HasWant
)

// keyNames are the names of the bits of Keys, from the lowest.
var keyNames = [...]string{
	"cas", "id", "implied_port", "info_hash", "interval", "k", "nodes", "nodes6", "num", "port", "salt", "samples", "seq", "sig",
	"target", "token", "v", "values", "want",
}

// All reports whether k has every key of need.
func (k Keys) All(need Keys) bool { return k&need == need }

// String returns the names of the keys as they stand in a message, parted by commas: what is missing, for one, is
// (need &^ m.Has).String().
func (k Keys) String() string {
	var names []string
	for i, name := range keyNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// A Want is the value of want (BEP 32): the kinds of nodes that a query asks for.
type Want uint8

// The families of nodes.
const (
	Want4 Want = 1 << iota // n4: nodes
	Want6                  // n6: nodes6
)

// A Body holds the arguments of a query or the return values of a reply. A field means something only if its bit is in Has.
type Body struct {
	Has Keys

	ID       ID // id, of the sender
	Target   ID // target
	InfoHash ID // info_hash

	Nodes  Nodes4 // nodes
	Nodes6 Nodes6 // nodes6
	Values Values // values
	Token  []byte // token

	Port        int64 // port, any number
	ImpliedPort bool  // implied_port; true for every number but 0
	Want        Want  // want; entries other than n4 and n6 are ignored

	Value []byte // v, one canonical bencoded value
	Key   []byte // k, 32 bytes
	Sig   []byte // sig, 64 bytes
	Salt  []byte // salt, of any length
	Seq   int64  // seq, not negative
	CAS   int64  // cas, not negative

	Samples  Samples // samples
	Num      int64   // num, any number
	Interval int64   // interval in seconds, any number
}
