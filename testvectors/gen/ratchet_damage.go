package gen

import (
	"slices"
	"strings"
)

// A rtSituation is what a receiver may be in when a message comes. begin leads there, and returns who writes the right messages: the
// i-th to come.
type rtSituation struct {
	name, comment string
	begin         func(p, q *rtParty) func(i int) rtLetter
}

var rtSituations = []rtSituation{
	{"first", "There is no receiving chain yet.", func(p, q *rtParty) func(int) rtLetter {
		if p.name == "alice" {
			q.hears(p.says())
		}
		return func(i int) rtLetter { return q.letter(1 + uint32(i)) } // number 0 is skipped
	}},
	{"present", "In the present chain, of which a key is kept.", func(p, q *rtParty) func(int) rtLetter {
		rtMeet(p)
		p.hears(q.sends(2))
		return func(i int) rtLetter { return q.letter(4 + 2*uint32(i)) } // odd numbers are skipped
	}},
	{"new", "In a new chain, after one of 4 messages of which numbers 0 and 2 came.", func(p, q *rtParty) func(int) rtLetter {
		rtMeet(p)
		p.hears(q.sends(2))
		q.sends(3)
		p.turn()
		return func(i int) rtLetter { return q.letter(1 + uint32(i)) }
	}},
	{"older", "In an older chain, of which keys are kept.", func(p, q *rtParty) func(int) rtLetter {
		rtMeet(p)
		q.sends(3)
		p.hears(q.sends(4))
		p.turn()
		p.hears(q.sends(0))
		return func(i int) rtLetter { return q.old(0, 1+uint32(i)) }
	}},
}

// A rtDamage is one thing that is wrong with a message, which is otherwise what the receiver would have opened. Everything behind the
// damage is computed from it, as somebody would who has all keys: so that only the rule stands between the message and its text.
type rtDamage struct {
	id, comment, reason string
	in                  string                        // situations in which it can be
	alone               string                        // those in which it has a vector of its own
	letter              func(l *rtLetter, to rtState) // on what is sealed
	bytes               func(m string) string         // on what is sent
}

// rtDamaged has a vector for each damage, and for each situation one in which all damages come one after the other and change nothing.
func rtDamaged() (all []vector) {
	damages := slices.Concat(rtSizeDamages(), rtSealDamages(), rtHeaderDamages(), rtKeyDamages(), rtOrderDamages())
	for _, situation := range rtSituations {
		for _, name := range rtNames {
			place := situation.name + "-" + name
			tell := func(id, comment string) (*rtStory, *rtParty, func(int) rtLetter) {
				s := rtTell(id, comment, name)
				p := s.party(name)
				return s, p, situation.begin(p, p.other())
			}
			right := "rt-failure-nothing/" + place + "-right"
			s, p, letter := tell(right, situation.comment+" This message is right.")
			p.opens(letter(0).seal(), situation.name != "older")
			all = append(all, s.accepted())

			everything, sufferer, next := tell("rt-failure-nothing/"+place, situation.comment+" Everything that can be wrong, and then what is right.")
			for _, d := range damages {
				if !slices.Contains(strings.Fields(d.in), situation.name) {
					continue
				}
				damaged := func(p *rtParty, l rtLetter) string {
					if d.letter != nil {
						d.letter(&l, p.state)
					}
					m := l.seal()
					if d.bytes != nil {
						m = d.bytes(m)
					}
					return m
				}
				if m := damaged(sufferer, next(0)); len(m) < 300 {
					sufferer.refuses(m, d.reason)
					everything.remark(strings.TrimPrefix(written(d.id), "rt-") + ": " + d.comment)
				}
				if !slices.Contains(strings.Fields(d.alone), place) {
					continue
				}
				requirement, suffix, _ := strings.Cut(d.id, "/")
				s, p, letter := tell(requirement+"/"+place+"-"+suffix, situation.comment+" "+d.comment)
				p.refuses(damaged(p, letter(0)), d.reason)
				all = append(all, s.refused(right))
			}
			sufferer.opens(next(0).seal(), situation.name != "older")
			sufferer.opens(next(1).seal(), situation.name != "older")
			if name == "bob" || situation.name == "first" { // later the two sides are alike
				all = append(all, everything.accepted())
			}
		}
	}
	return all
}

