package dht

import (
	"bytes"
	"time"

	"kith/conformance/lenient"
)

// What the target itself asks.
func init() {
	asked := func(id string, check func(s *Script, q *Answer)) {
		Case(id, Accept, func(s *Script) {
			for _, q := range s.queries() {
				check(s, q)
			}
		})
	}

	asked("dht-query-t", func(s *Script, q *Answer) {
		s.Check(q.Message.HasT && len(q.Message.T) > 0, "a query with a `t` that is not empty", q.quote())
	})

	Case("dht-query-own-id", Accept, func(s *Script) {
		own := s.Node().Ping().WantReply().ID()
		for _, q := range s.queries() {
			id, ok := q.Message.A.ID("id")
			s.Check(ok && id == own, "a query with the `id` that the target's replies have", q.quote())
		}
	})

	asked("wire-krpc-query", func(s *Script, q *Answer) {
		s.Check(q.Message.Q != "" && q.Message.A.Kind == lenient.Dict, "a query with a string `q` and a dictionary `a`", q.quote())
	})

	asked("wire-krpc-version-query", func(s *Script, q *Answer) {
		v, _ := q.Top("v")
		s.Check(len(v.Str) > 0, "a query with a `v`", q.quote())
	})

	asked("wire-key-order-query", func(s *Script, q *Answer) {
		for _, f := range q.Message.Flaws {
			s.Check(!isOrder(f), "keys in order, each once", f.String()+" of "+q.quote())
		}
	})

	// Nobody answers: the query may be given up, or another asked, but not sent again. After ten seconds it is another query to a node that may
	// have come back, even if it has the same bytes.
	once := func(s *Script, d time.Duration) {
		x := s.Node().Newcomer(1).Mute()
		x.Join(patience)
		s.Wait(d)
		for i, q := range x.Asked() {
			for _, before := range x.Asked()[:i] {
				s.Check(!bytes.Equal(q.Raw, before.Raw) || q.At-before.At > 10*time.Second, "every query once", "again: "+q.quote())
			}
		}
	}
	Case("dht-query-once", Accept, func(s *Script) { once(s, patience/2) })
	Case("dht-query-once-half-a-minute", Accept, func(s *Script) { once(s, 30*time.Second) }).Slow()
}

// queries are the target's own: the first that each neighbour got, or those to a newcomer.
func (s *Script) queries() (all []*Answer) {
	for _, x := range s.Neighbours() {
		if m, err := lenient.Parse(x.Query); err == nil {
			all = append(all, &Answer{Message: m, Raw: x.Query, From: s.Target()})
		}
	}
	if len(all) > 0 {
		return all
	}
	x := s.Node().Newcomer(1)
	x.Join(patience)
	return x.asked
}

func (a *Answer) quote() string { return short(render(a.Raw)) }
