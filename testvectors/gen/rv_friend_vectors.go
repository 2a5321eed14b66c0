package gen

import "strings"

// badFriends asks the operations of some accepted vectors again, with a friend that is no contact: each operation that has one checks it.
func badFriends(all []vector, twins ...string) (out []vector) {
	for _, twin := range twins {
		for _, v := range all {
			if v.id != twin {
				continue
			}
			_, suffix, _ := strings.Cut(v.op, ".")
			ask := func(rule, comment, key string) {
				own := ""
				if seed, ok := v.in.get("seed"); ok {
					own = ed25519Public(fromHex(seed.(string)))
				}
				bad := vector{id: rule + "/" + suffix, op: v.op, comment: comment, twin: twin, secrets: v.secrets, in: v.in.with("friend", toHex(key)), draws: v.draws}
				_, refusal := contact(own, key)
				out = append(out, answered(bad, nil, refusal))
			}
			friend, _ := v.in.get("friend")
			a, _ := decodePoint(fromHex(friend.(string)))
			ask("rv-contact-subgroup", "the friend's key and a point of order 2 added to it", a.add(smallPoints[4]).encode())
			if seed, ok := v.in.get("seed"); ok {
				ask("rv-contact-self", "the friend is oneself", ed25519Public(fromHex(seed.(string))))
			}
		}
	}
	if len(out) < len(twins) {
		panic("a twin is not there")
	}
	return out
}

// get returns the value of a key.
func (o object) get(name string) (any, bool) {
	for _, f := range o {
		if f.name == name {
			return f.value, true
		}
	}
	return nil, false
}