const (
	rtAnywhere = "first present new older"
	rtOnce     = "present-bob"
	rtTwice    = "present-bob first-alice"
	rtEach     = "first-bob first-alice present-bob new-bob older-bob"
)

func rtSizeDamages() []rtDamage {
	cut := func(n int) func(string) string { return func(m string) string { return m[:n] } }
	const id = "rt-size/"
	return []rtDamage{
		{id + "empty", "no byte at all", malformed, rtAnywhere, "first-bob present-alice", nil, cut(0)},
		{id + "part-of-a-header", "79 bytes", malformed, rtAnywhere, rtOnce, nil, cut(79)},
		{id + "header-alone", "80 bytes: a right header and nothing behind it", malformed, rtAnywhere, rtTwice, nil, cut(80)},
		{id + "95", "95 bytes: a right message of 96, less its last", malformed, rtAnywhere, "first-bob present-alice new-bob",
			func(l *rtLetter, _ rtState) { l.plaintext = "" }, cut(95)},
		{id + "1224", "1,224 bytes: a plaintext of 1,128, well sealed", malformed, rtAnywhere, "first-bob present-alice older-bob",
			func(l *rtLetter, _ rtState) { l.plaintext = rtText(rtMostPlaintext + 1) }, nil},
	}
}

// rtSealDamages are messages that somebody without keys can make of a right one.
func rtSealDamages() (all []rtDamage) {
	const header, body = "rt-header-seal/", "rt-body-seal/"
	flip := func(id, comment, alone string, i int) {
		all = append(all, rtDamage{id, comment, authentication, rtAnywhere, alone, nil, func(m string) string { return flipped(m, i, 1) }})
	}
	flip(header+"nonce-first", "a bit of the nonce's first byte turned", rtOnce, 0)
	flip(header+"nonce-last", "a bit of the nonce's last byte turned", rtOnce, 23)
	flip(header+"dh-first", "a bit of the sealed dh turned", rtOnce, 24)
	flip(header+"dh-last", "a bit of the last byte of the sealed dh turned", "new-bob", 55)
	flip(header+"pn", "a bit of the sealed pn turned", "new-alice", 59)
	flip(header+"n", "a bit of the sealed n turned", rtOnce+" older-bob", 63)
	flip(header+"tag-first", "a bit of the header's tag turned", rtOnce, 64)
	flip(header+"tag-last", "a bit of the last byte of the header's tag turned", rtEach, 79)
	flip(body+"text-first", "a bit of the first byte of the body turned", rtOnce, 80)
	flip(body+"text-last", "a bit of the last byte before the body's tag turned", rtOnce, -17)
	flip(body+"tag-first", "a bit of the body's tag turned", rtOnce, -16)
	flip(body+"tag-last", "a bit of the last byte turned", rtEach, -1)
	return append(all,
		rtDamage{body + "cut", "the last byte cut off", authentication, rtAnywhere, rtTwice, nil, func(m string) string { return m[:len(m)-1] }},
		rtDamage{body + "longer", "a zero byte behind it", authentication, rtAnywhere, rtOnce + " new-alice", nil, func(m string) string { return m + "\x00" }},
		rtDamage{body + "empty", "the body's text cut out, its tag left", authentication, rtAnywhere, rtOnce, nil, func(m string) string { return m[:80] + m[len(m)-16:] }},
	)
}

