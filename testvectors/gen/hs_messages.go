package gen

import "slices"

// The messages and computations of spec/handshake.md.

const (
	kindKnock  = 1
	kindOffer  = 2
	kindAccept = 3

	knockSize    = 1164
	offerSize    = 1322
	fragmentSize = 661
	acceptSize   = 1152
)

// envelopeForms are the kinds of the table: how many fragments, and how many bytes in each.
var envelopeForms = map[byte]struct{ fragments, size int }{kindKnock: {1, knockSize}, kindOffer: {2, fragmentSize}, kindAccept: {1, acceptSize}}

// A message is what an envelope has in it.
type message struct {
	friend    string // who sent it
	epoch     uint64
	kind      byte
	id        string
	fragment  byte
	fragments byte
	bytes     string
}

func (m message) body() string {
	return string([]byte{m.kind}) + m.id + string([]byte{m.fragment, m.fragments}) + m.bytes
}

// sealedBy is the datagram in which p's owner sends the message to p's friend.
func (m message) sealedBy(p pair, nonce string) string {
	head := "\x50" + p.sent("tag", m.epoch)
	return head + nonce + sealed(p.sent("envelope", m.epoch), nonce, head, m.body())
}

// openEnvelope reads a datagram that came to p's owners: the pairs of one person with all its contacts. more are epochs that a handshake
// under way keeps, by the friend's IK.
func openEnvelope(pairs []pair, now uint64, more map[string][]uint64, datagram string) (m message, rule string) {
	if len(datagram) < 69 || len(datagram) > 1232 || datagram[0] != 0x50 {
		return m, "hs-envelope-size"
	}
	found := -1
	for i, p := range pairs {
		for _, epoch := range append(p.epochs(now), more[p.friend]...) {
			if p.received("tag", epoch) == datagram[1:17] {
				found, m.friend, m.epoch = i, p.friend, epoch
			}
		}
	}
	if found < 0 {
		return m, "hs-tag-unknown"
	}
	body, ok := unsealed(pairs[found].received("envelope", m.epoch), datagram[17:41], datagram[:17], datagram[41:])
	if !ok {
		return m, "hs-envelope-seal"
	}
	m.kind = body[0]
	form, known := envelopeForms[m.kind]
	if !known {
		return m, "hs-envelope-kind"
	}
	// 69 bytes leave at least 12 for the body.
	m.id, m.fragment, m.fragments, m.bytes = body[1:9], body[9], body[10], body[11:]
	if int(m.fragments) != form.fragments || m.fragment >= m.fragments {
		return m, "hs-envelope-fragment"
	}
	if len(m.bytes) != form.size {
		return m, "hs-envelope-length"
	}
	return m, ""
}

func knockOf(ms uint64, random, fields string) string {
	return padded("\x01"+u64(ms)+random+fields, knockSize)
}

func readKnock(knock string) (ms uint64, random string, endpoints []string, rule string) {
	if knock[0] != 1 {
		return 0, "", nil, "hs-knock-version"
	}
	endpoints, rule = readFields(knock[17:])
	return fromU64(knock[1:9]), knock[9:17], endpoints, rule
}

// offerKeys are the private keys behind an offer.
type offerKeys struct{ spk, rk, ek string }

// unsignedOffer writes an offer without its signature.
func unsignedOffer(notAfter uint64, spk, rk, ek string) string {
	return "\x01\x00" + u64(notAfter) + spk + rk + ek
}

// offerSigned is what the signature of an offer is over, with its label.
func offerSigned(unsigned, knock string) string {
	return label("offer") + unsigned + hash(label("knock")+knock)
}

func makeOffer(r person, now uint64, knock string, keys offerKeys) (offer string) {
	unsigned := unsignedOffer(now+60, x25519Public(keys.spk), x25519Public(keys.rk), kemPublic(keys.ek))
	return signedOffer(r, unsigned, knock)
}

func signedOffer(r person, unsigned, knock string) string {
	return unsigned + sign(r.seed, offerSigned(unsigned, knock))
}

func offerID(offer string) string { return hash(label("offer id") + offer)[:16] }

// parts of an offer.
func offerParts(offer string) (notAfter uint64, spk, rk, ek string) {
	return fromU64(offer[2:10]), offer[10:42], offer[42:74], offer[74:1258]
}

