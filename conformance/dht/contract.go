package dht

import (
	"slices"

	"kith/conformance"
)

// contract is what makes a target a target: it answers pings with the `t` they had and one id, and it does not answer everything.
// What does not pass this would pass or fail the cases by accident.
func contract(w conformance.World, o conformance.Options) *conformance.Run {
	return play("contract", Silence, func(s *Script) {
		s.anyFamily()
		n := s.Node()
		s.stage = inBody
		id := n.Ping().WantReply().ID()
		r := n.Ping().WantReply()
		r.Check(r.ID() == id, "the id that the first reply had")
		s.Judge(
			func(n *Node) { n.Ping().WantReply() },
			// The canary: a reply that nobody asked for. A target that replies to it replies to everything, and two such targets
			// would never stop. An error says at least that something is wrong.
			func(n *Node) {
				n.Dict(dict("r", dict("id", n.ID), "t", s.Bytes(4), "y", "r")).WantNoReply()
			},
		)
	}, w, o)
}

// claims asks for what each profile adds, once and without judging it.
func claims(w conformance.World, o conformance.Options) *conformance.Claims {
	s := newScript("claims", Accept, w, o)
	c := &conformance.Claims{Profiles: []string{"bep5"}, Log: &s.log}
	claim := func(profile string, ok bool) {
		if ok && !slices.Contains(c.Profiles, profile) {
			c.Profiles = append(c.Profiles, profile)
		}
	}
	s.run(func(s *Script) {
		s.anyFamily()
		n := s.Node()
		r := n.Ping().WantReply()
		c.ID = r.ID()
		v, _ := r.Top("v")
		c.Version = slices.Clone(v.Str)
		kith := len(v.Str) == 4 && string(v.Str[:2]) == "KT"
		_, ip := r.IP()
		claim("bep42", ip)
		// A node that reads `want` sends nodes6 where it would have sent nodes. The one that does not knows no BEP 32.
		if a := n.FindNode(s.ID()).Want("n6").Outcome(); a.IsReply() {
			_, six := a.Message.R.Get("nodes6")
			claim("bep32", six)
		}
		if a := n.Get(s.ID()).Outcome(); a.IsReply() {
			_, token := a.Message.R.Get("token")
			claim("bep44", token)
		}
		if a := n.Sample(s.ID()).Outcome(); a.IsReply() {
			_, samples := a.Message.R.Get("samples")
			claim("bep51", samples)
		}
		// Nothing that a node answers shows that it knows BEP 43. A `ro` in its own queries does.
		for _, q := range n.Asked() {
			_, ro := q.Top("ro")
			claim("bep43", ro)
		}
		_, six := w.Target(true)
		claim("bep32", six)
		for _, p := range conformance.Profiles {
			claim(p, kith)
		}
	})
	slices.SortFunc(c.Profiles, func(a, b string) int {
		return slices.Index(conformance.Profiles, a) - slices.Index(conformance.Profiles, b)
	})
	return c
}
