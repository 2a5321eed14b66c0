package gen

import (
	"fmt"
	"strings"
)

// A pcTale is what comes in one conversation, plaintext by plaintext, to who remembers streams.
type pcTale struct {
	s       *secrets
	streams []pcStream
	frames  [][]string // of each plaintext
	raw     []string   // plaintexts behind them that are no frames
}

// stream is a stream of the other side; 0 is the one that the hello names.
func (t *pcTale) stream(i int) string {
	return t.s.bytes(fmt.Sprintf("stream-%d", i), fmt.Sprintf("pc stream %d", i), 8)
}

func (t *pcTale) knows(i int, next uint64) {
	t.streams = append(t.streams, pcStream{t.stream(i), next})
}

func (t *pcTale) comes(frames ...string) { t.frames = append(t.frames, frames) }

// hello is a hello whose stream begins at first, of who knows nothing of the other.
func (t *pcTale) hello(first uint64) string { return pcHelloFrame(t.stream(0), first, zeros(8), 0) }

// says are messages of one part with the ids from, up to but without to, as many in a datagram as fit.
func (t *pcTale) says(from, to uint64) {
	all := ""
	for id := from; id < to; id++ {
		f := pcSays(id, fmt.Sprint(id))
		if len(all)+len(f) > pcMostFrames {
			t.comes(all)
			all = ""
		}
		all += f
	}
	t.comes(all)
}

// greets is a datagram with a hello alone.
func (t *pcTale) greets(first uint64) { t.comes(t.hello(first)) }

func (t *pcTale) plaintexts() (all []string) {
	for _, frames := range t.frames {
		all = append(all, pcPadded(frames...))
	}
	return append(all, t.raw...)
}

// pcTold is pc.receive of a tale.
func pcTold(id, comment, twin string, also []string, tell func(t *pcTale)) vector {
	t := &pcTale{s: new(secrets)}
	tell(t)
	r := &pcReceiver{streams: append([]pcStream(nil), t.streams...), held: map[uint64][]pcPart{}, events: []object{}, pongs: []string{}}
	v := vector{id: id, also: also, op: "pc.receive", comment: comment, twin: twin, secrets: t.s}
	shown, rule := []string{}, ""
	for _, p := range t.plaintexts() {
		if rule != "" {
			panic(id + ": something comes behind the end")
		}
		shown = append(shown, toHex(p))
		rule = r.take(p)
	}
	if len(t.s.all) == 0 {
		v.secrets = nil
	}
	v.in = o("streams", pcStreamsJSON(t.streams), "plaintexts", shown)
	out := o("events", r.events, "streams", pcStreamsJSON(r.streams))
	with := out
	if ack := r.ack(); ack != nil {
		out = append(out[:2:2], field{"ack", ack})
	}
	return pcAnswered(v, append(out, field{"pongs", r.pongs}), rule, with)
}

func pcReceiveVectors() (out []vector) {
	told := func(id, comment string, tell func(t *pcTale), also ...string) {
		out = append(out, pcTold(id, comment, "", also, tell))
	}
	out = append(out, pcOrderVectors()...)
	out = append(out, pcStreamVectors()...)
	out = append(out, pcContentVectors()...)
	out = append(out, pcAbortVectors()...)

	// Pings.
	ping := func(value string) string { return fieldForm(pcPing, value) }
	told("peer-pong/both", "pings of nothing and of 8 bytes, the same twice: a pong for each", func(t *pcTale) {
		t.comes(t.hello(0), ping("abcdefgh"), ping(""))
		t.comes(t.hello(0), ping("abcdefgh"))
	})
	told("peer-pong/no-hello", "a ping before any hello is answered; nothing is acknowledged yet", func(t *pcTale) { t.comes(ping("abcdefgh")) }, "peer-ack-everywhere")
	told("peer-pong/pong", "a pong of something that was not asked is not answered", func(t *pcTale) { t.comes(t.hello(0), fieldForm(pcPong, "abcdefgh")) })
	return out
}

