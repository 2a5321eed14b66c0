package gen

import (
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha512"
	"math/big"
	"slices"
	"strconv"
)

// An item is what BEP 44 stores. An immutable one has a value only.
type item struct {
	seed string // RFC 8032 seed; empty where only the key is known
	key  string
	salt string
	seq  int64
	v    string // bencoded
	sig  string
}

// publishedItems are BEP 44's test vectors 1 and 2. The published private key is an expanded one, which crypto/ed25519 cannot
// sign with, so the signatures stand here as they were published and are verified.
var publishedItems = []item{
	{
		key: fromHex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"),
		seq: 1, v: "12:Hello World!",
		sig: fromHex("305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"),
	},
	{
		key:  fromHex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"),
		salt: "foobar", seq: 1, v: "12:Hello World!",
		sig: fromHex("6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"),
	},
}

// seeds are the secret keys of RFC 8032's tests 1, 2 and 3.
var seeds = []string{
	fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
	fromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
	fromHex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
}

// signed returns the bytes that the owner of an item signs.
func (i item) signed() string {
	b := ""
	if i.salt != "" {
		b = encode("salt") + encode(i.salt)
	}
	return b + encode("seq") + "i" + strconv.FormatInt(i.seq, 10) + "e" + encode("v") + i.v
}

func (i item) verifies() bool {
	return ed25519.Verify([]byte(i.key), []byte(i.signed()), []byte(i.sig))
}

// target returns where an item is stored.
func (i item) target() string {
	b := []byte(i.v)
	if i.key != "" {
		b = []byte(i.key + i.salt)
	}
	sum := sha1.Sum(b)
	return string(sum[:])
}

// mutable makes an item of the nth test key.
func mutable(n int, salt string, seq int64, v any) item {
	key := ed25519.NewKeyFromSeed([]byte(seeds[n]))
	i := item{seed: seeds[n], key: string(key.Public().(ed25519.PublicKey)), salt: salt, seq: seq, v: encode(v)}
	i.sig = string(ed25519.Sign(key, []byte(i.signed())))
	if !i.verifies() {
		panic("a signature of our own does not verify")
	}
	return i
}

// public returns the item as others know it.
func (i item) public() item {
	i.seed = ""
	return i
}

// put makes the query that stores an item; token is what the node under test has handed out.
func (i item) put() dict {
	args := d("id", idA, "token", token, "v", spelt(i.v))
	if i.key != "" {
		args = append(args, entry{"k", i.key}, entry{"seq", integer{big.NewInt(i.seq)}}, entry{"sig", i.sig})
		if i.salt != "" {
			args = append(args, entry{"salt", i.salt})
		}
	}
	return d("a", args, "q", "put", "t", "aa", "y", "q")
}

// state shows what a node has under a target, as a get finds it.
func (i item) state() object {
	if i.key == "" {
		return object{{"v", toHex(i.v)}}
	}
	return object{{"k", toHex(i.key)}, {"seq", strconv.FormatInt(i.seq, 10)}, {"sig", toHex(i.sig)}, {"v", toHex(i.v)}}
}

// Ed25519's scalars, for signatures that a careless verifier takes.

// order is L, the order of the base point (RFC 8032, section 5.1).
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

func fromLittle(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func toLittle(n *big.Int) string {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return string(b)
}

// scalar returns the secret scalar of a seed.
func scalar(seed string) *big.Int {
	h := sha512.Sum512([]byte(seed))
	h[0] &= 248
	h[31] = h[31]&63 | 64
	return fromLittle(h[:32])
}

// challenge returns k of RFC 8032, modulo L.
func challenge(r, key, message string) *big.Int {
	h := sha512.Sum512([]byte(r + key + message))
	return new(big.Int).Mod(fromLittle(h[:]), order)
}

// smallKey makes an item under a public key of small order, with a signature that satisfies the equation all the same:
// R is a point whose scalar is known, and the value is varied until the challenge is a multiple of 8, the order of the key.
func smallKey(key string) item {
	nonce := ed25519.NewKeyFromSeed([]byte(seeds[1])).Public().(ed25519.PublicKey)
	for n := 0; ; n++ {
		i := item{key: key, seq: 1, v: encode("forged " + strconv.Itoa(n))}
		if k := challenge(string(nonce), key, i.signed()); new(big.Int).And(k, big.NewInt(7)).Sign() != 0 {
			continue
		}
		i.sig = string(nonce) + toLittle(new(big.Int).Mod(scalar(seeds[1]), order))
		return i
	}
}

// smallR makes a signature whose R is the neutral element, by the owner of the key: S = k·a.
func smallR(good item) item {
	r := "\x01" + string(make([]byte, 31))
	k := challenge(r, good.key, good.signed())
	good.sig = r + toLittle(k.Mul(k, scalar(good.seed)).Mod(k, order))
	return good
}

// highS adds L to S: the same number modulo L, another signature.
func highS(good item) item {
	s := fromLittle([]byte(good.sig[32:]))
	good.sig = good.sig[:32] + toLittle(s.Add(s, order))
	return good
}