// rtHeaderDamages are right messages sealed under other keys, or with other associated data.
func rtHeaderDamages() []rtDamage {
	const header, body, none = "rt-header-seal/", "rt-body-seal/", "rt-none/"
	other := new(secrets).bytes("", "rt other key", 32)
	return []rtDamage{
		{header + "unknown-key", "the header sealed under SHA-256(\"kith/1 vector rt other key\")", authentication, rtAnywhere, rtOnce, func(l *rtLetter, _ rtState) { l.hk = other }, nil},
		{header + "own-key", "the header sealed under the receiver's own sending header key", authentication, "present new older", "present-alice new-bob",
			func(l *rtLetter, to rtState) { l.hk = to.hks }, nil},
		{header + "own-next-key", "the header sealed under the receiver's own next sending header key", authentication, rtAnywhere, "first-bob present-bob",
			func(l *rtLetter, to rtState) { l.hk = to.nhks }, nil},
		{header + "root-key", "the header sealed under the root key", authentication, rtAnywhere, "first-alice", func(l *rtLetter, to rtState) { l.hk = to.root }, nil},
		{header + "ad", "the header sealed with another AD", authentication, rtAnywhere, rtTwice, func(l *rtLetter, to rtState) {
			l.ad = other
			l.bodyAD = to.ad + l.sealedHeader()
		}, nil},
		{header + "no-ad", "the header sealed without AD", authentication, rtAnywhere, rtOnce, func(l *rtLetter, to rtState) {
			l.ad = ""
			l.bodyAD = to.ad + l.sealedHeader()
		}, nil},
		{body + "ad", "the body sealed with another AD before H", authentication, rtAnywhere, rtTwice, func(l *rtLetter, _ rtState) { l.bodyAD = other + l.sealedHeader() }, nil},
		{body + "no-ad", "the body sealed with H alone", authentication, rtAnywhere, rtOnce + " new-bob", func(l *rtLetter, _ rtState) { l.bodyAD = l.sealedHeader() }, nil},
		{body + "no-header", "the body sealed with AD alone", authentication, rtAnywhere, rtOnce + " first-bob", func(l *rtLetter, to rtState) { l.bodyAD = to.ad }, nil},
		{body + "header-before-ad", "the body sealed with H before AD", authentication, rtAnywhere, rtOnce, func(l *rtLetter, to rtState) { l.bodyAD = l.sealedHeader() + to.ad }, nil},
		{body + "resealed-header", "the same header sealed under another nonce, before the body that was made for the first", authentication, rtAnywhere, rtOnce + " older-bob",
			func(l *rtLetter, to rtState) {
				l.bodyAD = to.ad + l.sealedHeader()
				l.nonce = other[:24]
			}, nil},
		{body + "next-key", "the body under the key of the next message", authentication, rtAnywhere, rtOnce + " new-bob older-alice",
			func(l *rtLetter, _ rtState) { l.mk, _ = rtKDFChain(rtAdvanced(l.ck, l.n+1)) }, nil},
		{body + "chain-key", "the body under the chain key", authentication, rtAnywhere, rtOnce, func(l *rtLetter, _ rtState) { l.mk = rtAdvanced(l.ck, l.n) }, nil},
		{none + "zero-keys", "header key and chain key are 32 zero bytes", authentication, rtAnywhere, rtEach, func(l *rtLetter, _ rtState) { l.hk, l.ck = zeros(32), zeros(32) }, nil},
		{none + "zero-keys-number-0", "header key and chain key are 32 zero bytes, n is 0", authentication, rtAnywhere, "first-bob first-alice",
			func(l *rtLetter, _ rtState) { l.hk, l.ck, l.n = zeros(32), zeros(32), 0 }, nil},
		{none + "zero-keys-zero-dh", "header key, chain key and dh are 32 zero bytes", authentication, rtAnywhere, "first-bob",
			func(l *rtLetter, _ rtState) { l.hk, l.ck, l.dh = zeros(32), zeros(32), zeros(32) }, nil},
		{none + "zero-header-key", "the header key is 32 zero bytes", authentication, rtAnywhere, "first-bob first-alice", func(l *rtLetter, _ rtState) { l.hk = zeros(32) }, nil},
		{none + "zero-chain-key", "the chain key is 32 zero bytes", authentication, rtAnywhere, "first-bob first-alice new-bob", func(l *rtLetter, _ rtState) { l.ck = zeros(32) }, nil},
		{none + "zero-message-key", "the message key is 32 zero bytes", authentication, rtAnywhere, "older-alice", func(l *rtLetter, _ rtState) { l.mk = zeros(32) }, nil},
		{none + "zero-root", "chain key of a root key of 32 zero bytes", authentication, "first new", "first-bob",
			func(l *rtLetter, to rtState) { _, l.ck, _ = rtKDFRoot(zeros(32), x25519(to.private, l.dh)) }, nil},
	}
}
