package gen

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 7748, section 5.2: one round of the iterated test, and ten more that crypto/ecdh has to agree with.
func TestLadder(t *testing.T) {
	k, u := "\x09"+zeros(31), "\x09"+zeros(31)
	for i := range 11 {
		k, u = x25519Slow(k, u), k
		if i == 0 {
			require.Equal(t, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", toHex(k))
		}
	}
}

func TestSmallPoints(t *testing.T) {
	var found []string
	for _, p := range smallPoints {
		found = append(found, toHex(p.encode()))
	}
	slices.Sort(found)
	require.Equal(t, []string{
		zerosHex(64),
		zerosHex(62) + "80",
		"01" + zerosHex(62),
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ec" + strings.Repeat("ff", 30) + "7f",
	}, found)
	us := []string{toHex(smallUs()[3].u), toHex(smallUs()[4].u)}
	slices.Sort(us)
	require.Equal(t, []string{"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}, us)
}

func zerosHex(digits int) string { return strings.Repeat("0", digits) }

// RFC 5869, appendix A.1.
func TestHKDF(t *testing.T) {
	prk := extract(fromHex("000102030405060708090a0b0c"), strings.Repeat("\x0b", 22))
	require.Equal(t, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", toHex(prk))
	require.Equal(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", toHex(expand(prk, fromHex("f0f1f2f3f4f5f6f7f8f9"), 42)))
}

// BIP 350's valid and invalid strings, as far as they are about the checksum.
func TestBech32m(t *testing.T) {
	rest := func(s string) uint32 {
		s = strings.ToLower(s)
		at := strings.LastIndexByte(s, '1')
		values := expandPrefix(s[:at])
		for _, c := range []byte(s[at+1:]) {
			values = append(values, byte(strings.IndexByte(bechCharacters, c)))
		}
		return polymod(values)
	}
	for _, s := range []string{
		"A1LQFN3A", "a1lqfn3a", "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
		"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa",
	} {
		require.EqualValues(t, bech32m, rest(s), s)
	}
	require.NotEqualValues(t, bech32m, rest("M1VUXWEZ"))
	require.Equal(t, "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", bechText("abcdef", downFrom(31), bech32m))
}

// A vector that does not die where its id says is not written.
func TestAnsweredRefuses(t *testing.T) {
	good := vector{id: "rv-contact-length/good", op: "rv.contact"}
	bad := vector{id: "rv-contact-length/short", op: "rv.contact", twin: "rv-contact-length/good"}
	require.NotPanics(t, func() { answered(good, o(), ""); answered(bad, nil, "rv-contact-length") })
	require.Panics(t, func() { answered(good, o(), "rv-contact-length") }, "it has no twin")
	require.Panics(t, func() { answered(bad, nil, "") }, "it is accepted")
	require.Panics(t, func() { answered(bad, nil, "rv-contact-curve") }, "another rule refuses it")
}

// A line of a script that states something else than the machine says stops the generator.
func TestPlayRefuses(t *testing.T) {
	p, knock := knocking()
	require.Panics(t, func() { p.hear("bob", "alice", knock, "hs-knock-older") }, "it is taken")
	p, _ = knocking()
	require.Panics(t, func() { p.tryAt(501, "alice", resend) }, "the try is due before")
	p, _ = knocking()
	p.wait(501)
	require.Panics(t, func() { p.timeout("alice", resend) }, "the try was due before")
	p, _ = knocking()
	p.tryAt(500, "alice", resend)
	require.Panics(t, func() { p.vector("hs-retry-knock/x", "accepted", "hs-retry-knock/y") }, "it is not refused")
}

func downFrom(n byte) (all []byte) {
	for i := int(n); i >= 0; i-- {
		all = append(all, byte(i))
	}
	return all
}
