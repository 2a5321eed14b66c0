package dht

import "kith/wire"

// A Method is one of the queries that a node knows.
type Method uint8

// The methods, by their names in q.
const (
	MethodPing     Method = iota // ping
	MethodFindNode               // find_node
	MethodGetPeers               // get_peers
	MethodAnnounce               // announce_peer
	MethodGet                    // get
	MethodPut                    // put
	MethodSample                 // sample_infohashes
	MethodUnknown                // any other
	methods
)

var methodNames = [methods]string{"ping", "find_node", "get_peers", "announce_peer", "get", "put", "sample_infohashes", "unknown"}

// String returns the method's name as it stands in q.
func (m Method) String() string { return methodNames[m] }

func methodOf(q []byte) Method {
	switch string(q) {
	case "ping":
		return MethodPing
	case "find_node":
		return MethodFindNode
	case "get_peers":
		return MethodGetPeers
	case "announce_peer":
		return MethodAnnounce
	case "get":
		return MethodGet
	case "put":
		return MethodPut
	case "sample_infohashes":
		return MethodSample
	}
	return MethodUnknown
}

// The errors that a node sends, as indices of Stats.ErrorsSent.
const (
	errProtocol    = iota // 203
	errMethod             // 204
	errValueSize          // 205
	errSignature          // 206
	errSaltSize           // 207
	errCAS                // 301
	errSeq                // 302
	errorsSent            // how many there are
	errorFirstCode = 203
)

var errorCodes = [errorsSent]int64{203, 204, 205, 206, 207, 301, 302}

// Stats counts what a node has done since it was made, and measures what it holds now. Whoever simulates or watches a node can
// tell from it that something happened, and what.
type Stats struct {
	// What came in.
	Datagrams uint64 // all
	Foreign   uint64 // of them: first byte not d, or from an address that nobody can have
	Ignored   uint64 // neither query nor answer, or a query that got no answer: no t, too short for an error, we are read-only
	Limited   uint64 // queries that their source's limit left unanswered
	Queries   [methods]uint64
	Answers   uint64 // replies and errors to our queries, late ones also
	Late      uint64 // of them: after 2 s
	Refusals  uint64 // of them: errors
	Garbled   uint64 // of them: replies that cannot be read
	Unasked   uint64 // replies and errors that answer none of our queries, or come from elsewhere
	Impostors uint64 // replies under another id than the one asked

	// What went out.
	Replies    uint64
	ErrorsSent [errorsSent]uint64 // 203, 204, 205, 206, 207, 301, 302
	Sent       [methods]uint64    // queries
	Lost       uint64             // queries without an answer in 2 s
	Paced      uint64             // queries not sent, or later, because their address had had enough
	Spared     uint64             // queries not sent, or later, because two to their address had no answer
	Crowded    uint64             // queries not sent, or later, because 1,024 were waiting

	// What was done.
	Announced  uint64 // peers stored for others
	Put        uint64 // items stored for others
	Refreshed  uint64 // items put again as they were
	Verified   uint64 // signatures verified
	Evicted    uint64 // peers, info-hashes and items that gave way to others
	Strangers  uint64 // nodes pinged because they had asked
	Probes     uint64 // questionable nodes pinged
	Lookups    uint64 // look-ups begun
	LookupsEnd uint64 // and ended
	Entered    uint64 // contacts taken into look-ups
	Unnatural  uint64 // contacts and peers dropped because their addresses are not global
	Forged     uint64 // values and items that were not what was asked for
	NewIDs     uint64 // ids taken because of an address
	Votes      uint64 // opinions of others about our address

	// What there is now.
	Nodes    [2]int // in the table, by family
	Good     [2]int // of them
	Buckets  [2]int
	Waiting  int // queries that may still be answered in time
	Active   int // look-ups
	Hashes   int // info-hashes with peers
	Peers    int
	Items    int
	ReadOnly [2]bool // ro is set in queries
}

// Stats returns the counters and gauges of the present.
func (n *Node) Stats() Stats {
	s := n.stats
	for i, o := range n.overlays {
		if o == nil {
			continue
		}
		s.Nodes[i], s.Good[i] = o.table.size(n.now)
		s.Buckets[i] = len(o.table.buckets)
		hashes, peers := o.peers.size(n.now)
		s.Hashes += hashes
		s.Peers += peers
		s.Evicted += o.peers.evicted
		s.ReadOnly[i] = o.readOnly()
	}
	s.Waiting = n.queries.waiting
	s.Active = len(n.lookups)
	s.Items = n.items.size(n.now)
	s.Evicted += n.items.evicted
	return s
}

// Each calls f with the name and value of every counter and gauge, always in the same order. Names are as Prometheus has them: lower
// case, the counters ending in _total, a label in braces where a field has several values.
func (s *Stats) Each(f func(name string, value uint64)) {
	f("datagrams_total", s.Datagrams)
	f("foreign_total", s.Foreign)
	f("ignored_total", s.Ignored)
	f("limited_total", s.Limited)
	for m, v := range s.Queries {
		f(`queries_total{method="`+methodNames[m]+`"}`, v)
	}
	f("answers_total", s.Answers)
	f("late_total", s.Late)
	f("refusals_total", s.Refusals)
	f("garbled_total", s.Garbled)
	f("unasked_total", s.Unasked)
	f("impostors_total", s.Impostors)
	f("replies_total", s.Replies)
	for i, v := range s.ErrorsSent {
		f(`errors_total{code="`+string(wire.AppendInt(nil, errorCodes[i])[1:4])+`"}`, v)
	}
	for m, v := range s.Sent[:MethodUnknown] {
		f(`sent_total{method="`+methodNames[m]+`"}`, v)
	}
	f("lost_total", s.Lost)
	f("paced_total", s.Paced)
	f("spared_total", s.Spared)
	f("crowded_total", s.Crowded)
	f("announced_total", s.Announced)
	f("put_total", s.Put)
	f("refreshed_total", s.Refreshed)
	f("verified_total", s.Verified)
	f("evicted_total", s.Evicted)
	f("strangers_total", s.Strangers)
	f("probes_total", s.Probes)
	f("lookups_total", s.Lookups)
	f("lookups_ended_total", s.LookupsEnd)
	f("entered_total", s.Entered)
	f("unnatural_total", s.Unnatural)
	f("forged_total", s.Forged)
	f("new_ids_total", s.NewIDs)
	f("votes_total", s.Votes)
	for i := range s.Nodes {
		label := `{family="` + Family(i).String() + `"}`
		f("nodes"+label, uint64(s.Nodes[i]))
		f("nodes_good"+label, uint64(s.Good[i]))
		f("buckets"+label, uint64(s.Buckets[i]))
		var ro uint64
		if s.ReadOnly[i] {
			ro = 1
		}
		f("read_only"+label, ro)
	}
	f("waiting", uint64(s.Waiting))
	f("lookups_active", uint64(s.Active))
	f("info_hashes", uint64(s.Hashes))
	f("peers", uint64(s.Peers))
	f("items", uint64(s.Items))
}
