package shim

import (
	"crypto/hkdf"
	"crypto/sha256"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"kith/handshake"
	"kith/wire"
)

// rvOperations are those of spec/operations.md, "rv: rendezvous".
var rvOperations = map[string]operation{
	"rv.identity":       {ask: rvIdentity},
	"rv.contact":        {ask: rvContact},
	"rv.address-encode": {ask: rvAddressEncode},
	"rv.address-decode": {ask: rvAddressDecode},
	"rv.secret-decode":  {ask: rvSecretDecode},
	"rv.x25519":         {ask: rvX25519},
	"rv.sign":           {ask: rvSign},
	"rv.verify":         {ask: rvVerify},
	"rv.pair":           {ask: rvPair},
	"rv.key":            {ask: rvKey},
	"rv.epoch":          {ask: rvEpoch},
	"rv.slot":           {ask: rvSlot},
	"rv.seq":            {draws: []string{"jitter"}, ask: rvSeq},
	"rv.record-seal":    {draws: []string{"nonce"}, ask: rvRecordSeal},
	"rv.record-open":    {ask: rvRecordOpen},
}

// identity returns the identity of a request's seed.
func identity(seed octets) *handshake.Identity {
	id, err := handshake.NewIdentity(sized("seed", seed, handshake.SeedSize))
	if err != nil {
		faultf("in: %v", err)
	}
	return id
}

// A pairIn is how most requests name two people.
type pairIn struct {
	Seed   octets `json:"seed"`
	Friend octets `json:"friend"`
}

func (q *pairIn) pair() (*handshake.Pair, error) {
	return handshake.NewPair(identity(q.Seed), handshake.PublicKey(sized("friend", q.Friend, 32)))
}

// A slotIn names a slot of a pair.
type slotIn struct {
	Epoch  counter `json:"epoch"`
	Family int     `json:"family"`
}

func (q *slotIn) slot(p *handshake.Pair, from handshake.Side) *handshake.Slot {
	if q.Family != 4 && q.Family != 6 {
		faultf("in: family is %d, not 4 or 6", q.Family)
	}
	return p.Slot(from, handshake.Family(q.Family), uint64(q.Epoch))
}

// sideOf reads from: own or friend.
func sideOf(from string) handshake.Side {
	switch from {
	case "own":
		return handshake.Own
	case "friend":
		return handshake.Friend
	}
	faultf("in: from is %q, not own or friend", from)
	return 0
}

// A counter is an unsigned integer that stands in JSON as decimal digits.
type counter uint64

func (n counter) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(n), 10), nil }

func (n *counter) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 10, 64)
	*n = counter(v)
	return err
}

// seconds and milliseconds are the Unix time that n says.
func (n counter) seconds() time.Time      { return time.Unix(int64(n), 0) }
func (n counter) milliseconds() time.Time { return time.UnixMilli(int64(n)) }

// addresses reads endpoints; written writes them.
func addresses(texts []string) (all []netip.AddrPort) {
	for _, s := range texts {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			faultf("in: %v", err)
		}
		all = append(all, a)
	}
	return all
}

func written(all []netip.AddrPort) []string {
	texts := []string{}
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return texts
}

func rvIdentity(c *call) (any, error) {
	q := in[struct {
		Seed octets `json:"seed"`
	}](c)
	id := identity(q.Seed)
	k := id.PublicKey()
	private, public := id.X25519()
	return struct {
		IK       octets `json:"IK"`
		XPrivate octets `json:"x_private"`
		XPublic  octets `json:"x_public"`
		Address  string `json:"address"`
		Secret   string `json:"secret"`
	}{k[:], private[:], public[:], k.String(), string(id.AppendSecretKey(nil))}, nil
}

func rvContact(c *call) (any, error) {
	q := in[struct {
		Own    octets `json:"own"`
		Friend octets `json:"friend"`
	}](c)
	k, err := handshake.CheckContact(handshake.PublicKey(sized("own", q.Own, 32)), q.Friend)
	if err != nil {
		return nil, err
	}
	public, err := k.X25519()
	return struct {
		XPublic octets `json:"x_public"`
	}{public[:]}, err
}

func rvAddressEncode(c *call) (any, error) {
	q := in[struct {
		IK octets `json:"IK"`
	}](c)
	return struct {
		Address string `json:"address"`
	}{handshake.PublicKey(sized("IK", q.IK, 32)).String()}, nil
}

func rvAddressDecode(c *call) (any, error) {
	q := in[struct {
		Address string `json:"address"`
	}](c)
	k, err := handshake.ParseAddress(q.Address)
	return struct {
		IK octets `json:"IK"`
	}{k[:]}, err
}

func rvSecretDecode(c *call) (any, error) {
	q := in[struct {
		Secret string `json:"secret"`
	}](c)
	id, err := handshake.ParseSecretKey([]byte(q.Secret))
	if err != nil {
		return nil, err
	}
	seed := id.Seed()
	return struct {
		Seed octets `json:"seed"`
	}{seed[:]}, nil
}

func rvX25519(c *call) (any, error) {
	q := in[struct {
		Private octets `json:"private"`
		Public  octets `json:"public"`
	}](c)
	var shared [32]byte
	err := handshake.X25519(&shared, (*[32]byte)(sized("private", q.Private, 32)), (*[32]byte)(sized("public", q.Public, 32)))
	return struct {
		Shared octets `json:"shared"`
	}{shared[:]}, err
}