// pcOrderVectors are what comes late, doubled and out of order.
func pcOrderVectors() (out []vector) {
	told := func(id, comment string, tell func(t *pcTale), also ...string) {
		out = append(out, pcTold(id, comment, "", also, tell))
	}
	told("peer-deliver-once/one", "a hello, and behind it a message", func(t *pcTale) { t.comes(t.hello(0), pcSays(0, "hi")) })
	told("peer-deliver-once/in-order", "messages in several datagrams", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(0, "zero"), pcSays(1, "one"))
		t.comes(t.hello(0), pcSays(2, "two"))
		t.comes(pcSays(3, "three"))
	})
	told("peer-deliver-once/backwards", "the last comes first", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(2, "two"))
		t.comes(pcSays(1, "one"))
		t.comes(pcSays(0, "zero"))
	})
	told("peer-deliver-once/backwards-in-one", "the last comes first, in one datagram", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(2, "two"), pcSays(1, "one"), pcSays(0, "zero"))
	})
	told("peer-deliver-once/same-text", "two messages that say the same", func(t *pcTale) { t.comes(t.hello(0), pcSays(0, "yes"), pcSays(1, "yes")) })
	told("peer-deliver-once/later-frames", "frames of other types between messages", func(t *pcTale) {
		t.comes(t.hello(0), pcAckFrame(0, 0, 0), pcSays(0, "zero"), fieldForm(200, "later"), pcSays(1, "one"), fieldForm(pcEndpoints, endpointForm("192.0.2.1:6881")))
	})
	told("peer-message-outside/twice", "each message twice: in one datagram, in another, and what is held too", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(0, "zero"), pcSays(0, "zero"), pcSays(2, "two"))
		t.comes(t.hello(0), pcSays(0, "zero"), pcSays(2, "two"))
	}, "peer-deliver-once")
	told("peer-message-outside/below-differs", "an id that was delivered, with other bytes, other parts, another type: it is not looked at", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(0, "zero"))
		t.comes(pcSays(0, "nil"), pcMessageFrame(0, 1, 2, "", "x"), pcMessageFrame(0, 0, 1, "\x02", "zero"))
	})
	told("peer-message-outside/below-hello", "an id below the hello's first", func(t *pcTale) { t.comes(t.hello(7), pcSays(6, "six"), pcSays(7, "seven")) })
	told("peer-message-outside/512", "512 above next expected: held, and delivered when all between has come", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(512, "far"))
		t.says(0, 512)
	}, "peer-deliver-once")
	told("peer-message-outside/513", "513 above next expected: ignored, and still missing when all between has come", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(513, "too far"))
		t.says(0, 513)
	})
	told("peer-message-outside/513-differs", "513 above next expected, then 512 with other bytes: nothing was held to differ from", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(513, "too far"))
		t.comes(pcSays(0, "zero"))
		t.comes(pcSays(513, "far"))
	})
	told("peer-message-outside/last", "2^64 − 1 is ignored, nothing could be expected behind it", func(t *pcTale) {
		t.comes(t.hello(1<<64-3), pcSays(1<<64-1, "last"), pcSays(1<<64-2, "last but one"))
		t.comes(pcSays(1<<64-3, "before"), pcSays(1<<64-1, "last"))
	})
	told("peer-message-outside/far", "the greatest id, far above", func(t *pcTale) { t.comes(t.hello(0), pcSays(1<<64-1, "far")) })
	told("peer-message-outside/no-wrap", "ids near the greatest: those behind it do not begin at 0 again", func(t *pcTale) {
		t.comes(t.hello(1<<64-4), pcSays(0, "zero"), pcSays(59, "fifty-nine"), pcSays(507, "five hundred and seven"), pcSays(1<<64-2, "last but one"))
	})
	told("peer-message-outside/signed", "an id of 2^63, when one less was delivered", func(t *pcTale) {
		t.comes(t.hello(1<<63-1), pcSays(1<<63-1, "a"), pcSays(1<<63, "b"), pcSays(1<<63+2, "d"))
	})

	// Bits.
	told("peer-ack-form/holes", "held are 1, 3, 4, 33 and 64 above next expected", func(t *pcTale) {
		t.comes(t.hello(10), pcSays(11, "a"), pcSays(13, "b"), pcSays(14, "c"))
		t.comes(pcSays(43, "d"), pcSays(74, "e"))
	}, "peer-ack-held")
	told("peer-ack-form/64", "64 above next expected: the highest bit shows it", func(t *pcTale) { t.comes(t.hello(0), pcSays(64, "far")) })
	told("peer-ack-form/65", "65, 128 and 512 above next expected are held, and no bit shows it", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(65, "a"), pcSays(128, "b"), pcSays(512, "c"))
	})
	told("peer-ack-form/moves", "what is held moves to lower bits when next expected rises, and what was too far above for one gets one", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(2, "two"), pcSays(64, "far"), pcSays(65, "farther"), pcSays(66, "farthest"))
		t.comes(pcSays(0, "zero"))
	})
	told("peer-ack-form/moves-parts", "parts that came while their id was far above are told once it is next expected", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(100, 1, 3, "", "b"), pcMessageFrame(101, 0, 2, pcText, "c"), pcMessageFrame(101, 1, 2, "", "d"))
		t.says(0, 100)
	}, "peer-deliver-once")
	told("peer-ack-form/parts", "parts 0, 2 and 63 of the next expected id", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(0, 63, 64, "", "c"), pcMessageFrame(0, 0, 64, pcText, "a"), pcMessageFrame(0, 2, 64, "", "b"))
	}, "peer-hold")
	told("peer-ack-form/parts-of-another", "of ids above it, parts are not told, and a bit says that all are there", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(1, 0, 2, pcText, "a"), pcMessageFrame(2, 1, 2, "", "d"), pcMessageFrame(2, 0, 2, pcText, "c"))
	}, "peer-ack-held")
	told("peer-ack-form/parts-move", "parts that were held are told once their id is next expected", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(1, 1, 3, "", "b"), pcMessageFrame(1, 2, 3, "", "c"))
		t.comes(pcSays(0, "zero"))
	})

	// Parts.
	whole := strings.Repeat("0123456789", 30)
	parts := pcCut(0, pcText, whole, 100)
	told("peer-deliver-once/parts", "a message in three parts", func(t *pcTale) {
		for _, f := range parts {
			t.comes(t.hello(0), f)
		}
	})
	told("peer-deliver-once/parts-backwards", "its parts in another order, some twice, and the next message between them", func(t *pcTale) {
		t.comes(t.hello(0), parts[2])
		t.comes(parts[1], pcSays(1, "next"), parts[2])
		t.comes(parts[1], parts[0])
	}, "peer-message-outside")
	told("peer-deliver-once/parts-mixed", "parts of two messages by turns; the second is whole first", func(t *pcTale) {
		second := pcCut(1, pcText, "second", 3)
		t.comes(t.hello(0), parts[0], second[0], parts[1])
		t.comes(second[1])
		t.comes(parts[2])
	})
	told("peer-deliver-once/parts-of-a-byte", "64 parts of a byte each, the last first", func(t *pcTale) {
		all := pcCut(0, pcText, whole[:64], 1)
		for i := len(all) - 1; i >= 0; i -= 16 {
			four := []string{}
			for k := range 16 {
				four = append(four, all[i-k])
			}
			t.comes(append([]string{t.hello(0)}, four...)...)
		}
	})
	told("peer-deliver-once/parts-uneven", "parts of different lengths", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(0, 0, 3, pcText, "a"), pcMessageFrame(0, 1, 3, "", "bcdef"), pcMessageFrame(0, 2, 3, "", "gh"))
	})
	return append(out, pcHeldVector())
}