// checkOffer returns the rule that refuses an offer of the friend's, empty for none.
func checkOffer(friend string, now uint64, knock, offer string) (rule string) {
	notAfter, spk, rk, ek := offerParts(offer)
	switch {
	case offer[0] != 1:
		return "hs-offer-version"
	case offer[1] != 0:
		return "hs-offer-flags"
	case notAfter < now-3660:
		return "hs-offer-expired"
	case !below(spk, prime), !below(rk, prime):
		return "hs-offer-keys"
	case spk == rk:
		return "hs-offer-keys-apart"
	case slices.Max(coefficients(ek)) >= 3329:
		return "hs-offer-ek"
	case verify(friend, offerSigned(offer[:1258], knock), offer[1258:]) != "":
		return "hs-offer-signature"
	}
	any := zeros(31) + "\x40" // with a key of small order every private key gives zero
	if x25519(any, spk) == zeros(32) || x25519(any, rk) == zeros(32) {
		return "hs-offer-zero"
	}
	return ""
}

// coefficients are the numbers of 12 bits in an encapsulation key.
func coefficients(ek string) (all []int) {
	for i := 0; i < 1152; i += 3 {
		b0, b1, b2 := int(ek[i]), int(ek[i+1]), int(ek[i+2])
		all = append(all, b0+256*(b1%16), b1/16+16*b2)
	}
	return all
}

// A schedule is what both sides compute.
type schedule struct {
	auth, dh1, dh2, dh3, ss, th, prk      string
	rootKey, hkI, nhkR, confirm, cidk, ad string
}

// derive is what follows from the secrets and from what went over the wire.
func (k schedule) derive(initiator, responder, offer, e, ct string) schedule {
	k.th = hash(label("handshake") + initiator + responder + offer + e + ct)
	k.prk = extract(label("handshake"), k.auth+k.dh1+k.dh2+k.dh3+k.ss)
	out := expand(k.prk, label("session")+k.th, 176)
	k.rootKey, k.hkI, k.nhkR, k.confirm, k.cidk, k.ad = out[:32], out[32:64], out[64:96], out[96:112], out[112:144], out[144:176]
	return k
}

// makeAccept is I's side; p's owner is I. The offer is taken as it is.
func makeAccept(p pair, offer, e, coins string) (accept string, k schedule) {
	_, spk, _, ek := offerParts(offer)
	ct, ss := encapsulate(ek, coins)
	return p.acceptWith(offer, x25519Public(e), ct, schedule{
		auth: p.sent("auth", 0), dh1: x25519(p.own.private, spk), dh2: x25519(e, p.friendPublic()), dh3: x25519(e, spk), ss: ss,
	})
}

// acceptWith writes an accept of p's owner with the secrets as they are given.
func (p pair) acceptWith(offer, e, ct string, k schedule) (accept string, _ schedule) {
	k = k.derive(p.own.key, p.friend, offer, e, ct)
	return offerID(offer) + e + ct + k.confirm, k
}

// friendPublic is the friend's X25519 form.
func (p pair) friendPublic() string {
	public, _ := contact(p.own.key, p.friend)
	return public
}

// takeAccept is R's side; p's owner is R.
func takeAccept(p pair, offer string, keys offerKeys, accept string) (k schedule, rule string) {
	id, e, ct, confirm := accept[:16], accept[16:48], accept[48:1136], accept[1136:]
	if id != offerID(offer) {
		return k, "hs-accept-offer"
	}
	if !below(e, prime) {
		return k, "hs-accept-key"
	}
	k = schedule{auth: p.received("auth", 0), dh1: x25519(keys.spk, p.friendPublic()), dh2: x25519(p.own.private, e), dh3: x25519(keys.spk, e)}
	if k.dh1 == zeros(32) || k.dh2 == zeros(32) || k.dh3 == zeros(32) {
		return k, "hs-accept-zero"
	}
	k.ss = decapsulate(keys.ek, ct)
	k = k.derive(p.friend, p.own.key, offer, e, ct)
	if k.confirm != confirm {
		return k, "hs-confirm-first"
	}
	return k, ""
}

// keys shows what goes on into the ratchet, and the connection ids' key.
func (k schedule) keys() object {
	return o("RK", toHex(k.rootKey), "HK_I", toHex(k.hkI), "NHK_R", toHex(k.nhkR), "CIDK", toHex(k.cidk), "AD", toHex(k.ad))
}

func (k schedule) intermediate() object {
	return o("auth", toHex(k.auth), "dh1", toHex(k.dh1), "dh2", toHex(k.dh2), "dh3", toHex(k.dh3), "ss", toHex(k.ss), "th", toHex(k.th), "prk", toHex(k.prk))
}

func cid(cidk, to string, i uint32) string { return mac(cidk, to+u32(i))[:8] }

// A rank decides which conversation lives.
type rank struct {
	ms        uint64
	initiator string // IK
}

// outranks reports whether a is higher than b; neither is when they are the same.
func (a rank) outranks(b rank) bool {
	return a.ms > b.ms || a.ms == b.ms && a.initiator < b.initiator
}
