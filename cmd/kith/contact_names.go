package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"kith/handshake"
	"kith/peer"
)

// checkName returns why nobody can be called that, or nil. A name is one word, so that it can be typed between others, and cannot be taken for
// an address, for a command of the chat, or for oneself.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a name has at least one character")
	case len(name) > peer.MaxName:
		return fmt.Errorf("a name has at most %d bytes", peer.MaxName)
	case strings.ContainsFunc(name, unicode.IsSpace):
		return errors.New("a name is one word, without spaces")
	case strings.HasPrefix(name, "/"):
		return errors.New("a name does not begin with /, as commands do")
	case isAddress(name):
		return errors.New("a name does not begin with kith1, as addresses do")
	case strings.EqualFold(name, "me"):
		return errors.New("me is what you are called")
	}
	c := cells(name, false)
	if peer.CheckName(name) != nil || shown(c) != name {
		return errors.New("a name has only characters that can be seen")
	}
	if columns(c) > mostName {
		return fmt.Errorf("a name is at most %d columns wide", mostName)
	}
	return nil
}

// isAddress reports whether s is meant to be an address.
func isAddress(s string) bool { return len(s) >= 5 && strings.EqualFold(s[:5], "kith1") }

// A book knows a peer's contacts by what they are called.
type book struct {
	contacts []peer.Contact
	byWord   map[string]int              // by name in small letters, and by address, into contacts
	byKey    map[handshake.PublicKey]who // everybody's name
}

// who is a contact as events name him.
type who struct{ address, name string }

// bookOf returns the book of contacts; those of them that are nameless, or whose names a store has from somewhere else, are found by address.
func bookOf(contacts []peer.Contact) *book {
	b := &book{contacts, make(map[string]int, 2*len(contacts)), make(map[handshake.PublicKey]who, len(contacts))}
	for i, c := range contacts {
		address := c.Key.String()
		b.byWord[address], b.byKey[c.Key] = i, who{address, c.Name}
		if word := strings.ToLower(c.Name); c.Name != "" && !isAddress(c.Name) {
			if _, taken := b.byWord[word]; !taken {
				b.byWord[word] = i
			}
		}
	}
	return b
}

// find returns the contact that has a name or an address. The error says neither: it may be seen by others.
func (b *book) find(word string) (peer.Contact, error) {
	if i, ok := b.byWord[strings.ToLower(word)]; ok && (!isAddress(word) || strings.ToLower(word) == word || strings.ToUpper(word) == word) {
		return b.contacts[i], nil
	}
	if !isAddress(word) {
		return peer.Contact{}, errors.New("no contact has this name")
	}
	key, err := handshake.ParseAddress(word)
	if err != nil {
		return peer.Contact{}, errors.New(reason(err))
	}
	if i, ok := b.byWord[key.String()]; ok {
		return b.contacts[i], nil
	}
	return peer.Contact{}, errors.New("this address is no contact")
}

// who returns the address of somebody, and the name of a contact.
func (b *book) who(key handshake.PublicKey) who {
	if w, ok := b.byKey[key]; ok {
		return w
	}
	return who{address: key.String()}
}

// free returns why a name cannot be given to the contact with key, who may be none yet, or nil.
func (b *book) free(name string, key handshake.PublicKey) error {
	if err := checkName(name); err != nil {
		return err
	}
	if i, ok := b.byWord[strings.ToLower(name)]; ok && b.contacts[i].Key != key {
		return errors.New("another contact has this name; capitals make no difference")
	}
	return nil
}

// newcomer returns the key of an address that may be added under a name, which may be empty.
func (b *book) newcomer(address, name string, own handshake.PublicKey) (handshake.PublicKey, error) {
	key, err := handshake.ParseAddress(address)
	if err != nil {
		return key, errors.New(reason(err))
	}
	if key == own {
		return key, errors.New("this is your own address: give it to your friend, and add theirs")
	}
	if i, ok := b.byWord[key.String()]; ok {
		if b.contacts[i].Blocked {
			return key, errors.New("this contact is blocked; unblock it instead")
		}
		return key, errors.New("this is a contact already")
	}
	if name != "" {
		err = b.free(name, key)
	}
	return key, err
}