// pcHeldVector fills what a receiver holds of ids that are not the next expected.
func pcHeldVector() vector {
	return pcTold("peer-hold/full", "next expected is 0. 262,143 bytes of 1 to 5 are held, then one byte of 6: 256 KiB. One byte of 7 is too much, parts of 0 are not", "",
		[]string{"peer-ack-held"}, func(t *pcTale) {
			t.greets(0)
			for id := range uint64(5) {
				n := 52
				if id == 4 {
					n = 48
				}
				for i, f := range pcCut(id+1, pcText, strings.Repeat(string([]byte{'a' + byte(id)}), 52*1024), 1024)[:n] {
					if id == 4 && i == 47 {
						f = pcMessageFrame(5, 47, 52, "", strings.Repeat("e", 1023))
					}
					t.comes(f)
					if i == 20 {
						t.comes(f) // the same once more takes no room
					}
				}
			}
			t.comes(pcSays(6, "f"))
			t.comes(pcSays(7, "g"))
			t.comes(pcMessageFrame(0, 1, 2, "", strings.Repeat("z", 1000)))
		})
}

// pcStreamVectors are hellos of streams that are known, and that are not.
func pcStreamVectors() (out []vector) {
	told := func(id, comment string, tell func(t *pcTale), also ...string) {
		out = append(out, pcTold(id, comment, "", also, tell))
	}
	told("peer-stream-new/first", "the first stream of a contact", func(t *pcTale) { t.greets(0) }, "peer-ack-everywhere")
	told("peer-stream-new/first-5", "a stream that is not known and begins at 5: nothing is missing", func(t *pcTale) { t.comes(t.hello(5), pcSays(5, "five")) })
	told("peer-stream-new/second", "another stream than the one that is known, which stays remembered", func(t *pcTale) {
		t.knows(1, 12)
		t.comes(t.hello(0), pcSays(0, "zero"))
	})
	told("peer-stream-new/known", "a stream that is known goes on", func(t *pcTale) {
		t.knows(0, 12)
		t.comes(t.hello(12), pcSays(12, "twelve"))
	})
	told("peer-stream-new/again", "a stream that is known, and another one had the last hello: it has it now", func(t *pcTale) {
		t.knows(0, 3)
		t.knows(1, 12)
		t.comes(t.hello(3), pcSays(3, "three"))
	})
	many := func(t *pcTale, from, to int) {
		for i := from; i <= to; i++ {
			t.knows(i, uint64(100*i))
		}
	}
	told("peer-stream-new/16", "a sixteenth stream: none is forgotten", func(t *pcTale) {
		many(t, 1, 15)
		t.greets(0)
	})
	told("peer-stream-new/17", "a seventeenth: that which was longest without a hello is forgotten", func(t *pcTale) {
		many(t, 1, 16)
		t.greets(0)
	})
	told("peer-stream-new/oldest-again", "16 are known, and the one that was longest without a hello has one: none is forgotten", func(t *pcTale) {
		t.knows(0, 50)
		many(t, 1, 15)
		t.comes(t.hello(50), pcSays(50, "fifty"))
	})
	told("peer-stream-gap/one", "id 7 is missing", func(t *pcTale) {
		t.knows(0, 7)
		t.comes(t.hello(8), pcSays(8, "eight"))
	})
	told("peer-stream-gap/many", "many are missing; it is told once, though the hello comes again", func(t *pcTale) {
		t.knows(0, 7)
		t.greets(1 << 40)
		t.comes(t.hello(1<<40), pcSays(1<<40, "on"))
	})
	told("peer-stream-gap/lower", "the hello's first id is lower than next expected: nothing is lowered, what was delivered comes again and is ignored", func(t *pcTale) {
		t.knows(0, 7)
		t.comes(t.hello(5), pcSays(5, "five"), pcSays(6, "six"), pcSays(7, "seven"))
	}, "peer-message-outside", "peer-ack-never-back")
	told("peer-stream-gap/none", "nothing has come since: first id and next expected are the same", func(t *pcTale) {
		t.knows(0, 7)
		t.greets(7)
	})
	told("peer-hello-again/same", "the same hello in each datagram, and twice in one", func(t *pcTale) {
		t.comes(t.hello(3), t.hello(3), pcSays(3, "three"))
		t.comes(t.hello(3), pcSays(4, "four"), t.hello(3))
	}, "peer-hello-first")
	told("peer-hello-again/other", "a hello of who knows our stream, before and after what it tells has changed: a hello does not change in a conversation", func(t *pcTale) {
		hello := pcHelloFrame(t.stream(0), 0, zeros(7)+"\x01", 0)
		t.comes(hello, pcAckFrame(0, 0, 0), pcSays(0, "zero"))
		t.comes(hello, pcAckFrame(0, 0, 0), pcSays(1, "one"))
	})
	return out
}

