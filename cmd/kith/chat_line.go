package main

import "slices"

// A lineEditor is the line that a person types, which may have several rows.
//
// x/term's Terminal is not used for it, only for the raw mode: it takes every character for one column wide, so that the first emoji
// confuses it; it writes the control characters of a paste to the terminal; and when something is printed above, it leaves the rows
// that are below the cursor.
type lineEditor struct {
	text  []cell
	at    int // the cell under the cursor
	bytes int // of text
	ascii bool

	past  []string // lines entered, oldest first
	back  int      // how far Up went
	draft string   // what was there before
}

const (
	mostPast = 100
	mostText = 60000 // bytes of a message: peer-message-size
)

// insert puts s before the cursor. It reports false, and inserts what fits, if the line would be longer than a message.
func (l *lineEditor) insert(s string) bool {
	from := l.at
	if from > 0 && !l.text[from-1].ends() {
		from-- // what comes may belong to it
	}
	room := mostText - l.bytes
	added := cells(written(l.text[from:l.at])+s, l.ascii)
	had, bytes, n := l.bytesOf(from, l.at), 0, 0
	for n < len(added) && bytes+len(added[n].src)-had <= room {
		bytes += len(added[n].src)
		n++
	}
	if n < len(added) && bytes < had {
		return false // one mark too many on what was there
	}
	l.text = slices.Replace(l.text, from, l.at, added[:n]...)
	l.bytes += bytes - had
	l.at = from + n
	return n == len(added)
}

func (l *lineEditor) bytesOf(from, to int) int {
	n := 0
	for _, c := range l.text[from:to] {
		n += len(c.src)
	}
	return n
}

// cut takes the cells from … to away.
func (l *lineEditor) cut(from, to int) {
	l.bytes -= l.bytesOf(from, to)
	l.text = slices.Delete(l.text, from, to)
	l.at = from
}

// set makes s the line.
func (l *lineEditor) set(s string) {
	l.cut(0, len(l.text))
	l.insert(s)
}

// take returns the line, remembers it and begins another.
func (l *lineEditor) take() string {
	s := written(l.text)
	l.set("")
	l.back, l.draft = 0, ""
	if s != "" && (len(l.past) == 0 || l.past[len(l.past)-1] != s) {
		if len(l.past) == mostPast {
			l.past = slices.Delete(l.past, 0, 1)
		}
		l.past = append(l.past, s)
	}
	return s
}

// forget takes what was entered last out of what Up brings back.
func (l *lineEditor) forget() {
	if len(l.past) > 0 {
		l.past = l.past[:len(l.past)-1]
	}
}

// edit does what a stroke says that only changes the line or moves in it.
func (l *lineEditor) edit(s stroke) {
	switch s {
	case strokeLeft:
		l.at = max(l.at-1, 0)
	case strokeRight:
		l.at = min(l.at+1, len(l.text))
	case strokeWordLeft:
		l.at = l.wordLeft()
	case strokeWordRight:
		l.at = l.wordRight()
	case strokeHome:
		l.at = 0
	case strokeEnd:
		l.at = len(l.text)
	case strokeErase:
		l.cut(max(l.at-1, 0), l.at)
	case strokeDelete, strokeEndOfInput:
		l.cut(l.at, min(l.at+1, len(l.text)))
	case strokeEraseWord:
		l.cut(l.wordLeft(), l.at)
	case strokeDeleteWord:
		l.cut(l.at, l.wordRight())
	case strokeEraseLine:
		l.cut(0, l.at)
	case strokeDeleteLine:
		l.cut(l.at, len(l.text))
	case strokeUp:
		l.recall(l.back + 1)
	case strokeDown:
		l.recall(l.back - 1)
	}
}

// recall shows what was entered that many lines ago, or, for 0, what was typed last.
func (l *lineEditor) recall(back int) {
	switch {
	case back < 0 || back > len(l.past):
		return
	case l.back == 0:
		l.draft = written(l.text)
	}
	if l.back = back; back == 0 {
		l.set(l.draft)
	} else {
		l.set(l.past[len(l.past)-back])
	}
}

func (l *lineEditor) wordLeft() int {
	i := l.at
	for i > 0 && between(l.text[i-1]) {
		i--
	}
	for i > 0 && !between(l.text[i-1]) {
		i--
	}
	return i
}

func (l *lineEditor) wordRight() int {
	i := l.at
	for i < len(l.text) && between(l.text[i]) {
		i++
	}
	for i < len(l.text) && !between(l.text[i]) {
		i++
	}
	return i
}

func between(c cell) bool { return c.ends() || c.blank() }

// A layout is how the line stands on the screen.
type layout struct {
	rows   []layoutRow
	row    int // where the cursor is
	column int
}

// A layoutRow is one row of it, behind a head, which is the prompt in the first.
type layoutRow struct {
	head      string
	headWidth int
	text      []cell
}

// lay sets the line behind a prompt in rows of less than width columns: the last column stays free, because terminals differ on where the
// cursor is after it. Of more than most rows those around the cursor are shown.
func (l *lineEditor) lay(prompt string, promptWidth, width, most int) layout {
	var v layout
	row, begin, column := layoutRow{prompt, promptWidth, nil}, 0, promptWidth
	end := func(i int) {
		row.text = l.text[begin:i]
		v.rows = append(v.rows, row)
		row, begin, column = layoutRow{}, i, 0
	}
	for i, c := range l.text {
		if column+c.width >= width && column > 0 {
			end(i)
		}
		if i == l.at {
			v.row, v.column = len(v.rows), column
		}
		if column += c.width; c.ends() {
			end(i + 1)
		}
	}
	if l.at == len(l.text) {
		v.row, v.column = len(v.rows), column
	}
	end(len(l.text))
	top := max(0, min(v.row, len(v.rows)-most))
	v.rows, v.row = slices.Clone(v.rows[top:min(len(v.rows), top+most)]), v.row-top
	for i := range v.rows {
		v.rows[i].text = slices.Clone(v.rows[i].text) // the line will be changed while this is on the screen
	}
	return v
}

func (r layoutRow) String() string { return r.head + shown(r.text) }

// above is how many rows stand above the cursor when the terminal breaks what was laid at another width.
func (v layout) above(width int) int {
	n := 0
	for i, r := range v.rows[:min(len(v.rows), v.row+1)] {
		column := 0
		put := func(c int) {
			if column+c > width {
				n, column = n+1, 0
			}
			column += c
		}
		at := 0
		for range r.headWidth {
			put(1)
			at++
		}
		for _, c := range r.text {
			if i == v.row && at > v.column {
				break
			}
			put(c.width)
			at += c.width
		}
		n++
	}
	return max(0, n-1)
}
