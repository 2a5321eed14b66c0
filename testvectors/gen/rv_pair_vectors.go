package gen

import (
	"fmt"
	"math"
	"strings"
)

// people are the pairs that are asked about: the first owns, the second is its friend.
var people = [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"alice", "carol"}, {"carol", "bob"}}

func pairVectors() (out []vector) {
	asked := func(id, comment, own, friend string) {
		s := new(secrets)
		p := s.person(own).with(s.person(friend))
		out = append(out, answered(vector{
			id: id, op: "rv.pair", comment: comment, secrets: s, in: o("seed", toHex(p.own.seed), "friend", toHex(p.friend)),
			mid: o("S", toHex(p.s), "prk", toHex(p.prk)),
		}, o("phase", p.phase()), ""))
	}
	for _, two := range people {
		asked("rv-pair-keys/"+two[0]+"-"+two[1], two[0]+"'s secrets with "+two[1], two[0], two[1])
	}
	self := new(secrets)
	alice := self.person("alice")
	_, rule := contact(alice.key, alice.key)
	out = append(out, answered(vector{
		id: "rv-contact-self/pair", op: "rv.pair", comment: "a pair with oneself", twin: "rv-pair-keys/alice-bob", secrets: self,
		in: o("seed", toHex(alice.seed), "friend", toHex(alice.key)),
	}, nil, rule))
	// The contact rules refuse every key with which S could be zero.
	for i, t := range smallPoints {
		n := []int{1, 8, 4, 8, 2, 8, 4, 8}[i]
		s := new(secrets)
		own := s.person("alice")
		if x25519(own.private, t.montgomery()) != zeros(32) {
			panic("a point of small order gives a secret")
		}
		out = append(out, answered(vector{
			id: fmt.Sprintf("rv-pair-zero/order-%d-%d", n, i), also: []string{"rv-contact-small"}, op: "rv.pair",
			comment: fmt.Sprintf("a friend of order %d: S would be zero", n),
			twin:    "rv-pair-keys/alice-bob", secrets: s, in: o("seed", toHex(own.seed), "friend", toHex(t.encode())),
		}, nil, "rv-pair-zero"))
	}
	// Every label in both directions, then the edges of the epoch.
	key := func(own, friend, name, from string, epoch uint64, suffix, comment string) {
		s := new(secrets)
		p := s.person(own).with(s.person(friend))
		made := ""
		switch {
		case name == "phase":
			made = p.phaseKey()
		case from == "own":
			made = p.sent(name, epoch)
			agree("a key", made, pairOf(personOf(s.person(friend).seed), p.own.key).received(name, epoch))
		default:
			made = p.received(name, epoch)
			agree("a key", made, pairOf(personOf(s.person(friend).seed), p.own.key).sent(name, epoch))
		}
		out = append(out, answered(vector{
			id: "rv-pair-keys/" + suffix, op: "rv.key", comment: comment, secrets: s,
			in: o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "label", name, "from", from, "epoch", decimal(epoch)),
		}, o("key", toHex(made)), ""))
	}
	const epoch = 83333
	for _, two := range people[:2] {
		key(two[0], two[1], "phase", "own", 0, "phase-"+two[0], "4 bytes, from the smaller IK to the greater")
		for _, name := range []string{"slot4", "slot6", "record", "tag", "envelope", "auth"} {
			of := uint64(epoch)
			if name == "auth" {
				of = 0
			}
			key(two[0], two[1], name, "own", of, name+"-"+two[0]+"-own", fmt.Sprintf("%s, from %s to %s", name, two[0], two[1]))
			key(two[0], two[1], name, "friend", of, name+"-"+two[0]+"-friend", fmt.Sprintf("%s, from %s to %s, as %s computes it", name, two[1], two[0], two[0]))
		}
	}
	for _, e := range []struct {
		suffix string
		epoch  uint64
	}{{"0", 0}, {"1", 1}, {"next", epoch + 1}, {"2-32", 1 << 32}, {"2-53", 1<<53 + 1}, {"last", math.MaxUint64}} {
		for _, name := range []string{"tag", "record"} {
			key("alice", "bob", name, "own", e.epoch, name+"-epoch-"+e.suffix, fmt.Sprintf("%s in epoch %d", name, e.epoch))
		}
	}
	key("alice", "carol", "tag", "own", epoch, "tag-carol", "another friend, another tag")
	return out
}

func epochVectors() (out []vector) {
	const epoch = 83333
	for _, two := range people[:3] {
		s := new(secrets)
		p := s.person(two[0]).with(s.person(two[1]))
		for _, r := range []uint64{0, 1, 3599, 3600, 10800, 17999, 18000, 21599} {
			if two != people[0] && r != 0 && r != 3600 && r != 18000 {
				continue
			}
			s := new(secrets)
			p := s.person(two[0]).with(s.person(two[1]))
			t := p.at(epoch, r)
			id, comment := "rv-epoch-live", "no other epoch"
			live := p.epochs(t)
			if len(live) == 1 {
				id = "rv-epoch-other"
			} else if live[1] < live[0] {
				comment = "the one before too"
			} else {
				comment = "the next one too"
			}
			// What a clock that is wrong by an hour at most can use, is accepted, and nothing else.
			want := []uint64{epoch}
			for _, clock := range []uint64{t - epochSlack, t + epochSlack} {
				if e := (clock + p.phase()) / epochLength; e != epoch {
					want = append(want, e)
				}
			}
			// At r = 18,000 exactly the two readings meet: t + 3,600 is the first second of the next epoch.
			agree("epochs", strings.Join(decimals(want), " "), strings.Join(decimals(live), " "))
			out = append(out, answered(vector{
				id: fmt.Sprintf("%s/%s-%s-%d", id, two[0], two[1], r), also: []string{"rv-epoch-current"}, op: "rv.epoch", comment: fmt.Sprintf("r = %d: %s", r,
					comment), secrets: s,
				in: o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "time", decimal(t)),
			}, o("epoch", decimal(live[0]), "live", decimals(live)), ""))
		}
		// One second for all pairs, in which their phases part them.
		const t = 1800000000
		live := p.epochs(t)
		out = append(out, answered(vector{
			id: fmt.Sprintf("rv-epoch-current/%s-%s", two[0], two[1]), also: []string{"rv-epoch-live"}, op: "rv.epoch", comment: "the same second for each pair", secrets: s,
			in: o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "time", decimal(t)),
		}, o("epoch", decimal(live[0]), "live", decimals(live)), ""))
	}
	return out
}

