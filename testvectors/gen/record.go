package gen

import (
	"net/netip"
	"strconv"
)

// Records of spec/rendezvous.md, and the fields that a knock has too.

const (
	recordText = 472
	maxAge     = 7200
	maxAhead   = 3600
)

// fieldsOf writes endpoints as fields: none of them, no field.
func fieldsOf(endpoints []string) string {
	if len(endpoints) == 0 {
		return ""
	}
	value := ""
	for _, e := range endpoints {
		value += endpointForm(e)
	}
	return fieldForm(1, value)
}

func fieldForm(kind byte, value string) string { return string([]byte{kind}) + u16(len(value)) + value }

func endpointForm(s string) string {
	family := "\x04"
	if netip.MustParseAddrPort(s).Addr().Is6() {
		family = "\x06"
	}
	return family + compact(s)
}

// padded fills b with zeros.
func padded(b string, size int) string { return b + zeros(size-len(b)) }

// readFields returns the endpoints of fields, and the rule that refuses them, empty for none.
func readFields(b string) (endpoints []string, rule string) {
	endpoints = []string{}
	seen := false
	for b != "" {
		kind := b[0]
		if kind == 0 || b == zeros(len(b)) && len(b) < 3 {
			if b != zeros(len(b)) {
				return nil, "rv-field-padding"
			}
			break
		}
		if len(b) < 3 {
			return nil, "rv-field-cut"
		}
		size := int(b[1])<<8 | int(b[2])
		if b = b[3:]; len(b) < size {
			return nil, "rv-field-cut"
		}
		value := b[:size]
		b = b[size:]
		switch {
		case kind >= 128:
			continue
		case kind != 1:
			return nil, "rv-field-unknown"
		case seen:
			return nil, "rv-field-twice"
		}
		seen = true
		if endpoints, rule = readEndpoints(value); rule != "" {
			return nil, rule
		}
	}
	return endpoints, ""
}

func readEndpoints(b string) (endpoints []string, rule string) {
	endpoints = []string{}
	for b != "" {
		if len(endpoints) == 8 {
			return nil, "rv-endpoint-limit"
		}
		size := map[byte]int{4: 7, 6: 19}[b[0]]
		if size == 0 || len(b) < size {
			return nil, "rv-endpoint-form"
		}
		e := address(b[1:size])
		b = b[size:]
		to := netip.MustParseAddrPort(e)
		ip := to.Addr()
		if to.Port() == 0 || ip.IsUnspecified() || ip.IsMulticast() || ip.String() == "255.255.255.255" || ip.Is4In6() {
			return nil, "rv-endpoint-address"
		}
		endpoints = append(endpoints, e)
	}
	return endpoints, ""
}

// A record is an item in a slot, with all that it was made of.
type record struct {
	slot      slot
	key       string // of the seal
	seq       uint64
	nonce     string
	plaintext string
	ad        string
	v         string // bencoded
	signed    string
	sig       string
}

// makeRecord makes the item that p's owner publishes for p's friend, with a plaintext that may break every rule.
func makeRecord(p pair, family int, epoch, seq uint64, nonce, plaintext string) record {
	r := record{
		slot: slotOf(p.sent("slot"+strconv.Itoa(family), epoch)), key: p.sent("record", epoch),
		seq: seq, nonce: nonce, plaintext: plaintext,
	}
	r.ad = r.slot.key + u64(seq)
	return r.withValue(encode(nonce + sealed(r.key, nonce, r.ad, plaintext)))
}

// withValue returns the record with another bencoded value, signed as BEP 44 says.
func (r record) withValue(v string) record {
	r.v = v
	r.signed = "3:seqi" + strconv.FormatUint(r.seq, 10) + "e1:v" + v
	r.sig = sign(r.slot.seed, r.signed)
	return r
}

// plaintextOf writes version, time and fields.
func plaintextOf(seq uint64, fields string) string {
	return padded("\x01"+u64(seq/1000)+fields, recordText)
}

// An openCase is what rv.record-open is asked; p's owner reads.
type openCase struct {
	p            pair
	family       int
	epoch        uint64
	now, highest uint64
	seq          uint64
	k, v, sig    string
}

// open returns what the record says, or the rule that refuses it.
func (c openCase) open() (time uint64, endpoints []string, rule string) {
	slot := slotOf(c.p.received("slot"+strconv.Itoa(c.family), c.epoch))
	if c.k != slot.key {
		return 0, nil, "rv-record-key"
	}
	if verify(c.k, "3:seqi"+strconv.FormatUint(c.seq, 10)+"e1:v"+c.v, c.sig) != "" {
		return 0, nil, "rv-record-signature"
	}
	if c.seq < c.highest {
		return 0, nil, "rv-record-lower"
	}
	if len(c.v) != 516 || c.v[:4] != "512:" {
		return 0, nil, "rv-record-size"
	}
	v := c.v[4:]
	plaintext, ok := unsealed(c.p.received("record", c.epoch), v[:24], c.k+u64(c.seq), v[24:])
	if !ok {
		return 0, nil, "rv-record-seal"
	}
	if plaintext[0] != 1 {
		return 0, nil, "rv-record-version"
	}
	if time = fromU64(plaintext[1:9]); time != c.seq/1000 {
		return 0, nil, "rv-record-time"
	}
	if endpoints, rule = readFields(plaintext[9:]); rule != "" {
		return 0, nil, rule // rv-record-content, by its own name
	}
	if time+maxAge < c.now || time > c.now+maxAhead {
		return 0, nil, "rv-record-age"
	}
	return time, endpoints, ""
}

// nextSeq is what rv-seq and the rules of observed items give.
func nextSeq(time, last uint64, observed []uint64, jitter string) (seq uint64, rule string) {
	for _, s := range observed {
		last = max(last, s)
	}
	random := uint64(jitter[0])<<24 | uint64(jitter[1])<<16 | uint64(jitter[2])<<8 | uint64(jitter[3])
	if seq = max(time*1000+random%1000, last+1); seq/1000 > time+maxAhead {
		return 0, "rv-seq-far"
	}
	return seq, ""
}
