package powercut

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A call is one system call of a trace.
type call struct {
	name       string
	args       []string
	result     int64
	failed     bool // it changed nothing
	begin, end int  // lines; end never: it did not return
}

// eachCall reads a trace and hands over its calls in the order of their beginnings.
func eachCall(r io.Reader, f func(call) error) error {
	var (
		all  []*call
		open = make(map[string]*call) // by process: what has begun and not ended
		text = make(map[string]string)
	)
	lines := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if line == "" && errors.Is(err, io.EOF) {
			break
		} else if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		pid, rest, ok := strings.Cut(strings.TrimRight(line, "\n"), " ")
		rest = strings.TrimLeft(rest, " ")
		if _, err := strconv.Atoi(pid); err != nil || !ok {
			return fmt.Errorf("powercut: line %d does not begin with a process", n)
		}
		if strings.HasPrefix(rest, "+++") || strings.HasPrefix(rest, "---") {
			continue
		}
		c := open[pid]
		if strings.HasPrefix(rest, "<... ") {
			_, end, ok := strings.Cut(rest, " resumed>")
			if c == nil || !ok {
				return fmt.Errorf("powercut: line %d resumes what had not begun", n)
			}
			rest = text[pid] + end
			delete(open, pid)
		} else {
			if c != nil {
				return fmt.Errorf("powercut: line %d begins a call within a call", n)
			}
			c = &call{begin: n, end: never}
			all = append(all, c)
			if begun, unfinished := strings.CutSuffix(rest, "<unfinished ...>"); unfinished {
				open[pid], text[pid] = c, begun
				continue
			}
		}
		if err := c.parse(rest, n); err != nil {
			return fmt.Errorf("powercut: line %d: %w", n, err)
		}
	}
	for pid, c := range open { // the trace ended within them: they may have happened
		if err := c.parse(strings.TrimRight(text[pid], ", ")+") = ?", never); err != nil {
			return fmt.Errorf("powercut: line %d: %w", c.begin, err)
		}
	}
	for _, c := range all {
		if c.failed {
			continue
		}
		if err := f(*c); err != nil {
			return fmt.Errorf("powercut: line %d: %s: %w", c.begin, c.name, err)
		}
	}
	return nil
}

// parse reads name(args) = result.
func (c *call) parse(s string, line int) error {
	name, rest, ok := strings.Cut(s, "(")
	if !ok {
		return errors.New("is no call")
	}
	c.name = name
	args, rest, err := splitArgs(rest)
	if err != nil {
		return err
	}
	c.args = args
	result, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "= ")
	if !ok {
		return errors.New("has no result")
	}
	word, _, _ := strings.Cut(result, " ")
	if word == "?" { // the process ended within the call
		c.end = never
		return nil
	}
	c.end = line
	c.result, err = strconv.ParseInt(word, 0, 64)
	if err != nil {
		if _, err := strconv.ParseUint(word, 0, 64); err != nil {
			return fmt.Errorf("has the result %q", word)
		}
	}
	c.failed = c.result == -1
	return nil
}

// splitArgs splits at the commas that stand in no string, bracket or brace, up to the closing parenthesis.
func splitArgs(s string) (args []string, rest string, err error) {
	depth, start, quoted := 0, 0, false
	add := func(end int) {
		if a := strings.TrimSpace(s[start:end]); a != "" || len(args) > 0 {
			args = append(args, a)
		}
		start = end + 1
	}
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case quoted:
			quoted = ch != '"' // with -xx no quote stands in a string
		case ch == '"':
			quoted = true
		case ch == '[' || ch == '{' || ch == '(':
			depth++
		case ch == ')' && depth == 0:
			add(i)
			return args, s[i+1:], nil
		case ch == ']' || ch == '}' || ch == ')':
			depth--
		case ch == ',' && depth == 0:
			add(i)
		}
	}
	return nil, "", errors.New("has no end")
}

// text returns all strings that stand in an argument, one behind the other.
func text(arg string) ([]byte, error) {
	var out []byte
	for {
		_, after, ok := strings.Cut(arg, `"`)
		if !ok {
			return out, nil
		}
		s, rest, ok := strings.Cut(after, `"`)
		if !ok || strings.HasPrefix(rest, "...") {
			return nil, errors.New("a string is cut off")
		}
		for ; len(s) >= 4 && s[:2] == `\x`; s = s[4:] {
			b, err := strconv.ParseUint(s[2:4], 16, 8)
			if err != nil {
				return nil, err
			}
			out = append(out, byte(b))
		}
		if s != "" {
			return nil, errors.New("a string is not in hexadecimal")
		}
		arg = rest
	}
}