func rvSign(c *call) (any, error) {
	q := in[struct {
		Seed    octets `json:"seed"`
		Label   string `json:"label"`
		Message octets `json:"message"`
	}](c)
	sig := identity(q.Seed).Sign(q.Label, q.Message)
	return struct {
		Sig octets `json:"sig"`
	}{sig[:]}, nil
}

func rvVerify(c *call) (any, error) {
	q := in[struct {
		IK      octets `json:"IK"`
		Label   string `json:"label"`
		Message octets `json:"message"`
		Sig     octets `json:"sig"`
	}](c)
	return nil, handshake.Verify(handshake.PublicKey(sized("IK", q.IK, 32)), q.Label, q.Message, q.Sig)
}

func rvPair(c *call) (any, error) {
	q := in[pairIn](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	private, _ := p.Identity().X25519()
	public, err := p.Friend().X25519()
	if err != nil {
		return nil, err
	}
	var shared [32]byte
	if err := handshake.X25519(&shared, &private, &public); err != nil {
		return nil, err
	}
	prk, err := hkdf.Extract(sha256.New, shared[:], []byte("kith/1 pair\x00"))
	c.show("S", shared[:])
	c.show("prk", prk)
	return struct {
		Phase int `json:"phase"`
	}{p.Phase()}, err
}

func rvKey(c *call) (any, error) {
	q := in[struct {
		pairIn
		Label string  `json:"label"`
		From  string  `json:"from"`
		Epoch counter `json:"epoch"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	key, err := p.Key(handshake.Label(q.Label), sideOf(q.From), uint64(q.Epoch))
	return struct {
		Key octets `json:"key"`
	}{key}, err
}

func rvEpoch(c *call) (any, error) {
	q := in[struct {
		pairIn
		Time counter `json:"time"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	var live []counter
	for _, epoch := range p.Live(q.Time.seconds()) {
		live = append(live, counter(epoch))
	}
	return struct {
		Epoch counter   `json:"epoch"`
		Live  []counter `json:"live"`
	}{counter(p.Epoch(q.Time.seconds())), live}, nil
}

func rvSlot(c *call) (any, error) {
	q := in[struct {
		pairIn
		slotIn
		From string `json:"from"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	s := q.slot(p, sideOf(q.From))
	seed, err := p.Key(map[int]handshake.Label{4: handshake.LabelSlot4, 6: handshake.LabelSlot6}[q.Family], sideOf(q.From), uint64(q.Epoch))
	c.show("seed", seed)
	return struct {
		K      octets `json:"k"`
		Target octets `json:"target"`
	}{s.Key[:], s.Target[:]}, err
}

func rvSeq(c *call) (any, error) {
	q := in[struct {
		Time     counter   `json:"time"`
		Last     counter   `json:"last"`
		Observed []counter `json:"observed"`
	}](c)
	s := handshake.Sequence{Last: int64(q.Last)}
	for _, seq := range q.Observed {
		s.Observe(int64(seq))
	}
	seq, err := s.Next(q.Time.seconds(), c.rand())
	return struct {
		Seq counter `json:"seq"`
	}{counter(seq)}, err
}

func rvRecordSeal(c *call) (any, error) {
	q := in[struct {
		pairIn
		slotIn
		Seq       counter  `json:"seq"`
		Endpoints []string `json:"endpoints"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	s := q.slot(p, handshake.Own)
	i, err := s.Seal(c.rand(), int64(q.Seq), addresses(q.Endpoints))
	if err != nil {
		return nil, err
	}
	// What lies between is computed backwards from the item, with the standard formulas.
	key, err := p.Key(handshake.LabelRecord, handshake.Own, uint64(q.Epoch))
	if err != nil {
		return nil, err
	}
	ad := append(i.Key[:], be64(uint64(i.Seq))...)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	value := i.Value[len("512:"):]
	plaintext, err := aead.Open(nil, value[:24], value[24:], ad)
	c.show("plaintext", plaintext)
	c.show("key", key)
	c.show("ad", ad)
	c.show("signed", wire.AppendSigned(nil, nil, i.Seq, i.Value))
	return struct {
		K      octets `json:"k"`
		V      octets `json:"v"`
		Sig    octets `json:"sig"`
		Target octets `json:"target"`
	}{i.Key[:], i.Value, i.Sig[:], s.Target[:]}, err
}

func rvRecordOpen(c *call) (any, error) {
	q := in[struct {
		pairIn
		slotIn
		Now     counter `json:"now"`
		Highest counter `json:"highest"`
		K       octets  `json:"k"`
		Seq     counter `json:"seq"`
		V       octets  `json:"v"`
		Sig     octets  `json:"sig"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	i := handshake.Item{Key: handshake.PublicKey(sized("k", q.K, 32)), Seq: int64(q.Seq), Value: q.V, Sig: [64]byte(sized("sig", q.Sig, 64))}
	r, err := q.slot(p, handshake.Friend).Open(q.Now.seconds(), int64(q.Highest), i)
	return struct {
		Time      counter  `json:"time"`
		Endpoints []string `json:"endpoints"`
	}{counter(r.Time), written(r.Endpoints)}, err
}
