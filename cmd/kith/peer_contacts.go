package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"kith/handshake"
)

// A newContact is a line of a contacts file.
type newContact struct {
	line int
	key  handshake.PublicKey
	name string // empty: none
}

// mostContactsFile is how many bytes a contacts file has at most: 4,096 lines with room for comments.
const mostContactsFile = 1 << 20

// readContacts reads a contacts file.
func readContacts(name string) ([]newContact, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the contacts file: %w", err)
	}
	defer f.Close()
	b, more, err := readAtMost(f, mostContactsFile)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the contacts file: %w", err)
	case more:
		return nil, fmt.Errorf("%s: a contacts file has at most %d bytes", name, mostContactsFile)
	}
	contacts, err := parseContacts(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return contacts, nil
}

// parseContacts reads what a contacts file says: an address a line, and after a space a name. What begins with # is a comment. Errors name the
// line and not what is in it.
func parseContacts(b []byte) (contacts []newContact, err error) {
	byKey, byName := map[handshake.PublicKey]int{}, map[string]int{}
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, mostContactsFile+1)
	for n := 1; s.Scan(); n++ {
		text := s.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // as some editors begin a file
		}
		fields := strings.Fields(text)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		c := newContact{line: n}
		fault := func(err error) ([]newContact, error) { return nil, fmt.Errorf("line %d: %w", n, err) }
		switch {
		case !utf8.ValidString(text):
			return fault(errors.New("it is not UTF-8"))
		case len(fields) > 2:
			return fault(errors.New("after the address stands at most a name, one word"))
		}
		if c.key, err = handshake.ParseAddress(fields[0]); err != nil {
			return fault(errors.New(reason(err)))
		}
		if first := byKey[c.key]; first != 0 {
			return fault(fmt.Errorf("the same address as in line %d", first))
		}
		byKey[c.key] = n
		if len(fields) == 2 {
			c.name = fields[1]
			if err := checkName(c.name); err != nil {
				return fault(err)
			}
			word := strings.ToLower(c.name)
			if first := byName[word]; first != 0 {
				return fault(fmt.Errorf("the same name as in line %d", first))
			}
			byName[word] = n
		}
		contacts = append(contacts, c)
	}
	return contacts, s.Err()
}
