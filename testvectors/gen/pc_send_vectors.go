package gen

// pcSendVectors are pc.cids, pc.hello and pc.send.
func pcSendVectors() (out []vector) {
	for _, c := range []struct {
		suffix, comment, role string
		highest               uint32
	}{
		{"initiator", "what I takes at first", "I", 0}, {"responder", "what R takes at first", "R", 0},
		{"risen", "what R takes when a datagram has opened under its i of 5", "R", 5}, {"late", "what I takes when one has opened under its i of 300", "I", 300},
	} {
		s := new(secrets)
		key := s.bytes("CIDK", "CIDK", 32)
		cids := []string{}
		for i := range uint32(pcCIDs) {
			cids = append(cids, toHex(cid(key, c.role, c.highest+i)))
		}
		out = append(out, answered(vector{id: "peer-cid-taken/" + c.suffix, also: []string{"hs-cid"}, op: "pc.cids", comment: c.comment, secrets: s,
			in: o("CIDK", toHex(key), "role", c.role, "highest", int(c.highest))}, o("cids", cids), ""))
	}

	for _, c := range []struct {
		suffix, comment     string
		acknowledged, given uint64
		known               []uint64 // next expected of the streams that are remembered
	}{
		{"nothing", "who has said nothing, and knows nothing of the other", 0, 0, nil},
		{"all-acknowledged", "all that was said is acknowledged: the next id that it will give", 12, 12, []uint64{3}},
		{"some", "9 to 11 are not acknowledged: the lowest of them", 9, 12, []uint64{3}},
		{"unknown", "the other has not spoken yet", 0, 2, nil},
		{"several", "of several streams of the other, the one that had the last hello", 1 << 40, 1<<40 + 1, []uint64{70, 1 << 50, 5}},
		{"not-begun", "a stream of the other in which nothing has come", 4, 4, []uint64{0}},
	} {
		t := &pcTale{s: new(secrets)}
		own := t.s.bytes("own", "pc own stream", 8)
		other, next := zeros(8), uint64(0)
		for i, n := range c.known {
			t.knows(i, n)
			other, next = t.stream(i), n
		}
		frame := pcHelloFrame(own, c.acknowledged, other, next)
		out = append(out, answered(vector{id: "peer-hello-form/" + c.suffix, op: "pc.hello", comment: c.comment, secrets: t.s,
			in: o("stream", toHex(own), "acknowledged", decimal(c.acknowledged), "given", decimal(c.given), "streams", pcStreamsJSON(t.streams))},
			o("hello", toHex(frame[3:])), ""))
	}
	return append(out, pcWindowVectors()...)
}

// A pcPlea is pc.send in the making: who has said something, and what the other sends.
type pcPlea struct {
	pcTale
	role                        string
	own                         string
	acknowledged, given, queued uint64
	older                       *pcTale
}

// said tells what became of the stream: ids below acknowledged are, those up to given are given, and queued more wait.
func (p *pcPlea) said(acknowledged, given, queued uint64) {
	p.acknowledged, p.given, p.queued = acknowledged, given, queued
}

// knowing is a hello of who has next expected of our stream.
func (p *pcPlea) knowing(next uint64) string { return pcHelloFrame(p.stream(0), 0, p.own, next) }