// pcContentVectors are contents that count as delivered and are none, and those next to them.
func pcContentVectors() (out []vector) {
	told := func(id, comment string, tell func(t *pcTale), also ...string) {
		out = append(out, pcTold("peer-message-refused/"+id, comment, "", also, tell))
	}
	says := func(id, comment, text string) {
		told(id, comment, func(t *pcTale) { t.comes(t.hello(0), pcSays(0, text), pcSays(1, "next")) })
	}
	long := func(id, comment, kind string, size int) {
		told(id, comment, func(t *pcTale) {
			t.greets(0)
			for _, f := range pcCut(0, kind, strings.Repeat("n", size), 1074) {
				t.comes(f)
			}
		})
	}
	long("60000", "60,000 bytes: delivered", pcText, 60000)
	long("60001", "60,001 bytes: refused", pcText, 60001)
	long("64-parts", "64 parts that are full, 68,736 bytes: refused", pcText, 64*1074)
	for _, kind := range []string{"\x00", "\x02", "\x80", "\xff"} {
		told(fmt.Sprintf("type-%d", kind[0]), fmt.Sprintf("content type %d; messages before and behind are delivered", kind[0]), func(t *pcTale) {
			t.comes(t.hello(0), pcSays(0, "before"), pcMessageFrame(1, 0, 1, kind, "text"), pcSays(2, "behind"))
		})
	}
	told("type-late", "a message of an unknown type is refused when its turn has come, not before", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(1, 0, 1, "\x02", "text"), pcSays(0, "before"))
	}, "peer-deliver-once")
	told("type-waits", "a message of an unknown type, whose turn has not come", func(t *pcTale) { t.comes(t.hello(0), pcMessageFrame(1, 0, 1, "\x02", "text")) }, "peer-deliver-once")
	told("twice", "a message that was refused comes again", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(0, 0, 1, "\x02", "text"))
		t.comes(pcMessageFrame(0, 0, 1, "\x02", "text"))
	}, "peer-message-outside")
	says("empty", "a text of no bytes is a text", "")
	says("zero", "a zero byte is text", "a\x00b")
	says("kinds", "sequences of 2, 3 and 4 bytes, the first and the last of each", "\u0080\u07ff\u0800\uffff\U00010000\U0010ffff")
	says("mark", "a byte order mark and a character that is none stay", "\ufeff\ufffe\uffff")
	says("around-surrogates", "the characters next to the surrogates", "\ud7ff\ue000")
	told("split", "a character that two parts share", func(t *pcTale) {
		t.comes(t.hello(0), pcMessageFrame(0, 0, 2, pcText, "k\xc3"), pcMessageFrame(0, 1, 2, "", "\xa4se"))
	})
	for _, c := range []struct{ id, comment, text string }{
		{"continuation", "a byte that goes on from nothing", "a\x80"}, {"cut", "a sequence of two bytes that is cut off", "a\xc3"}, {"cut-inside", "a sequence of three bytes of which two are there", "\xe2\x82!"},
		{"overlong-2", "a slash in two bytes", "\xc0\xaf"}, {"overlong-3", "a slash in three bytes", "\xe0\x80\xaf"}, {"overlong-4", "U+FFFF in four bytes", "\xf0\x8f\xbf\xbf"},
		{"overlong-zero", "zero in two bytes", "\xc0\x80"}, {"surrogate-first", "the first surrogate", "\xed\xa0\x80"}, {"surrogate-last", "the last surrogate", "\xed\xbf\xbf"},
		{"beyond", "U+110000", "\xf4\x90\x80\x80"}, {"five", "a sequence of five bytes", "\xf8\x88\x80\x80\x80"}, {"ff", "a byte that is in no text", "ok\xff"},
	} {
		says("text-"+c.id, c.comment+": refused, and the next message is delivered", c.text)
	}
	return out
}