func slotVectors() (out []vector) {
	for _, two := range people[:2] {
		for _, from := range []string{"own", "friend"} {
			for _, family := range []int{4, 6} {
				for _, epoch := range []uint64{83333, 0} {
					if epoch == 0 && from == "friend" {
						continue
					}
					s := new(secrets)
					p := s.person(two[0]).with(s.person(two[1]))
					name := fmt.Sprintf("slot%d", family)
					at := slotOf(p.sent(name, epoch))
					publisher, reader := two[0], two[1]
					if from == "friend" {
						at = slotOf(p.received(name, epoch))
						publisher, reader = two[1], two[0]
					}
					agree("target", at.target, item{key: at.key}.target())
					out = append(out, answered(vector{
						id: fmt.Sprintf("rv-slot/%s-%s-%d-%d", two[0], from, family, epoch), op: "rv.slot", secrets: s,
						comment: fmt.Sprintf("where %s publishes for %s in IPv%d's DHT, epoch %d", publisher, reader, family, epoch),
						in:      o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "from", from, "epoch", decimal(epoch), "family", family),
						mid:     o("seed", toHex(at.seed)),
					}, o("k", toHex(at.key), "target", toHex(at.target)), ""))
				}
			}
		}
	}
	return out
}

func seqVectors() (out []vector) {
	const t = 1800000000
	asked := func(id, comment, twin string, time, last uint64, observed []uint64, label string, jitter string) {
		s := new(secrets)
		if jitter == "" {
			jitter = s.bytes("jitter", label, 4)
		}
		if len(s.all) == 0 {
			s = nil
		}
		seq, rule := nextSeq(time, last, observed, jitter)
		out = append(out, answered(vector{
			id: id, op: "rv.seq", comment: comment, twin: twin, secrets: s,
			in: o("time", decimal(time), "last", decimal(last), "observed", decimals(observed)), draws: o("jitter", toHex(jitter)),
		}, o("seq", decimal(seq)), rule))
	}
	asked("rv-seq/first", "nothing was signed before", "", t, 0, nil, "jitter 1", "")
	asked("rv-seq/second", "another jitter", "", t, 0, nil, "jitter 2", "")
	asked("rv-seq/jitter-999", "the greatest jitter", "", t, 0, nil, "", u32(999))
	asked("rv-seq/jitter-1000", "a draw of 1,000 is a jitter of 0", "", t, 0, nil, "", u32(1000))
	asked("rv-seq/jitter-largest", "the greatest draw: 2^32 − 1 mod 1000 = 295", "", t, 0, nil, "", u32(math.MaxUint32))
	asked("rv-seq/below", "what was signed a millisecond before", "", t, t*1000-1, nil, "", u32(0))
	asked("rv-seq/equal", "what was signed has the same seq: one more", "", t, t*1000, nil, "", u32(0))
	asked("rv-seq/last-above", "what was signed is above: one more than that", "", t, t*1000+5000, nil, "jitter 1", "")
	asked("rv-seq-observed/above", "an item in the slot that was not remembered", "", t, t*1000-86400000, []uint64{t*1000 + 77}, "", u32(5))
	asked("rv-seq-observed/below", "an item in the slot that is older than what was signed", "", t, t*1000+5000, []uint64{t*1000 + 4000}, "", u32(5))
	asked("rv-seq-observed/two", "the highest of two counts", "", t, 0, []uint64{t*1000 + 9000, t*1000 + 4000}, "", u32(5))
	asked("rv-seq-observed/ahead", "an item so far ahead that one more is 3,600 s ahead, by its last millisecond", "", t, 0, []uint64{(t+3600)*1000 + 998}, "", u32(5))
	asked("rv-seq-far/next", "an item 3,600 s ahead by its last millisecond: one more is too far", "rv-seq-observed/ahead", t, 0, []uint64{(t+3600)*1000 + 999}, "", u32(5))
	asked("rv-seq-far/last", "what was signed is as far ahead as that", "rv-seq-observed/ahead", t, (t+3600)*1000+999, nil, "", u32(5))
	asked("rv-seq-far/ahead", "an item 3,601 s ahead", "rv-seq-observed/ahead", t, 0, []uint64{(t + 3601) * 1000}, "", u32(5))
	asked("rv-seq-far/two", "one of two items is 3,601 s ahead", "rv-seq-observed/two", t, 0, []uint64{t*1000 + 9000, (t + 3601) * 1000}, "", u32(5))
	asked("rv-seq-far/years", "an item of years ahead", "rv-seq-observed/ahead", t, 0, []uint64{(t + 100000000) * 1000}, "", u32(5))
	return out
}