func pcWindowVectors() (out []vector) {
	ask := func(id, comment, twin string, also []string, tell func(p *pcPlea)) {
		p := &pcPlea{pcTale: pcTale{s: new(secrets)}, role: "R"}
		p.own = p.s.bytes("own", "pc own stream", 8)
		p.older = &pcTale{s: p.s}
		tell(p)
		m := &pcSender{stream: p.own, acknowledged: p.acknowledged, given: p.given, queued: p.queued, delivered: []string{}}
		v := vector{id: id, also: also, op: "pc.send", comment: comment, twin: twin, secrets: p.s, in: o("role", p.role, "stream", toHex(p.own),
			"acknowledged", decimal(p.acknowledged), "given", decimal(p.given), "queued", int(p.queued))}
		rule := ""
		for i, tale := range []*pcTale{p.older, &p.pcTale} {
			m.hellos = pcHellos{}
			shown := []string{}
			for _, plaintext := range tale.plaintexts() {
				if rule != "" || m.restored {
					panic(id + ": something comes behind the end")
				}
				shown = append(shown, toHex(plaintext))
				rule = m.take(plaintext)
			}
			if name := []string{"older", "plaintexts"}[i]; i == 1 || len(shown) > 0 {
				v.in = append(v.in, field{name, shown})
			}
		}
		delivered := o("delivered", m.delivered)
		ids, stream := m.ids(), p.own
		if m.restored {
			ids, stream = []string{}, p.s.bytes("fresh", "pc fresh stream", 8)
			v.draws = o("fresh", toHex(stream))
		}
		if p.role == "I" && len(p.frames) == 0 {
			ids = []string{}
		}
		out = append(out, pcAnswered(v, append(delivered, o("ids", ids, "stream", toHex(stream), "restored", m.restored)...), rule, delivered))
	}
	sends := func(id, comment string, tell func(p *pcPlea), also ...string) { ask(id, comment, "", also, tell) }

	sends("peer-initiator-waits/nothing", "I, before R's first message has opened: nothing of its stream", func(p *pcPlea) {
		p.role = "I"
		p.said(0, 2, 1)
	})
	sends("peer-initiator-waits/opened", "the same, and it has: what has an id and what waits", func(p *pcPlea) {
		p.role = "I"
		p.said(0, 2, 1)
		p.comes(p.knowing(0), pcAckFrame(0, 0, 0), fieldForm(pcPing, "abcdefgh"))
	}, "peer-responder-first", "peer-id-rises")
	sends("peer-window/first", "a new stream with 600 messages: 0 to 512 may go", func(p *pcPlea) {
		p.said(0, 0, 600)
		p.comes(p.hello(0), pcAckFrame(0, 0, 0))
	}, "peer-id-rises")
	sends("peer-window/told", "next expected is 10: 10 to 522 may go", func(p *pcPlea) {
		p.said(0, 513, 100)
		p.comes(p.knowing(0))
		p.comes(pcAckFrame(10, 0, 0))
	}, "peer-keep-until")
	sends("peer-window/bits", "bits do not move the window: next expected does", func(p *pcPlea) {
		p.said(0, 513, 100)
		p.comes(p.knowing(0))
		p.comes(pcAckFrame(0, 1<<64-2, 0))
	})
	sends("peer-window/hello", "next expected stands in the hello", func(p *pcPlea) {
		p.said(5, 30, 600)
		p.comes(p.knowing(20))
	}, "peer-keep-until")
	sends("peer-window/far", "ids beyond 2^32", func(p *pcPlea) {
		p.said(1<<40, 1<<40+70, 10)
		p.comes(p.knowing(1<<40), pcAckFrame(1<<40+69, 0, 0))
	})
	sends("peer-window/few", "fewer wait than may go", func(p *pcPlea) {
		p.said(7, 9, 3)
		p.comes(p.knowing(7))
	})
	sends("peer-window/none", "nothing waits", func(p *pcPlea) {
		p.said(7, 7, 0)
		p.comes(p.knowing(7))
	})
	sends("peer-keep-until/same", "next expected is as before: nothing is delivered", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(3, 0, 0))
	})
	sends("peer-keep-until/one", "next expected is one more", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(4, 0, 0))
	})
	sends("peer-keep-until/all", "all is delivered", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(6, 0, 0))
	})
	sends("peer-keep-until/late", "an older acknowledgement comes behind a newer one", func(p *pcPlea) {
		p.said(0, 6, 0)
		p.comes(p.knowing(0), pcAckFrame(4, 0, 0))
		p.comes(p.knowing(0), pcAckFrame(2, 0, 0))
	})
	sends("peer-keep-until/lower-hello", "the other's hello tells less than is delivered", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(1))
	})
	sends("peer-keep-until/bits", "what bits and parts show is not delivered", func(p *pcPlea) {
		p.said(3, 9, 0)
		p.comes(p.knowing(3), pcAckFrame(3, 1<<1|1<<4, 1))
	}, "peer-ack-form")
	sends("peer-keep-until/all-bits", "all that has an id is shown by bits, and kept", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(3, 3, 1))
	}, "peer-ack-form")
	sends("peer-bitmap-void/older", "the bits of an older conversation are void: all that it did not tell by next expected goes again", func(p *pcPlea) {
		p.said(3, 9, 0)
		p.older.comes(p.knowing(3), pcAckFrame(4, 1<<1|1<<4, 1))
		p.comes(p.knowing(4))
	}, "peer-keep-until")
	sends("peer-bitmap-void/all", "an older conversation has shown all: all of it goes again", func(p *pcPlea) {
		p.said(0, 3, 1)
		p.older.comes(p.knowing(0), pcAckFrame(0, 3, 1))
		p.comes(p.knowing(0), pcAckFrame(0, 0, 0))
	}, "peer-keep-until")
	sends("peer-id-heard/zeros", "the other's hello knows no stream of ours: what has an id goes, and nothing gets one", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(p.hello(0))
	})
	sends("peer-id-heard/other-stream", "its hello knows another stream of ours, and expects more of it than was given: that means nothing here", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(pcHelloFrame(p.stream(0), 0, p.stream(1), 1000))
	}, "peer-stream-restored")
	sends("peer-id-heard/hello", "its hello knows this stream", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(p.knowing(0))
	}, "peer-id-rises")
	sends("peer-id-heard/acknowledgement", "its hello knows no stream, and an acknowledgement comes behind it", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(p.hello(0), pcAckFrame(0, 0, 0))
	}, "peer-id-rises")
	sends("peer-id-heard/older", "it was told in the older conversation, since the start", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.older.comes(p.knowing(0))
		p.comes(p.hello(0))
	}, "peer-id-rises")
	sends("peer-id-heard/nothing-given", "a stream that has said nothing yet, and a hello that knows none: nothing goes before an acknowledgement", func(p *pcPlea) {
		p.said(0, 0, 3)
		p.comes(p.hello(0))
	})
	sends("peer-stream-restored/equal", "next expected is the next id to be given: no old copy", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(p.knowing(2))
	})
	sends("peer-stream-restored/hello", "the hello tells one more than was given: an old copy. What has an id is delivered, the rest gets a new stream", func(p *pcPlea) {
		p.said(0, 2, 3)
		p.comes(p.knowing(3))
	})
	sends("peer-stream-restored/acknowledgement", "an acknowledgement tells it", func(p *pcPlea) {
		p.said(0, 2, 0)
		p.comes(p.knowing(1))
		p.comes(pcAckFrame(1000, 0, 0))
	})
	sends("peer-stream-restored/nothing-given", "a copy from before the first message", func(p *pcPlea) {
		p.said(0, 0, 0)
		p.comes(p.knowing(1))
	})

	aborts := func(id, comment, twin string, tell func(p *pcPlea), also ...string) {
		ask(id, comment, twin, also, tell)
	}
	aborts("peer-hello-missing/sender", "an acknowledgement without a hello: nothing is delivered", "peer-keep-until/all", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(pcAckFrame(6, 0, 0))
	})
	aborts("peer-hello-missing/sender-behind", "the hello stands behind the acknowledgement", "peer-keep-until/all", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(pcAckFrame(6, 0, 0), p.knowing(3))
	})
	aborts("peer-hello-missing/sender-older", "the hello came in the older conversation", "peer-bitmap-void/older", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.older.comes(p.knowing(3), pcAckFrame(4, 0, 0))
		p.comes(pcAckFrame(6, 0, 0))
	})
	aborts("peer-hello-again/sender-next", "a second hello that tells more; what was told before stays", "peer-keep-until/late", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(4, 0, 0))
		p.comes(p.knowing(6))
	})
	aborts("peer-frames-whole/sender", "an acknowledgement, and behind it a frame of type 8: nothing is delivered", "peer-keep-until/all", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), pcAckFrame(4, 0, 0))
		p.comes(pcAckFrame(6, 0, 0), fieldForm(8, ""))
	}, "peer-frame-unknown")
	aborts("peer-frames-whole/sender-restored", "an acknowledgement of more than was given, and behind it nine endpoints: nothing follows of it", "peer-stream-restored/acknowledgement", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3))
		p.comes(pcAckFrame(60, 0, 0), fieldForm(pcEndpoints, nineEndpoints()))
	}, "rv-endpoint-limit")
	aborts("peer-frame-length/sender", "an acknowledgement of 23 bytes", "peer-keep-until/all", func(p *pcPlea) {
		p.said(3, 6, 0)
		p.comes(p.knowing(3), fieldForm(pcAck, u64(6)+zeros(15)))
	})
	return out
}

func nineEndpoints() (b string) {
	for _, e := range manyEndpoints(9) {
		b += endpointForm(e)
	}
	return b
}
