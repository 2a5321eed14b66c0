package shim

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"kith/handshake"
)

// hsOperations are those of spec/operations.md, "hs: messages and computations of the handshake".
var hsOperations = map[string]operation{
	"hs.envelope-seal": {draws: []string{"nonce"}, ask: hsEnvelopeSeal},
	"hs.envelope-open": {ask: hsEnvelopeOpen},
	"hs.knock-make":    {draws: []string{"random"}, ask: hsKnockMake},
	"hs.knock-read":    {ask: hsKnockRead},
	"hs.offer-make":    {draws: []string{"spk", "rk", "ek"}, ask: hsOfferMake},
	"hs.offer-check":   {ask: hsOfferCheck},
	"hs.accept-make":   {draws: []string{"e", "coins"}, ask: hsAcceptMake},
	"hs.accept-take":   {ask: hsAcceptTake},
	"hs.cid":           {ask: hsCID},
	"hs.rank":          {ask: hsRank},
}

// draw reads one draw of n bytes.
func (c *call) draw(n int) []byte {
	b := make([]byte, n)
	if _, err := c.rand().Read(b); err != nil {
		faultf("draws: %v", err)
	}
	return b
}

// Carried is what an envelope carries.
type carried struct {
	Epoch     counter `json:"epoch"`
	Kind      int     `json:"kind"`
	ID        octets  `json:"id"`
	Fragment  int     `json:"fragment"`
	Fragments int     `json:"fragments"`
	Bytes     octets  `json:"bytes"`
}

func (m *carried) envelope() handshake.Envelope {
	return handshake.Envelope{Kind: handshake.Kind(m.Kind), ID: handshake.ID(sized("id", m.ID, 8)),
		Fragment: uint8(m.Fragment), Fragments: uint8(m.Fragments), Bytes: m.Bytes}
}