// pcAbortVectors are what ends the conversation. What was delivered before stays so.
func pcAbortVectors() (out []vector) {
	aborts := func(id, comment, twin string, tell func(t *pcTale), also ...string) {
		out = append(out, pcTold(id, comment, twin, also, tell))
	}
	hi := pcSays(0, "hi")
	const one, same, order = "peer-deliver-once/one", "peer-hello-again/same", "peer-deliver-once/in-order"
	aborts("peer-hello-missing/message", "a message without a hello", one, func(t *pcTale) { t.comes(hi) })
	aborts("peer-hello-missing/known", "a message without a hello, of who is remembered", "peer-stream-new/known", func(t *pcTale) {
		t.knows(0, 0)
		t.comes(hi)
	})
	aborts("peer-hello-missing/acknowledgement", "an acknowledgement without a hello", "peer-hello-again/other", func(t *pcTale) { t.comes(pcAckFrame(0, 0, 0)) })
	aborts("peer-hello-missing/behind", "the hello stands behind the message", one, func(t *pcTale) { t.comes(hi, t.hello(0)) })
	aborts("peer-hello-missing/second", "a datagram of a ping, then one of an acknowledgement", "peer-pong/no-hello", func(t *pcTale) {
		t.comes(fieldForm(pcPing, ""))
		t.comes(pcAckFrame(0, 0, 0))
	})

	again := func(suffix, comment string, hello func(t *pcTale) string) {
		aborts("peer-hello-again/"+suffix, comment, same, func(t *pcTale) {
			t.comes(t.hello(3), pcSays(3, "three"))
			t.comes(hello(t), pcSays(4, "four"))
		})
	}
	again("stream", "a second hello of another stream", func(t *pcTale) string { return pcHelloFrame(t.stream(1), 3, zeros(8), 0) })
	again("first", "a second hello that begins at what is next expected by now", func(t *pcTale) string { return t.hello(4) })
	again("other-stream", "a second hello that knows our stream", func(t *pcTale) string { return pcHelloFrame(t.stream(0), 3, zeros(7)+"\x01", 0) })
	again("next", "a second hello with another next expected", func(t *pcTale) string { return pcHelloFrame(t.stream(0), 3, zeros(8), 1) })
	aborts("peer-hello-again/in-one", "two hellos that differ in one datagram", same, func(t *pcTale) {
		t.greets(3)
		t.comes(t.hello(3), t.hello(2))
	})

	differs := func(suffix, comment, before, then string) {
		aborts("peer-part-differs/"+suffix, comment, order, func(t *pcTale) {
			t.comes(t.hello(0), hi)
			t.comes(before)
			t.comes(then)
		})
	}
	part := func(id uint64, bytes string) string { return pcMessageFrame(id, 0, 3, pcText, bytes) }
	differs("bytes", "a part of the next expected id comes again with a bit another", part(1, "part"), part(1, "qart"))
	differs("shorter", "a part comes again, shorter", part(1, "part"), part(1, "par"))
	differs("longer", "a part comes again, longer", part(1, "part"), part(1, "parts"))
	differs("type", "part 0 comes again with another content type", part(1, "part"), pcMessageFrame(1, 0, 3, "\x02", "part"))
	differs("above", "a part of an id above next expected comes again with other bytes", part(40, "part"), part(40, "trap"))
	differs("far", "a message that is held 512 above next expected comes again with other bytes", pcSays(513, "far"), pcSays(513, "fat"))
	aborts("peer-part-differs/later", "a message is ignored at 513 above next expected, held at 512, and differs then", "peer-message-outside/513-differs", func(t *pcTale) {
		t.comes(t.hello(0), pcSays(513, "too far"))
		t.comes(hi)
		t.comes(pcSays(513, "far"))
		t.comes(pcSays(513, "fat"))
	}, "peer-message-outside")
	differs("second", "part 1 comes again with other bytes", pcMessageFrame(1, 1, 3, "", "part"), pcMessageFrame(1, 1, 3, "", "trap"))
	differs("parts-more", "another part of the same id says that there are more", part(1, "part"), pcMessageFrame(1, 1, 4, "", "part"))
	differs("parts-fewer", "another part of the same id says that there are fewer", part(1, "part"), pcMessageFrame(1, 1, 2, "", "part"))
	differs("parts-same-part", "the same part says that there are more", part(1, "part"), pcMessageFrame(1, 0, 4, pcText, "part"))
	differs("whole", "a message that is held whole comes again with other bytes", pcSays(2, "two"), pcSays(2, "zwei"))
	differs("whole-parts", "a message that is held whole comes again as the first of two parts", pcSays(2, "two"), pcMessageFrame(2, 0, 2, pcText, "two"))
	aborts("peer-part-differs/in-one", "a part and one that differs in one datagram", order, func(t *pcTale) {
		t.comes(t.hello(0), hi)
		t.comes(part(1, "part"), part(1, "trap"))
	})

	// One frame is wrong, and what stands before it takes no effect.
	wrong := func(suffix, comment string, also string, frame string) {
		aborts("peer-frames-whole/"+suffix, "a message, and behind it "+comment+": the message is not delivered", order, func(t *pcTale) {
			t.comes(t.hello(0), hi)
			t.comes(pcSays(1, "one"), frame)
		}, also)
	}
	wrong("unknown", "a frame of type 8", "peer-frame-unknown", fieldForm(8, ""))
	wrong("cut", "a frame that reaches beyond the end", "peer-frame-cut", "\x80\xff\xff")
	wrong("padding", "padding that is not all zero", "peer-frame-cut", "\x00\x00\x00\x01")
	wrong("length", "a ping of 7 bytes", "peer-frame-length", fieldForm(pcPing, "abcdefg"))
	wrong("parts", "part 1 of one", "peer-message-parts", pcMessageFrame(2, 1, 1, "", "x"))
	wrong("endpoint", "an endpoint with port 0", "rv-endpoint-address", fieldForm(pcEndpoints, endpointForm("192.0.2.1:0")))
	wrong("endpoints", "nine endpoints", "rv-endpoint-limit", fieldForm(pcEndpoints, strings.Repeat(endpointForm("192.0.2.1:6881"), 9)))
	wrong("below", "a part 0 of no parts, of an id that was delivered", "peer-message-parts", pcMessageFrame(0, 0, 0, pcText, "x"))
	aborts("peer-frames-whole/hello", "a hello, and behind it a frame of type 8: the stream is not remembered", "peer-stream-new/second", func(t *pcTale) {
		t.knows(1, 12)
		t.comes(t.hello(0), fieldForm(8, ""))
	}, "peer-frame-unknown")
	aborts("peer-frames-whole/gap", "a hello that tells of a gap, and behind it a frame of type 8: nothing is told", "peer-stream-gap/one", func(t *pcTale) {
		t.knows(0, 7)
		t.comes(t.hello(8), pcSays(8, "eight"), fieldForm(8, ""))
	}, "peer-frame-unknown")
	for _, n := range []int{0, 63, 65} {
		aborts(fmt.Sprintf("peer-plaintext-size/second-%d", n), fmt.Sprintf("a right datagram, then one whose plaintext has %d bytes", n), order, func(t *pcTale) {
			t.comes(t.hello(0), hi)
			t.raw = append(t.raw, padded(pcSays(1, "one"), 100)[:n])
		})
	}
	return out
}
