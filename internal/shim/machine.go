package shim

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"kith/handshake"
)

// machineOperations are those of spec/operations.md, "hs: the state machine".
var machineOperations = map[string]operation{
	"hs.new":     {ask: hsNew},
	"hs.begin":   {draws: []string{"id", "random", "nonce-*"}, ask: hsBegin},
	"hs.receive": {draws: []string{"spk", "rk", "ek", "e", "coins", "nonce-*"}, ask: hsReceive},
	"hs.timeout": {draws: []string{"id", "random", "nonce-*"}, ask: hsTimeout},
	"hs.hello":   {draws: []string{"nonce-*"}, ask: hsHello},
	"hs.opened":  {ask: hsOpened},
	"hs.ended":   {ask: hsEnded},
	"hs.remove":  {ask: hsRemove},
}

// A machine is a handshake.Machine and the sessions that its scripts name.
type machine struct {
	*handshake.Machine
	sessions map[string]handshake.SessionID
}

// An at names a machine and a time.
type at struct {
	Handle string  `json:"handle"`
	NowMS  counter `json:"now_ms"`
}

func (q *at) machine(c *call) *machine { return state[*machine](c, q.Handle) }

// id returns the session that a script names: one that it was told of, or one that nobody has.
func (m *machine) id(text string) handshake.SessionID {
	if id, ok := m.sessions[text]; ok {
		return id
	}
	var id handshake.SessionID
	if n, err := hex.Decode(id.ID[:], []byte(text[:min(len(text), 16)])); err != nil || n != len(id.ID) || len(text) != 17 {
		faultf("in: session %q is not a handshake's id and a role", text)
	}
	id.Role = roleOf(text[16:])
	return id
}

func hsNew(c *call) (any, error) {
	q := in[struct {
		at
		Seed     octets `json:"seed"`
		Contacts []struct {
			Friend octets  `json:"friend"`
			Taken  decimal `json:"taken"`
			Own    decimal `json:"own"`
		} `json:"contacts"`
	}](c)
	m, err := handshake.New(handshake.Config{Identity: identity(q.Seed), Rand: c.rand()})
	if err != nil {
		return nil, err
	}
	for _, contact := range q.Contacts {
		if err := m.Add(handshake.PublicKey(sized("friend", contact.Friend, 32)), int64(contact.Taken), int64(contact.Own)); err != nil {
			return nil, err
		}
	}
	c.open(q.Handle, &machine{m, map[string]handshake.SessionID{}})
	return nil, nil
}

func hsBegin(c *call) (any, error) {
	q := in[struct {
		at
		Friend octets   `json:"friend"`
		To     []string `json:"to"`
	}](c)
	m := q.machine(c)
	err := m.Begin(q.NowMS.milliseconds(), handshake.PublicKey(sized("friend", q.Friend, 32)), addresses(q.To)...)
	return m.outputs(err)
}

func hsReceive(c *call) (any, error) {
	q := in[struct {
		at
		From     string `json:"from"`
		Datagram octets `json:"datagram"`
	}](c)
	m := q.machine(c)
	return m.outputs(m.HandleDatagram(q.NowMS.milliseconds(), addresses([]string{q.From})[0], q.Datagram))
}

func hsTimeout(c *call) (any, error) {
	q := in[at](c)
	m := q.machine(c)
	return m.outputs(m.HandleTimeout(q.NowMS.milliseconds()))
}

func hsHello(c *call) (any, error) {
	q := in[struct {
		at
		Session  string `json:"session"`
		Datagram octets `json:"datagram"`
	}](c)
	m := q.machine(c)
	return m.outputs(m.Hello(q.NowMS.milliseconds(), m.id(q.Session), q.Datagram))
}

// A sessionAt is a session of a machine at a time.
type sessionAt struct {
	at
	Session string `json:"session"`
}

func hsOpened(c *call) (any, error) {
	q := in[sessionAt](c)
	m := q.machine(c)
	return m.outputs(m.Opened(q.NowMS.milliseconds(), m.id(q.Session)))
}

func hsEnded(c *call) (any, error) {
	q := in[sessionAt](c)
	m := q.machine(c)
	return m.outputs(m.Ended(q.NowMS.milliseconds(), m.id(q.Session)))
}

func hsRemove(c *call) (any, error) {
	q := in[struct {
		at
		Friend octets `json:"friend"`
	}](c)
	m := q.machine(c)
	m.Remove(handshake.PublicKey(sized("friend", q.Friend, 32)))
	return m.outputs(nil)
}

// outputs drains the machine. What goes with a refusal stands beside its reason.
func (m *machine) outputs(err error) (any, error) {
	var out struct {
		Outputs []any `json:"outputs"`
	}
	out.Outputs = []any{}
	for o, ok := m.Output(); ok; o, ok = m.Output() {
		out.Outputs = append(out.Outputs, m.written(&o))
	}
	if class := classOf(err); class != "" && len(out.Outputs) > 0 {
		return nil, refuse(class, out)
	}
	return out, err
}

// written is an output as the chapter writes it.
func (m *machine) written(o *handshake.Output) any {
	type judged struct {
		Session string `json:"session"`
		Friend  octets `json:"friend"`
	}
	friend := octets(o.Friend[:])
	switch o.Kind {
	case handshake.OutputPersist:
		type persist struct {
			Friend octets  `json:"friend"`
			Taken  decimal `json:"taken"`
			Own    decimal `json:"own"`
		}
		return map[string]any{"persist": persist{friend, decimal(o.Taken), decimal(o.Own)}}
	case handshake.OutputTransmit:
		type transmit struct {
			To       netip.AddrPort `json:"to"`
			Datagram octets         `json:"datagram"`
		}
		return map[string]any{"transmit": transmit{o.To, o.Datagram}}
	case handshake.OutputSession:
		type made struct {
			Session string  `json:"session"`
			Friend  octets  `json:"friend"`
			Role    string  `json:"role"`
			TimeMS  decimal `json:"time_ms"`
			session
			Rk octets `json:"rk"`
		}
		m.sessions[o.ID.String()] = o.ID
		return map[string]any{"session": made{o.ID.String(), friend, string(o.ID.Role), decimal(o.Time), sessionOf(o.Session), o.Session.RatchetKey[:]}}
	case handshake.OutputFinished:
		return map[string]any{"finished": judged{o.ID.String(), friend}}
	case handshake.OutputRefused:
		return map[string]any{"refused": judged{o.ID.String(), friend}}
	case handshake.OutputRepeat:
		type repeat struct {
			Session string         `json:"session"`
			To      netip.AddrPort `json:"to"`
		}
		return map[string]any{"repeat": repeat{o.ID.String(), o.To}}
	case handshake.OutputClock:
		return map[string]any{"clock": struct {
			Friend  octets `json:"friend"`
			AheadMS string `json:"ahead_ms"`
		}{friend, strconv.FormatInt(o.Ahead, 10)}}
	case handshake.OutputEnded:
		return map[string]any{"ended": struct {
			Friend octets `json:"friend"`
		}{friend}}
	}
	faultf("output of kind %d", o.Kind)
	return nil
}