func hsEnvelopeSeal(c *call) (any, error) {
	q := in[struct {
		pairIn
		carried
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	tag, key, nonce := p.Tag(handshake.Own, uint64(q.Epoch)), p.EnvelopeKey(handshake.Own, uint64(q.Epoch)), [24]byte(c.draw(24))
	datagram := handshake.AppendEnvelope(nil, &tag, &key, &nonce, q.envelope())
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	body, err := aead.Open(nil, nonce[:], datagram[41:], datagram[:17])
	c.show("tag", tag[:])
	c.show("key", key[:])
	c.show("body", body)
	return struct {
		Datagram octets `json:"datagram"`
	}{datagram}, err
}

func hsEnvelopeOpen(c *call) (any, error) {
	q := in[struct {
		Seed     octets   `json:"seed"`
		Friends  []octets `json:"friends"`
		NowMS    counter  `json:"now_ms"`
		Datagram octets   `json:"datagram"`
	}](c)
	tag, err := handshake.EnvelopeTag(q.Datagram)
	if err != nil {
		return nil, err
	}
	for _, friend := range q.Friends {
		p, err := (&pairIn{q.Seed, friend}).pair()
		if err != nil {
			return nil, err
		}
		for _, epoch := range p.Live(q.NowMS.milliseconds()) {
			if p.Tag(handshake.Friend, epoch) != tag {
				continue
			}
			key := p.EnvelopeKey(handshake.Friend, epoch)
			e, err := handshake.OpenEnvelope(&key, q.Datagram)
			return struct {
				Friend octets `json:"friend"`
				carried
			}{friend, carried{counter(epoch), int(e.Kind), e.ID[:], int(e.Fragment), int(e.Fragments), e.Bytes}}, err
		}
	}
	return nil, fmt.Errorf("no contact has this tag: %w", handshake.ErrAuthentication) // hs-tag-unknown
}

func hsKnockMake(c *call) (any, error) {
	q := in[struct {
		TimeMS    counter  `json:"time_ms"`
		Endpoints []string `json:"endpoints"`
	}](c)
	k := handshake.Knock{Time: uint64(q.TimeMS), Endpoints: addresses(q.Endpoints)}
	k.Random = [8]byte(c.draw(len(k.Random)))
	b, err := handshake.AppendKnock(nil, k)
	return struct {
		Knock octets `json:"knock"`
	}{b}, err
}

func hsKnockRead(c *call) (any, error) {
	q := in[struct {
		Knock octets `json:"knock"`
	}](c)
	k, err := handshake.ParseKnock(q.Knock)
	return struct {
		TimeMS    counter  `json:"time_ms"`
		Random    octets   `json:"random"`
		Endpoints []string `json:"endpoints"`
	}{counter(k.Time), k.Random[:], written(k.Endpoints)}, err
}

func hsOfferMake(c *call) (any, error) {
	q := in[struct {
		Seed  octets  `json:"seed"`
		Now   counter `json:"now"`
		Knock octets  `json:"knock"`
	}](c)
	spk, rk, ek := [32]byte(c.draw(32)), [32]byte(c.draw(32)), [64]byte(c.draw(64))
	knock := sized("knock", q.Knock, handshake.KnockSize)
	o := handshake.MakeOffer(identity(q.Seed), q.Now.seconds(), knock, &spk, &rk, &ek)
	hash := sha256.Sum256(slices.Concat([]byte("kith/1 knock\x00"), knock))
	c.show("signed", slices.Concat([]byte("kith/1 offer\x00"), o.Bytes[:handshake.OfferSize-handshake.SignatureSize], hash[:]))
	return struct {
		Offer octets `json:"offer"`
		ID    octets `json:"offer_id"`
	}{o.Bytes[:], o.ID[:]}, nil
}

// friendKey returns the key of a friend, checked as a contact's.
func friendKey(b octets) (handshake.PublicKey, error) {
	return handshake.CheckContact(handshake.PublicKey{}, sized("friend", b, 32))
}

func hsOfferCheck(c *call) (any, error) {
	q := in[struct {
		Friend octets  `json:"friend"`
		Now    counter `json:"now"`
		Knock  octets  `json:"knock"`
		Offer  octets  `json:"offer"`
	}](c)
	friend, err := friendKey(q.Friend)
	if err != nil {
		return nil, err
	}
	o, err := handshake.CheckOffer(friend, q.Now.seconds(), q.Knock, q.Offer)
	if err != nil {
		return nil, err
	}
	return struct {
		ID       octets  `json:"offer_id"`
		NotAfter counter `json:"not_after"`
		SPK      octets  `json:"spk"`
		RK       octets  `json:"rk"`
		EK       octets  `json:"ek"`
	}{o.ID[:], counter(o.NotAfter), o.SPK[:], o.RK[:], o.EK[:]}, nil
}

// A session is what both sides get.
type session struct {
	RK   octets `json:"RK"`
	HKI  octets `json:"HK_I"`
	NHKR octets `json:"NHK_R"`
	CIDK octets `json:"CIDK"`
	AD   octets `json:"AD"`
}

func sessionOf(s *handshake.Session) session {
	return session{s.RK[:], s.HKI[:], s.NHKR[:], s.CIDK[:], s.AD[:]}
}

// A schedule recomputes what lies between an offer and a session, for those who look for the place where theirs goes another way.
type schedule struct {
	auth, dh1, dh2, dh3, ss []byte
	initiator, responder    handshake.PublicKey
	offer, accept           []byte
}

func (s *schedule) show(c *call) error {
	th := sha256.Sum256(slices.Concat([]byte("kith/1 handshake\x00"), s.initiator[:], s.responder[:], s.offer,
		s.accept[handshake.OfferIDSize:handshake.AcceptSize-handshake.ConfirmSize])) // e ‖ ct
	prk, err := hkdf.Extract(sha256.New, slices.Concat(s.auth, s.dh1, s.dh2, s.dh3, s.ss), []byte("kith/1 handshake\x00"))
	for name, b := range map[string][]byte{"auth": s.auth, "dh1": s.dh1, "dh2": s.dh2, "dh3": s.dh3, "ss": s.ss, "th": th[:], "prk": prk} {
		c.show(name, b)
	}
	return err
}

// agree is X25519 of keys that a session was made with.
func agree(private, public [32]byte) []byte {
	var shared [32]byte
	if err := handshake.X25519(&shared, &private, &public); err != nil {
		faultf("X25519: %v", err)
	}
	return shared[:]
}

func hsAcceptMake(c *call) (any, error) {
	q := in[struct {
		pairIn
		Now   counter `json:"now"`
		Knock octets  `json:"knock"`
		Offer octets  `json:"offer"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	o, err := handshake.CheckOffer(p.Friend(), q.Now.seconds(), q.Knock, q.Offer)
	if err != nil {
		return nil, err
	}
	e, coins := [32]byte(c.draw(32)), [32]byte(c.draw(32))
	e1, coins1 := e, coins // erased by the call
	accept, made, err := p.MakeAccept(o, &e1, &coins1)
	if err != nil {
		return nil, err
	}
	private, _ := p.Identity().X25519()
	friend, err := p.Friend().X25519()
	if err != nil {
		return nil, err
	}
	auth, err := p.Key(handshake.LabelAuth, handshake.Own, 0)
	if err != nil {
		return nil, err
	}
	ek, err := handshake.ParseEncapsulationKey(o.EK[:])
	if err != nil {
		return nil, err
	}
	var ct [handshake.CiphertextSize]byte
	var ss [32]byte
	ek.Encapsulate(&ct, &ss, &coins)
	s := schedule{auth, agree(private, o.SPK), agree(e, friend), agree(e, o.SPK), ss[:], p.Identity().PublicKey(), p.Friend(), q.Offer, accept}
	return struct {
		Accept octets `json:"accept"`
		session
	}{accept, sessionOf(made)}, s.show(c)
}

func hsAcceptTake(c *call) (any, error) {
	q := in[struct {
		pairIn
		Offer  octets `json:"offer"`
		SPK    octets `json:"spk"`
		RK     octets `json:"rk"`
		EK     octets `json:"ek"`
		Accept octets `json:"accept"`
	}](c)
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	spk, rk, ek := [32]byte(sized("spk", q.SPK, 32)), [32]byte(sized("rk", q.RK, 32)), [64]byte(sized("ek", q.EK, 64))
	spk1, rk1, ek1 := spk, rk, ek // erased by the call
	o, err := handshake.RestoreOffer(q.Offer, &spk1, &rk1, &ek1)
	if err != nil {
		return nil, err
	}
	made, err := p.TakeAccept(o, q.Accept)
	if err != nil {
		return nil, err
	}
	var a handshake.Accept
	if err := handshake.ParseAccept(q.Accept, &a); err != nil {
		return nil, err
	}
	private, _ := p.Identity().X25519()
	friend, err := p.Friend().X25519()
	if err != nil {
		return nil, err
	}
	auth, err := p.Key(handshake.LabelAuth, handshake.Friend, 0)
	if err != nil {
		return nil, err
	}
	var ss [32]byte
	handshake.NewDecapsulationKey(&ek).Decapsulate(&ss, &a.CT)
	s := schedule{auth, agree(spk, friend), agree(private, a.E), agree(spk, a.E), ss[:], p.Friend(), p.Identity().PublicKey(), q.Offer, q.Accept}
	return sessionOf(made), s.show(c)
}

// roleOf reads I or R.
func roleOf(text string) handshake.Role {
	if text != "I" && text != "R" {
		faultf("in: %q is neither I nor R", text)
	}
	return handshake.Role(text[0])
}

func hsCID(c *call) (any, error) {
	q := in[struct {
		CIDK octets `json:"CIDK"`
		To   string `json:"to"`
		I    uint32 `json:"i"`
	}](c)
	cid := handshake.NewCID((*[32]byte)(sized("CIDK", q.CIDK, 32)), roleOf(q.To), q.I)
	return struct {
		CID octets `json:"cid"`
	}{cid[:]}, nil
}

func hsRank(c *call) (any, error) {
	type rank struct {
		TimeMS counter `json:"time_ms"`
		IKI    octets  `json:"IK_I"`
	}
	q := in[struct {
		A rank `json:"a"`
		B rank `json:"b"`
	}](c)
	of := func(r rank) handshake.Rank {
		return handshake.Rank{Time: uint64(r.TimeMS), Initiator: handshake.PublicKey(sized("IK_I", r.IKI, 32))}
	}
	return struct {
		Higher string `json:"higher"`
	}{[]string{"b", "same", "a"}[of(q.A).Compare(of(q.B))+1]}, nil
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
