package main

import (
	"strings"
	"unicode/utf8"
)

// A stroke is what a person does at the keyboard.
type stroke int

const (
	strokeText    stroke = iota + 1 // characters that were typed, with text
	strokePaste                     // with text
	strokeEnter                     //
	strokeNewLine                   // Alt-Enter
	strokeTab
	strokeLeft
	strokeRight
	strokeWordLeft
	strokeWordRight
	strokeHome
	strokeEnd
	strokeUp
	strokeDown
	strokeErase // the character before the cursor
	strokeDelete
	strokeEraseWord
	strokeDeleteWord
	strokeEraseLine // all before the cursor
	strokeDeleteLine
	strokeClear // the screen
	strokeInterrupt
	strokeEndOfInput // Ctrl-D: deletes, or ends where there is nothing
)

// controls are the keys that are one byte.
var controls = map[byte]stroke{
	1: strokeHome, 2: strokeLeft, 3: strokeInterrupt, 4: strokeEndOfInput, 5: strokeEnd, 6: strokeRight, 8: strokeErase, '\t': strokeTab,
	'\n': strokeEnter, 11: strokeDeleteLine, 12: strokeClear, '\r': strokeEnter, 14: strokeDown, 16: strokeUp, 21: strokeEraseLine,
	23: strokeEraseWord, 0x7f: strokeErase,
}

// alts are the keys with Alt, or after Esc.
var alts = map[byte]stroke{
	'\r': strokeNewLine, '\n': strokeNewLine, 'b': strokeWordLeft, 'f': strokeWordRight, 'd': strokeDeleteWord, 8: strokeEraseWord, 0x7f: strokeEraseWord,
}

// sequences are what stands behind Esc [ or Esc O.
var sequences = map[string]stroke{
	"A": strokeUp, "B": strokeDown, "C": strokeRight, "D": strokeLeft, "H": strokeHome, "F": strokeEnd, "M": strokeEnter,
	"1~": strokeHome, "7~": strokeHome, "4~": strokeEnd, "8~": strokeEnd, "3~": strokeDelete,
	"1;5C": strokeWordRight, "1;5D": strokeWordLeft, "1;3C": strokeWordRight, "1;3D": strokeWordLeft, "3;5~": strokeDeleteWord,
}

const (
	pasteBegin = "200~" // behind Esc [
	pasteEnd   = "\x1b[201~"
	mostPaste  = 1 << 17 // bytes; more than a message has
	mostKey    = 16      // bytes of a sequence that are looked at
)

// A keyboard makes strokes of the bytes that a raw terminal sends.
type keyboard struct {
	state   keyState
	held    []byte // what was begun: a character, a sequence or a paste
	matched int    // bytes of pasteEnd that were seen last
}

type keyState int

const (
	keysPlain    keyState = iota
	keysEscape            // after Esc
	keysBracket           // after Esc [
	keysLetter            // after Esc O: one letter comes
	keysFunction          // after Esc [ [, from the Linux console: one letter comes, of no use here
	keysPaste
)

// read takes what one read of the terminal gave, and calls do for each stroke.
func (k *keyboard) read(b []byte, do func(s stroke, text string)) {
	for _, c := range b {
		switch k.state {
		case keysPlain:
			k.plain(c, do)
		case keysEscape:
			k.escape(c, do)
		case keysBracket, keysLetter:
			k.sequence(c, do)
		case keysFunction:
			k.state = keysPlain
		case keysPaste:
			k.paste(c, do)
		}
	}
	switch k.state {
	case keysPlain:
		k.letters(do)
	case keysEscape:
		k.state = keysPlain // the key Esc itself: terminals send a sequence in one piece
	}
}

func (k *keyboard) plain(c byte, do func(stroke, string)) {
	if c >= ' ' && c != 0x7f {
		k.held = append(k.held, c)
		return
	}
	k.letters(do)
	k.held = k.held[:0] // a character that was cut off
	if c == '\x1b' {
		k.state = keysEscape
	} else if s, ok := controls[c]; ok {
		do(s, "")
	}
}

// letters hands on the characters that are whole. What is not UTF-8 is dropped.
func (k *keyboard) letters(do func(stroke, string)) {
	whole := len(k.held)
	for i := 1; i <= min(utf8.UTFMax-1, len(k.held)); i++ {
		if tail := k.held[len(k.held)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				whole -= i
			}
			break
		}
	}
	if s := strings.ToValidUTF8(string(k.held[:whole]), ""); s != "" {
		do(strokeText, s)
	}
	k.held = append(k.held[:0], k.held[whole:]...)
}

func (k *keyboard) escape(c byte, do func(stroke, string)) {
	k.state = keysPlain
	switch s, ok := alts[c]; {
	case ok:
		do(s, "")
	case c == '[':
		k.state = keysBracket
	case c == 'O':
		k.state = keysLetter
	case c == '\x1b':
		k.state = keysEscape
	}
}

func (k *keyboard) sequence(c byte, do func(stroke, string)) {
	switch {
	case c == '\x1b':
		k.state, k.held = keysEscape, k.held[:0]
	case k.state == keysBracket && c == '[' && len(k.held) == 0:
		k.state = keysFunction
	case k.state == keysBracket && ' ' <= c && c < '@':
		if len(k.held) < mostKey {
			k.held = append(k.held, c)
		}
	default:
		name := string(append(k.held, c))
		k.state, k.held = keysPlain, k.held[:0]
		if name == pasteBegin {
			k.state, k.matched = keysPaste, 0
		} else if s, ok := sequences[name]; ok {
			do(s, "")
		}
	}
}

func (k *keyboard) paste(c byte, do func(stroke, string)) {
	if len(k.held) < mostPaste {
		k.held = append(k.held, c)
	}
	switch {
	case c == pasteEnd[k.matched]:
		k.matched++
	case c == pasteEnd[0]:
		k.matched = 1
	default:
		k.matched = 0
	}
	if k.matched < len(pasteEnd) {
		return
	}
	s := strings.TrimSuffix(string(k.held), pasteEnd)
	k.state, k.held = keysPlain, nil
	do(strokePaste, pasted(s))
}

// pasted returns what of a paste is text: many lines of any system, and no control characters but tabs.
func pasted(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, ""))
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
