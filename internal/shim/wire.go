package shim

import (
	"net/netip"
	"slices"
	"strconv"

	"kith/wire"
)

var wireOperations = map[string]operation{
	"wire.bencode":          {ask: wireBencode},
	"wire.krpc":             {ask: wireKRPC},
	"wire.peer":             {ask: wirePeer},
	"wire.node":             {ask: wireNode},
	"wire.nodes":            {ask: wireNodes},
	"wire.nodes6":           {ask: wireNodes6},
	"wire.values":           {ask: wireValues},
	"wire.target-immutable": {ask: wireTargetImmutable},
	"wire.target-mutable":   {ask: wireTargetMutable},
}

// input is the in of most operations of wire.
type input struct {
	Input octets `json:"input"`
}

// A tree is a bencoded value: one of its fields is set.
type tree struct {
	Int   *decimal `json:"int,omitempty"`
	Bytes *octets  `json:"bytes,omitempty"`
	List  *[]tree  `json:"list,omitempty"`
	Dict  *[]entry `json:"dict,omitempty"`
}

type entry struct {
	Key   octets `json:"key"`
	Value tree   `json:"value"`
}

// decimal is an integer of 64 bits, as a string.
type decimal int64

func (d decimal) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(d), 10), nil }

func (d *decimal) UnmarshalText(text []byte) error {
	i, err := strconv.ParseInt(string(text), 10, 64)
	*d = decimal(i)
	return err
}

func wireBencode(c *call) (any, error) {
	b := in[input](c).Input
	if err := wire.CheckBencode(b); err != nil {
		return nil, err
	}
	value, _ := readTree(b)
	return struct {
		Value  tree   `json:"value"`
		Output octets `json:"output"`
	}{value, value.append(nil)}, nil
}

// readTree reads the first value of b, which CheckBencode has taken, and returns what stands behind it.
func readTree(b []byte) (tree, []byte) {
	switch b[0] {
	case 'i':
		end := slices.Index(b, 'e')
		i, _ := strconv.ParseInt(string(b[1:end]), 10, 64)
		return tree{Int: (*decimal)(&i)}, b[end+1:]
	case 'l':
		list := []tree{}
		for b = b[1:]; b[0] != 'e'; {
			var item tree
			item, b = readTree(b)
			list = append(list, item)
		}
		return tree{List: &list}, b[1:]
	case 'd':
		dict := []entry{}
		for b = b[1:]; b[0] != 'e'; {
			var e entry
			var key tree
			key, b = readTree(b)
			e.Key = *key.Bytes
			e.Value, b = readTree(b)
			dict = append(dict, e)
		}
		return tree{Dict: &dict}, b[1:]
	}
	colon := slices.Index(b, ':')
	n, _ := strconv.Atoi(string(b[:colon]))
	s := octets(b[colon+1 : colon+1+n])
	return tree{Bytes: &s}, b[colon+1+n:]
}

func (v tree) append(b []byte) []byte {
	switch {
	case v.Int != nil:
		return wire.AppendInt(b, int64(*v.Int))
	case v.Bytes != nil:
		return wire.AppendString(b, []byte(*v.Bytes))
	case v.List != nil:
		b = append(b, 'l')
		for _, item := range *v.List {
			b = item.append(b)
		}
	default:
		b = append(b, 'd')
		for _, e := range *v.Dict {
			b = e.Value.append(wire.AppendString(b, []byte(e.Key)))
		}
	}
	return append(b, 'e')
}

func wirePeer(c *call) (any, error) {
	a, err := wire.ParseAddrPort(in[input](c).Input)
	return struct {
		Address netip.AddrPort `json:"address"`
		Output  octets         `json:"output"`
	}{a, octetsOf(err, func() []byte { return wire.AppendAddrPort(nil, a) })}, err
}

// octetsOf writes what was read without an error.
func octetsOf(err error, write func() []byte) octets {
	if err != nil {
		return nil
	}
	return write()
}

type node struct {
	ID      octets         `json:"id"`
	Address netip.AddrPort `json:"address"`
}

func nodeOf(n wire.Node) node { return node{n.ID[:], n.Addr} }

func wireNode(c *call) (any, error) {
	n, err := wire.ParseNode(in[input](c).Input)
	return struct {
		Node   node   `json:"node"`
		Output octets `json:"output"`
	}{nodeOf(n), octetsOf(err, func() []byte { return wire.AppendNode(nil, n) })}, err
}

// inReply makes a reply with a bencoded value under a key, and reads it.
func inReply(key string, value []byte, m *wire.Message) error {
	b := wire.AppendString([]byte("d1:rd"), key)
	b = append(b, value...)
	return wire.ParseMessage(append(b, "e1:t2:aa1:y1:re"...), m)
}

type nodesOut struct {
	Nodes  []node `json:"nodes"`
	Output octets `json:"output"`
}

func (o *nodesOut) add(n wire.Node) {
	o.Nodes, o.Output = append(o.Nodes, nodeOf(n)), wire.AppendNode(o.Output, n)
}

func wireNodes(c *call) (any, error) {
	var m wire.Message
	if err := inReply("nodes", wire.AppendString(nil, []byte(in[input](c).Input)), &m); err != nil {
		return nil, err
	}
	out := nodesOut{Nodes: []node{}, Output: octets{}}
	for n := range m.Nodes.All() {
		out.add(n)
	}
	return out, nil
}

func wireNodes6(c *call) (any, error) {
	var m wire.Message
	if err := inReply("nodes6", wire.AppendString(nil, []byte(in[input](c).Input)), &m); err != nil {
		return nil, err
	}
	out := nodesOut{Nodes: []node{}, Output: octets{}}
	for n := range m.Nodes6.All() {
		out.add(n)
	}
	return out, nil
}

func wireValues(c *call) (any, error) {
	var m wire.Message
	if err := inReply("values", in[input](c).Input, &m); err != nil {
		return nil, err
	}
	peers, written := []netip.AddrPort{}, wire.Values{}
	for a := range m.Values.All() {
		peers, written = append(peers, a), wire.AppendValue(written, a)
	}
	return struct {
		Peers  []netip.AddrPort `json:"peers"`
		Output octets           `json:"output"`
	}{peers, slices.Concat([]byte{'l'}, []byte(written), []byte{'e'})}, nil
}

type target struct {
	Target octets `json:"target"`
}

func targetOf(id wire.ID) target { return target{id[:]} }

func wireTargetImmutable(c *call) (any, error) {
	q := in[struct {
		V octets `json:"v"`
	}](c)
	return targetOf(wire.ImmutableTarget(q.V)), nil
}

func wireTargetMutable(c *call) (any, error) {
	q := in[struct {
		K    octets `json:"k"`
		Salt octets `json:"salt"`
	}](c)
	return targetOf(wire.MutableTarget(sized("k", q.K, 32), q.Salt)), nil
}
