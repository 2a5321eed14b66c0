package gen

import (
	"slices"
	"strconv"
	"strings"
)

// rvOperations are those of spec/operations.md, "rv".
var rvOperations = []operation{
	{name: "rv.identity", in: "seed hex32", out: "IK hex32, x_private hex32, x_public hex32, address text, secret text"},
	{name: "rv.contact", in: "own hex32, friend hex", out: "x_public hex32", fails: "drop malformed"},
	{name: "rv.address-encode", in: "IK hex32", out: "address text"},
	{name: "rv.address-decode", in: "address text", out: "IK hex32", fails: "drop malformed"},
	{name: "rv.secret-decode", in: "secret text", out: "seed hex32", fails: "drop malformed"},
	{name: "rv.x25519", in: "private hex32, public hex32", out: "shared hex32", fails: "drop malformed"},
	{name: "rv.sign", in: "seed hex32, label text, message hex", out: "sig hex64"},
	{name: "rv.verify", in: "IK hex32, label text, message hex, sig hex64", fails: "drop authentication"},
	{name: "rv.pair", in: "seed hex32, friend hex32", out: "phase number", mid: "S hex32, prk hex32", fails: "drop malformed"},
	{name: "rv.key", in: "seed hex32, friend hex32, label text, from text, epoch integer", out: "key hex", fails: "drop malformed"},
	{name: "rv.epoch", in: "seed hex32, friend hex32, time integer", out: "epoch integer, live integer[]", fails: "drop malformed"},
	{name: "rv.slot", in: "seed hex32, friend hex32, from text, epoch integer, family number", out: "k hex32, target hex20", mid: "seed hex32", fails: "drop malformed"},
	{name: "rv.seq", in: "time integer, last integer, observed integer[]", draws: "jitter hex4", out: "seq integer", fails: "drop state"},
	{name: "rv.record-seal", in: "seed hex32, friend hex32, family number, epoch integer, seq integer, endpoints endpoint[]", draws: "nonce hex24",
		out: "k hex32, v hex516, sig hex64, target hex20", mid: "plaintext hex472, key hex32, ad hex40, signed hex", fails: "drop malformed limit"},
	{name: "rv.record-open", in: "seed hex32, friend hex32, family number, epoch integer, now integer, highest integer, k hex32, seq integer, v hex, sig hex64",
		out: "time integer, endpoints endpoint[]", fails: "drop malformed authentication replay state limit"},
}

// reasons of the rules whose reason is not malformed.
var reasonOfRule = map[string]string{
	"rv-verify-s":         authentication,
	"rv-verify-r":         authentication,
	"rv-verify-equation":  authentication,
	"rv-seq-far":          state,
	"rv-record-key":       authentication,
	"rv-record-signature": authentication,
	"rv-record-lower":     replay,
	"rv-record-seal":      authentication,
	"rv-record-age":       state,
	"rv-endpoint-limit":   limit,

	"hs-tag-unknown":     authentication,
	"hs-envelope-seal":   authentication,
	"hs-offer-expired":   state,
	"hs-offer-signature": authentication,
	"hs-accept-offer":    state,
	"hs-confirm-first":   authentication,

	"hs-knock-differs":      state,
	"hs-knock-copies":       limit,
	"hs-knock-older":        replay,
	"hs-knock-clock":        state,
	"hs-knock-epoch":        authentication,
	"hs-knock-session":      state,
	"hs-offers-contact":     limit,
	"hs-offers-all":         limit,
	"hs-offers-turn":        limit,
	"hs-offer-unasked":      state,
	"hs-fragment-conflict":  state,
	"hs-accept-again-limit": limit,
	"hs-accept-unasked":     state,
	"hs-accept-failures":    limit,
	absent:                  state,
}

// answered completes a vector by what gen's own reading says of it: out, or the rule that refuses it. That rule has to be one that the
// vector names: it dies at the check that it is about, and at none before it.
func answered(v vector, out object, rule string) vector {
	if rule == "" {
		if v.twin != "" {
			panic(v.id + ": accepted")
		}
		v.outcome, v.out = accept, out
		return v
	}
	if v.twin == "" || !slices.Contains(append(v.also, requirementOf(v.id)), rule) {
		panic(v.id + ": " + rule + " refuses it")
	}
	v.outcome, v.reason = drop, reasonOfRule[rule]
	if v.reason == "" {
		v.reason = malformed
	}
	return v
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func decimals(all []uint64) []string {
	out := []string{}
	for _, n := range all {
		out = append(out, decimal(n))
	}
	return out
}

// flipped returns b with one bit another: of byte i, counted from the end when it is negative.
func flipped(b string, i int, bit byte) string {
	if i < 0 {
		i += len(b)
	}
	return b[:i] + string([]byte{b[i] ^ bit}) + b[i+1:]
}

// replaced returns b with the bytes from i on replaced.
func replaced(b string, i int, by string) string { return b[:i] + by + b[i+len(by):] }

// rendezvousVectors are the group.
func rendezvousVectors() []vector {
	all := slices.Concat(identityVectors(), contactVectors(), x25519Vectors(), signatureVectors(), addressVectors(), secretVectors(),
		pairVectors(), epochVectors(), slotVectors(), seqVectors(), recordVectors(), recordRefused(), fieldVectors())
	return append(all, badFriends(all, "rv-pair-keys/tag-alice-own", "rv-epoch-current/alice-bob", "rv-slot/alice-own-4-83333", "rv-record-form", goodRecord)...)
}

// slug makes a part of an id of a comment.
func slug(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }
