package wire

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// cmpMessages compares messages by what they mean.
var cmpMessages = cmp.Options{cmpopts.EquateComparable(netip.AddrPort{})}

var (
	idA = ID([]byte("abcdefghij0123456789"))
	idM = ID([]byte("mnopqrstuvwxyz123456"))
	id0 = ID([]byte("0123456789abcdefghij"))
)

// published are the packets that BEP 5 prints, all but the two replies whose nodes it only hints at (see TestHintedNodes).
var published = map[string]Message{
	"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee": {
		Kind: KindError, T: []byte("aa"), Code: 201, Text: []byte("A Generic Error Ocurred"),
	},
	"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe": {
		Kind: KindQuery, T: []byte("aa"), Method: []byte("ping"), Body: Body{Has: HasID, ID: idA},
	},
	"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re": {
		Kind: KindReply, T: []byte("aa"), Body: Body{Has: HasID, ID: idM},
	},
	"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe": {
		Kind: KindQuery, T: []byte("aa"), Method: []byte("find_node"), Body: Body{Has: HasID | HasTarget, ID: idA, Target: idM},
	},
	"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe": {
		Kind: KindQuery, T: []byte("aa"), Method: []byte("get_peers"), Body: Body{Has: HasID | HasInfoHash, ID: idA, InfoHash: idM},
	},
	"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re": {
		Kind: KindReply, T: []byte("aa"),
		Body: Body{Has: HasID | HasToken | HasValues, ID: idA, Token: []byte("aoeusnth"), Values: Values("6:axje.u6:idhtnm")},
	},
	"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe" +
		"1:q13:announce_peer1:t2:aa1:y1:qe": {
		Kind: KindQuery, T: []byte("aa"), Method: []byte("announce_peer"),
		Body: Body{
			Has: HasID | HasImpliedPort | HasInfoHash | HasPort | HasToken,
			ID:  idA, ImpliedPort: true, InfoHash: idM, Port: 6881, Token: []byte("aoeusnth"),
		},
	},
}

// full are messages with everything in them, as spaced hex.
var full = map[string]Message{
	// d, a, d, then the arguments, e, q, ro, t, v, y
	`64 31 3a 61 64 333a636173 69 30 65 323a6964 32303a 6162636465666768696a30313233343536373839
	 31323a696d706c6965645f706f7274 69 30 65 393a696e666f5f68617368 32303a 6d6e6f707172737475767778797a313233343536
	 313a6b 33323a 6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b
	 343a706f7274 69 2d31 65 343a73616c74 303a 333a736571 69 39323233333732303336383534373735383037 65
	 333a736967 36343a 7373737373737373737373737373737373737373737373737373737373737373
	 7373737373737373737373737373737373737373737373737373737373737373
	 363a746172676574 32303a 30313233343536373839616263646566676869 6a 353a746f6b656e 323a 746f
	 313a76 64 303a 6c 65 65 343a77616e74 6c 323a6e34 323a6e36 65 65
	 313a71 333a707574 323a726f 69 31 65 313a74 313a00 313a76 343a 4b540001 313a79 313a71 65`: {
		Kind: KindQuery, T: []byte{0}, Method: []byte("put"), Version: []byte(KithVersion), ReadOnly: true,
		Body: Body{
			Has: HasCAS | HasID | HasImpliedPort | HasInfoHash | HasKey | HasPort | HasSalt | HasSeq | HasSig | HasTarget | HasToken |
				HasValue | HasWant,
			ID: idA, Target: id0, InfoHash: idM, Token: []byte("to"), Port: -1, Want: Want4 | Want6, Value: []byte("d0:lee"),
			Key: []byte(strings.Repeat("k", 32)), Sig: []byte(strings.Repeat("s", 64)), Salt: []byte{}, Seq: 1<<63 - 1,
		},
	},
	// d, ip, r, d, then the values, e, t, v, y
	`64 323a6970 363a c0000201 1ae1 313a72 64 323a6964 32303a 6162636465666768696a30313233343536373839
	 383a696e74657276616c 69 3231363030 65
	 353a6e6f646573 32363a 6d6e6f707172737475767778797a313233343536 c0000201 1ae1
	 363a6e6f64657336 33383a 6d6e6f707172737475767778797a313233343536 20010db8000000000000000000000001 1ae1
	 333a6e756d 69 32 65 373a73616d706c6573 34303a 6162636465666768696a30313233343536373839 6d6e6f707172737475767778797a313233343536
	 363a76616c756573 6c 363a c0000201 1ae1 31383a 20010db8000000000000000000000001 1ae1 65 65
	 313a74 303a 313a76 303a 313a79 313a72 65`: {
		Kind: KindReply, T: []byte{}, Version: []byte{}, IP: netip.MustParseAddrPort("192.0.2.1:6881"),
		Body: Body{
			Has: HasID | HasInterval | HasNodes | HasNodes6 | HasNum | HasSamples | HasValues,
			ID:  idA, Interval: 21600, Num: 2,
			Nodes:   AppendNode(nil, Node{idM, netip.MustParseAddrPort("192.0.2.1:6881")}),
			Nodes6:  AppendNode(nil, Node{idM, netip.MustParseAddrPort("[2001:db8::1]:6881")}),
			Samples: AppendSample(AppendSample(nil, idA), idM),
			Values: AppendValue(AppendValue(nil, netip.MustParseAddrPort("192.0.2.1:6881")),
				netip.MustParseAddrPort("[2001:db8::1]:6881")),
		},
	},
	// d, e, l, code, text, e, ip, t, y
	`64 313a65 6c 69 323033 65 313a 78 65 323a6970 31383a 20010db8000000000000000000000001 1ae1 313a74 313a61 313a79 313a65 65`: {
		Kind: KindError, T: []byte("a"), Code: 203, Text: []byte("x"), IP: netip.MustParseAddrPort("[2001:db8::1]:6881"),
	},
}

// examples returns the bytes and values of published and full.
func examples() map[string]Message {
	all := maps.Clone(published)
	for b, m := range full {
		all[string(unhex(b))] = m
	}
	return all
}

// The two directions agree with the bytes, and so with wire-krpc-dictionary, -kind, -query, -error, -version and -version-absent.
func TestMessages(t *testing.T) {
	for b, want := range examples() {
		var m Message
		require.NoError(t, ParseMessage([]byte(b), &m), "%q", b)
		require.Empty(t, cmp.Diff(want, m, cmpMessages), "%q", b)
		require.Equal(t, b, string(AppendMessage(nil, &want)))
		require.Equal(t, "x"+b, string(AppendMessage([]byte("x"), &m)))
	}
}

// Every key that is known stands in one of the examples, so that every branch of both directions is compared with bytes.
func TestExamplesHaveEveryKey(t *testing.T) {
	var has Keys
	for _, m := range examples() {
		has |= m.Has
	}
	require.Equal(t, HasWant<<1-1, has)
}

// The bits, their names and the bytes agree, and stand in the order in which keys are written. wire-key-order
func TestKeyNames(t *testing.T) {
	require.True(t, slices.IsSorted(keyNames[:]))
	require.Equal(t, HasWant<<1-1, Keys(1)<<len(keyNames)-1)
	for i, name := range keyNames {
		m := Message{Body: Body{Has: 1 << i, Key: make([]byte, 32), Sig: make([]byte, 64), Value: []byte("le")}, Kind: KindReply}
		require.Equal(t, name, m.Has.String())
		b := AppendMessage(nil, &m)
		require.Contains(t, string(b), "1:rd"+string(AppendString(nil, name)))
		var got Message
		require.NoError(t, ParseMessage(b, &got))
		require.Equal(t, m.Has, got.Has)
	}
	require.Equal(t, "id, token", (HasToken | HasID).String())
	require.Empty(t, Keys(0).String())
	require.True(t, (HasID | HasToken | HasWant).All(HasID|HasWant))
	require.False(t, HasID.All(HasID|HasWant))
}

func TestKindNames(t *testing.T) {
	var names []string
	for _, k := range []Kind{KindQuery, KindReply, KindError, 'x'} {
		names = append(names, k.String())
	}
	require.Equal(t, []string{"query", "reply", "error", "unknown"}, names)
}

// No beginning of a message is one, and what its sender needs for an answer is read as soon as it is there.
func TestTruncated(t *testing.T) {
	for b, want := range examples() {
		for n := range len(b) {
			var m Message
			require.ErrorIs(t, ParseMessage([]byte(b[:n]), &m), ErrMalformed, "%q", b[:n])
			if i := strings.Index(b, "1:t"); n >= i+len(AppendString(nil, want.T))+3 {
				require.Equal(t, want.T, m.T)
			}
		}
		var m Message
		require.ErrorIs(t, ParseMessage([]byte(b[:len(b)-1]), &m), ErrMalformed)
		m.Body = want.Body
		require.Empty(t, cmp.Diff(want, m, cmpMessages, cmpopts.IgnoreFields(Message{}, "Body")), "only the last e is missing")
	}
}

// BEP 5 prints nodes of 9 bytes, "def456...", in two replies. It means a whole number of nodes, and says so.
func TestHintedNodes(t *testing.T) {
	wantRefused(t, "d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re", "nodes is 9 bytes, not a multiple of 26")
}

func TestRefused(t *testing.T) {
	const id = "2:id20:abcdefghij0123456789"
	tail := "1:q4:ping1:t2:aa1:y1:qe"
	for in, text := range map[string]string{ // wire-known-key, unless the name says more
		"d" + tail:        "a is missing",
		"d1:a2:ab" + tail: "a is not a dictionary",
		"d1:ale" + tail:   "a is not a dictionary",
		"d1:ad2:id19:abcdefghij012345678e" + tail:                                      "id is 19 bytes, not 20",
		"d1:ad2:id0:e" + tail:                                                          "id is 0 bytes, not 20",
		"d1:ad2:id21:abcdefghij0123456789xe" + tail:                                    "id is 21 bytes, not 20",
		"d1:ad2:idi1ee" + tail:                                                         "id is not a string",
		"d1:ad" + id + "6:target2:abe" + tail:                                          "target is 2 bytes, not 20",
		"d1:ad" + id + "9:info_hashdee" + tail:                                         "info_hash is not a string",
		"d1:ad" + id + "9:info_hash1:xe" + tail:                                        "info_hash is 1 bytes, not 20",
		"d1:ad" + id + "5:nodes25:" + rep(25) + "e" + tail:                             "nodes is 25 bytes, not a multiple of 26",
		"d1:ad" + id + "6:nodes626:" + rep(26) + "e" + tail:                            "nodes6 is 26 bytes, not a multiple of 38",
		"d1:ad" + id + "7:samples21:" + rep(21) + "e" + tail:                           "samples is 21 bytes, not a multiple of 20",
		"d1:ad" + id + "1:k31:" + rep(31) + "e" + tail:                                 "k is 31 bytes, not 32",
		"d1:ad" + id + "3:sig65:" + rep(65) + "e" + tail:                               "sig is 65 bytes, not 64",
		"d1:ad" + id + "5:tokeni1ee" + tail:                                            "token is not a string",
		"d1:ad" + id + "4:saltlee" + tail:                                              "salt is not a string",
		"d1:ad" + id + "4:port1:1e" + tail:                                             "port is not an integer",
		"d1:ad" + id + "3:numlee" + tail:                                               "num is not an integer",
		"d1:ad" + id + "8:interval0:e" + tail:                                          "interval is not an integer",
		"d1:ad" + id + "12:implied_port1:1e" + tail:                                    "implied_port is not an integer",
		"d1:ad3:cas1:1" + id + "e" + tail:                                              "cas is not an integer",
		"d1:ad3:casi-1e" + id + "e" + tail:                                             "cas is negative", // wire-seq-negative
		"d1:ad" + id + "3:seqi-9223372036854775808ee" + tail:                           "seq is negative", // wire-seq-negative
		"d1:ad" + id + "6:values6:abcdefe" + tail:                                      "values is not a list",
		"d1:ad" + id + "6:valuesl6:abcdefi1eee" + tail:                                 "values has an entry that is not a string",
		"d1:ad" + id + "4:want2:n4e" + tail:                                            "want is not a list",
		"d1:ad" + id + "4:wantl2:n4leee" + tail:                                        "want has an entry that is not a string",
		"d1:ad" + id + "e1:qi1e1:t2:aa1:y1:qe":                                         "q is not a string",
		"d1:ad" + id + "e1:t2:aa1:y1:qe":                                               "q is missing",
		"d1:ad" + id + "e1:q4:ping2:ro1:11:t2:aa1:y1:qe":                               "ro is not an integer",
		"d1:ad" + id + "e1:q4:ping1:ti5e1:y1:qe":                                       "t is not a string",
		"d1:ad" + id + "e1:q4:ping1:y1:qe":                                             "t is missing",
		"d1:ad" + id + "e1:q4:ping1:t2:aa1:vi1e1:y1:qe":                                "v is not a string",
		"d1:ad" + id + "e1:q4:ping1:t2:aae":                                            "y is missing",
		"d1:ad" + id + "e1:q4:ping1:t2:aa1:yi1ee":                                      "y is not a string",
		"d1:ad" + id + "e1:q4:ping1:t2:aa1:y1:xe":                                      "y is not q, r or e",
		"d1:ad" + id + "e1:q4:ping1:t2:aa1:y2:qqe":                                     "y is not q, r or e",
		"d1:ad" + id + "e1:q4:ping1:t2:aa1:y0:e":                                       "y is not q, r or e",
		"d1:rd" + id + "5:token1:xe1:t2:aa1:y1:re\n":                                   "1 bytes behind the value", // wire-trailing
		"d2:ipi1e1:rd" + id + "e1:t2:aa1:y1:re":                                        "ip is not a string",
		"d1:t2:aa1:y1:re":                                                              "r is missing",
		"d1:rle1:t2:aa1:y1:re":                                                         "r is not a dictionary",
		"d1:t2:aa1:y1:ee":                                                              "e is missing",
		"d1:ede1:t2:aa1:y1:ee":                                                         "e is not a list",
		"d1:ele1:t2:aa1:y1:ee":                                                         "e is not an integer and a string",
		"d1:eli201ee1:t2:aa1:y1:ee":                                                    "e is not an integer and a string",
		"d1:el1:xi201ee1:t2:aa1:y1:ee":                                                 "e is not an integer and a string",
		"d1:eli201e1:x1:ye1:t2:aa1:y1:ee":                                              "e is not an integer and a string",
		"d1:eli201elee1:t2:aa1:y1:ee":                                                  "e is not an integer and a string",
		"d1:ad" + id + "1:vi03eee" + tail:                                              "integer not canonical",       // wire-int-refused
		"d1:ad" + id + "1:vd1:b0:1:a0:ee" + tail:                                       "keys not sorted",             // wire-key-refused
		"d6:target20:" + rep(20) + id + "e":                                            "keys not sorted",             // wire-key-refused
		"d1:q4:ping" + tail:                                                            "key stands twice",            // wire-key-refused
		"":                                                                             "message is not a dictionary", // wire-key-missing
		"le":                                                                           "message is not a dictionary", // wire-key-missing
		"\x53" + rep(100):                                                              "message is not a dictionary", // wire-key-missing
		"d1:xd" + strings.Repeat("1:xd", MaxDepth-1) + strings.Repeat("e", MaxDepth+1): "nested deeper than 16",       // wire-depth
	} {
		wantRefused(t, in, text)
	}
}

func rep(n int) string { return strings.Repeat("x", n) }

// wantRefused checks that a datagram is refused with a text.
func wantRefused(t *testing.T, in, text string) {
	t.Helper()
	var m Message
	err := ParseMessage([]byte(in), &m)
	require.Error(t, err, "%q", in)
	wantProper(t, err)
	require.Equal(t, "wire: "+text, err.Error(), "%q", in)
}

// What is wrong with a query must not hide whose it is.
func TestRefusedButReadable(t *testing.T) {
	deep := strings.Repeat("l", 40) + "i1e1:x" + strings.Repeat("e", 40)
	const ping = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q"
	for in, class := range map[string]error{
		"d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:abcdefghij0123456789ee":                       ErrMalformed, // unsorted
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:q4:pong1:t2:aa1:t2:bb1:y1:q1:y1:re": ErrMalformed, // twice: the first
		ping + "e\x00\x00": ErrMalformed, // trailing
		ping:               ErrMalformed, // no end
		ping + "1:zi":      ErrMalformed, // no end, and more
		ping + "i1ei2ee":   ErrMalformed, // key of no string
		"d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe":                 ErrMalformed,
		"d1:a4:oops1:q4:ping1:t2:aa1:y1:qe":                                       ErrMalformed,
		"d1:q4:ping1:t2:aa1:y1:qe":                                                ErrMalformed,
		"d01:ad2:id20:abcdefghij0123456789e1:q04:ping1:t02:aa1:y1:qe":             ErrMalformed,
		"d1:ad2:idi-0e1:vi99999999999999999999999ee1:q4:ping1:t2:aa1:y1:qe":       ErrMalformed,
		"d1:ad1:v" + deep + "e1:q4:ping1:t2:aa1:y1:qe":                            ErrLimit,
		ping + "1:z" + deep + "e":                                                 ErrLimit, // one deep value
		ping + "1:z" + deep[:60]:                                                  ErrLimit, // and no end of it
		ping + "1:z" + strings.Repeat("l", 40) + "i1x":                            ErrLimit,
		ping + "1:z" + strings.Repeat("l", 40) + "ixe":                            ErrLimit,
		ping + "1:z" + strings.Repeat("l", 40) + "9:":                             ErrLimit,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:v" + deep + "1:y1:qe": ErrLimit,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:ro1:x1:t2:aa1:v1:x1:y1:qe":   ErrMalformed,
	} {
		var m Message
		require.ErrorIs(t, ParseMessage([]byte(in), &m), class, "%q", in)
		require.Equal(t, KindQuery, m.Kind, "%q", in)
		require.Equal(t, "aa", string(m.T), "%q", in)
		require.Equal(t, "ping", string(m.Method), "%q", in)
	}
}

func TestNothingOfTheLastMessageStays(t *testing.T) {
	for b := range examples() {
		var m Message
		require.NoError(t, ParseMessage([]byte(b), &m))
		require.Error(t, ParseMessage(nil, &m))
		require.Equal(t, Message{}, m)
	}
}

// wire-datagram-taken, wire-datagram-limit
func TestDatagramLimit(t *testing.T) {
	m := Message{Kind: KindReply, T: []byte("aa")}
	m.Has = HasValue
	m.Value = AppendString(nil, rep(4068))
	b := AppendMessage(nil, &m)
	require.Equal(t, MaxDatagram, len(b))
	require.NoError(t, ParseMessage(b, &m))

	m.Value = AppendString(nil, rep(4069))
	wantError(t, ParseMessage(AppendMessage(nil, &m), &m), ErrLimit, "datagram longer than 4096 bytes")
	require.Equal(t, Message{}, m)
}

// Whatever BEPs yet to come put into a message is passed over. wire-unknown-key
func TestUnknownKeys(t *testing.T) {
	var m Message
	require.NoError(t, ParseMessage([]byte("d0:le1:ad0:0:2:id20:abcdefghij01234567898:info_hasi1e6:scrapei1e5:zzzzzdee2:nk32:"+rep(32)+
		"1:q4:ping2:sn0:1:t2:aa1:y1:q2:zzl1:xee"), &m))
	require.Equal(t, published["d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"], m)
}

// libtorrent's errors have an r, some nodes' answers a q and a ro. wire-kind-decides
func TestKindDecides(t *testing.T) {
	for in, want := range map[string]string{
		"d1:eli203e1:xe2:ip6:abcdef1:rd2:id2:no1:v0:e1:t2:aa1:y1:ee":                             "d1:eli203e1:xe2:ip6:abcdef1:t2:aa1:y1:ee",
		"d1:ai1e1:ei1e1:q0:1:rd2:id20:mnopqrstuvwxyz123456e2:ro1:x1:t2:aa1:y1:re":                "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
		"d1:ad2:id20:abcdefghij0123456789e1:ele2:ipi1e1:q4:ping1:rd2:id0:e2:roi0e1:t2:aa1:y1:qe": "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
	} {
		var m Message
		require.NoError(t, ParseMessage([]byte(in), &m), in)
		require.Equal(t, want, string(AppendMessage(nil, &m)))
	}
}

// wire-ip-other-length, wire-values-mixed, wire-want-unknown
func TestIgnored(t *testing.T) {
	for in, want := range map[string]string{
		"d2:ip4:abcd1:rde1:t0:1:y1:re":                        "d1:rde1:t0:1:y1:re",
		"d2:ip0:1:rde1:t0:1:y1:re":                            "d1:rde1:t0:1:y1:re",
		"d2:ip7:abcdefg1:rde1:t0:1:y1:re":                     "d1:rde1:t0:1:y1:re",
		"d1:ad4:wantl0:2:n42:n54:n4n62:n6ee1:q0:1:t0:1:y1:qe": "d1:ad4:wantl2:n42:n6ee1:q0:1:t0:1:y1:qe",
		"d1:ad4:wantl2:zzee1:q0:1:t0:1:y1:qe":                 "d1:ad4:wantlee1:q0:1:t0:1:y1:qe",
	} {
		var m Message
		require.NoError(t, ParseMessage([]byte(in), &m), in)
		require.Equal(t, want, string(AppendMessage(nil, &m)))
	}
	var m Message
	require.NoError(t, ParseMessage([]byte("d1:rd6:valuesl0:6:abcdef7:abcdefg18:abcdefghijklmnopqr4:abcdee1:t0:1:y1:re"), &m))
	require.Equal(t, []netip.AddrPort{
		netip.MustParseAddrPort("97.98.99.100:25958"), netip.MustParseAddrPort("[6162:6364:6566:6768:696a:6b6c:6d6e:6f70]:29042"),
	}, slices.Collect(m.Values.All()))
}

func TestMessageAllocatesNothing(t *testing.T) {
	for s := range examples() {
		b := []byte(s)
		var m Message
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if ParseMessage(b, &m) != nil {
				t.Fatal("refused")
			}
		}))
		out := make([]byte, 0, len(b))
		require.Zero(t, testing.AllocsPerRun(100, func() { out = AppendMessage(out[:0], &m) }))
	}
}

// An append to what a message holds must not write into the datagram.
func TestFieldsEndWhereTheyEnd(t *testing.T) {
	for s := range examples() {
		b := []byte(s)
		var m Message
		require.NoError(t, ParseMessage(b, &m))
		for _, f := range [][]byte{
			m.T, m.Method, m.Version, m.Text, m.Nodes, m.Nodes6, m.Values, m.Token, m.Value, m.Key, m.Sig, m.Salt, m.Samples,
		} {
			_ = append(f, "!!!!"...)
		}
		require.Equal(t, s, string(b))
	}
}

// Whatever is written is read as it was.
func TestMessageThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t)
		b := AppendMessage(nil, &m)
		require.NoError(t, CheckBencode(b))
		var got Message
		require.NoError(t, ParseMessage(b, &got))
		require.Empty(t, cmp.Diff(m, got, cmpMessages, cmpopts.EquateEmpty()))
	})
}
