package dht

import (
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kith/conformance"
	"kith/conformance/lenient"
)

//go:embed *.multi
var multi embed.FS

// row is one line of a table: id | requirement | packet | expected.
type row struct {
	id, requirement, packet string
	expected                expected
	line                    int
}

// expected is the last column: reply, error, error 203, error 203,204, silence, no reply, silence or error 203, any.
type expected struct {
	kind  conformance.Kind
	codes []int64
	want  func(q *Sent, codes []int64)
}

func parseTable(text string) (rows []row, err error) {
	for i, l := range strings.Split(text, "\n") {
		if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		f := strings.Split(l, " | ")
		if len(f) != 4 {
			return nil, fmt.Errorf("%d: %d columns and not 4 (write a bar in a packet as \\x7c)", i+1, len(f))
		}
		r := row{id: strings.TrimSpace(f[0]), requirement: strings.TrimSpace(f[1]), packet: strings.TrimSpace(f[2]), line: i + 1}
		if r.expected, err = parseExpected(strings.TrimSpace(f[3])); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
		if _, err := fill(r.packet, func(string) ([]byte, bool) { return nil, true }); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func parseExpected(s string) (e expected, err error) {
	word, numbers, _ := strings.Cut(s, "error")
	for n := range strings.SplitSeq(strings.TrimSpace(numbers), ",") {
		if n = strings.TrimSpace(n); n == "" {
			continue
		}
		c, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return e, fmt.Errorf("expected %q: %w", s, err)
		}
		e.codes = append(e.codes, c)
	}
	hasError := strings.Contains(s, "error")
	switch word = strings.TrimSpace(word); {
	case hasError && word == "":
		e.kind, e.want = Reject, func(q *Sent, codes []int64) { q.WantError(codes...) }
	case hasError && word == "silence or":
		e.kind, e.want = Reject, func(q *Sent, codes []int64) { q.WantErrorOrSilence(codes...) }
	case s == "no reply":
		e.kind, e.want = Reject, func(q *Sent, _ []int64) { q.WantNoReply() }
	case s == "silence":
		e.kind, e.want = Silence, func(q *Sent, _ []int64) { q.WantSilence() }
	case s == "reply":
		e.kind, e.want = Accept, func(q *Sent, _ []int64) { q.WantReply() }
	case s == "any":
		e.kind, e.want = Survive, func(q *Sent, _ []int64) { q.Outcome() }
	default:
		return e, fmt.Errorf("expected %q is not reply, error, error N, silence, silence or error, no reply or any", s)
	}
	return e, nil
}

// fill writes out \xNN and <name>.
func fill(packet string, value func(name string) ([]byte, bool)) ([]byte, error) {
	var b []byte
	for i := 0; i < len(packet); i++ {
		switch c := packet[i]; {
		case c == '\\':
			if i+4 > len(packet) || packet[i+1] != 'x' {
				return nil, fmt.Errorf("packet: a backslash that is not \\xNN")
			}
			x, err := hex.DecodeString(packet[i+2 : i+4])
			if err != nil {
				return nil, fmt.Errorf("packet: %w", err)
			}
			b = append(b, x...)
			i += 3
		case c == '<':
			end := strings.IndexByte(packet[i:], '>')
			if end < 0 {
				return nil, fmt.Errorf("packet: a placeholder without its > (write a < as \\x3c)")
			}
			name := packet[i+1 : i+end]
			v, ok := value(name)
			if !ok {
				return nil, fmt.Errorf("packet: no placeholder is called <%s>", name)
			}
			b = append(b, v...)
			i += end
		default:
			b = append(b, c)
		}
	}
	return b, nil
}

// play sends the row's packet between two right queries of the same method.
func (r row) play(s *Script) {
	target := s.ID()
	method := methodOf(r.packet)
	send := func(n *Node) *Sent {
		b, err := fill(r.packet, func(name string) ([]byte, bool) {
			switch name {
			case "id":
				return n.ID[:], true
			case "t":
				return s.Bytes(4), true
			case "target":
				return target[:], true
			case "random20":
				return s.Bytes(20), true
			case "token":
				var token []byte
				s.Given(func() { token = tokenFor(n, method, target) })
				return lenient.Encode(token), true
			}
			return nil, false
		})
		if err != nil {
			panic(err.Error())
		}
		return n.Raw(b).Send()
	}
	if r.expected.kind == Accept {
		r.expected.want(send(s.Node()), r.expected.codes)
		return
	}
	s.Judge(func(n *Node) { rightQuery(n, method, target) }, func(n *Node) { r.expected.want(send(n), r.expected.codes) })
}

var methodName = regexp.MustCompile(`1:q[0-9]+:([a-z_]+)`)

// methodOf finds the method that a packet names, however bent it is.
func methodOf(packet string) string {
	if m := methodName.FindStringSubmatch(packet); m != nil {
		for _, known := range []string{"ping", "find_node", "get_peers", "announce_peer", "get", "put", "sample_infohashes"} {
			// The name runs into the next key, whose length begins with a digit and so ends it.
			if m[1] == known {
				return known
			}
		}
	}
	return "ping"
}

// tokenFor asks for a token with the query that goes before the method.
func tokenFor(n *Node, method string, target [20]byte) []byte {
	if method == "put" || method == "get" {
		return n.Get(target).WantReply().Token()
	}
	return n.GetPeers(target).WantReply().Token()
}

// rightQuery asks one right query of a method and wants the reply.
func rightQuery(n *Node, method string, target [20]byte) {
	switch method {
	case "find_node":
		n.FindNode(target).WantReply()
	case "get_peers":
		n.GetPeers(target).WantReply()
	case "announce_peer":
		n.Announce(target, tokenFor(n, method, target), 6881).WantReply()
	case "get":
		n.Get(target).WantReply()
	case "put":
		it := n.s.Immutable(n.s.Bytes(8))
		n.Put(tokenFor(n, method, it.Target()), it).WantReply()
	case "sample_infohashes":
		n.Sample(target).WantReply()
	default:
		n.Ping().WantReply()
	}
}
