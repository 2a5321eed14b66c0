package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"kith/handshake"
)

// workFactor is the log2 of scrypt's N, with r = 8: 64 MiB, and about a quarter of a second. Tests take less.
var workFactor = 16

const (
	maxWorkFactor = 18      // what age itself takes when it makes a file: 256 MiB, and a second
	maxIdentity   = 1 << 16 // bytes; an identity file has some 400
)

// An opened is an identity file after it was opened. All of it is secret.
type opened struct {
	id         *handshake.Identity
	text       []byte // what it says, comments and all
	passphrase []byte // that opened it, nil if it has none
}

// erase clears the secrets.
func (o *opened) erase() {
	o.id.Erase()
	clear(o.text)
	clear(o.passphrase)
}

// loadIdentity opens the identity file of that name. ask is called for its passphrase if it has one.
func loadIdentity(name string, ask func() ([]byte, error)) (*opened, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := readIdentity(f, name)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	if mode := info.Mode(); !isAge(b) && mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has no such modes
		return nil, fmt.Errorf("%s has no passphrase, and others can read or change it (mode %04o): chmod 600 %[1]s", name, mode.Perm())
	}
	return openIdentity(b, name, ask)
}

// readIdentity reads what may be an identity file. Whoever calls it clears the bytes.
func readIdentity(r io.Reader, name string) ([]byte, error) {
	b, more, err := readAtMost(r, maxIdentity)
	if err == nil && more {
		err = fmt.Errorf("%s is no identity file: it has more than %d bytes", name, maxIdentity)
	}
	if err != nil {
		clear(b)
		return nil, err
	}
	return b, nil
}

// openIdentity opens an identity file, an age file or its plain text. name is for errors.
func openIdentity(b []byte, name string, ask func() ([]byte, error)) (*opened, error) {
	o, err := new(opened), error(nil)
	if isAge(b) {
		o.text, o.passphrase, err = unlock(b, ask)
	} else {
		o.text = bytes.Clone(b)
	}
	if err == nil {
		o.id, err = parseIdentity(o.text)
	}
	if err != nil {
		clear(o.text)
		clear(o.passphrase)
		if errors.Is(err, errInterrupted) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// isAge reports whether b is an age file, in bytes or in letters (age --armor).
func isAge(b []byte) bool {
	return bytes.HasPrefix(b, []byte("age-encryption.org/")) || isArmored(b)
}

func isArmored(b []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(b), []byte(armor.Header)) }

// errDamaged is about a file that may once have been right.
var errDamaged = errors.New("the file is damaged or was cut off; use a copy of it")

// unlock decrypts an age file.
func unlock(b []byte, ask func() ([]byte, error)) (text, passphrase []byte, err error) {
	var src io.Reader = bytes.NewReader(b)
	if isArmored(b) {
		src = armor.NewReader(src)
	}
	key := &passphraseIdentity{ask: ask}
	r, err := age.Decrypt(src, key)
	if err == nil {
		text, _, err = readAtMost(r, maxIdentity) // there cannot be more: it was longer before
	}
	switch {
	case key.err != nil:
		err = key.err // without age's words around it
	case err != nil:
		err = errDamaged
	default:
		return text, key.passphrase, nil
	}
	clear(text)
	clear(key.passphrase)
	return nil, nil, err
}

// A passphraseIdentity is an age.Identity that asks for the passphrase, once it is clear that one would help.
type passphraseIdentity struct {
	ask        func() ([]byte, error)
	passphrase []byte
	err        error
}

// Unwrap implements age.Identity.
func (p *passphraseIdentity) Unwrap(stanzas []*age.Stanza) (key []byte, err error) {
	defer func() { p.err = err }()
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, errors.New("it is encrypted to keys, not under a passphrase: age -d -i KEYFILE FILE | kith id import")
	}
	if args := stanzas[0].Args; len(args) == 2 {
		// What is no number is for age to refuse. A file can ask for more memory than there is, so it is asked before it is served.
		if n, err := strconv.Atoi(args[1]); errors.Is(err, strconv.ErrRange) || n > maxWorkFactor {
			return nil, fmt.Errorf("it asks for a work factor of %s, and kith takes at most %d (256 MiB): "+
				"if you trust the file, age -d FILE | kith id import", args[1], maxWorkFactor)
		}
	}
	if p.passphrase, err = p.ask(); err != nil {
		return nil, err
	}
	s, err := age.NewScryptIdentity(string(p.passphrase)) // a copy that cannot be erased: age has another
	if err != nil {
		return nil, err
	}
	s.SetMaxWorkFactor(maxWorkFactor)
	// scrypt's memory, with all that it says about the passphrase, goes back to the system now and not when something else needs it.
	defer debug.FreeOSMemory()
	key, err = s.Unwrap(stanzas)
	switch {
	case errors.Is(err, age.ErrIncorrectIdentity):
		return nil, errors.New("the passphrase does not open it; if it is the right one for certain, the file is damaged: use a copy of it")
	case err != nil:
		return nil, errDamaged
	}
	return key, nil
}

// lock encrypts the text of an identity file.
func lock(text, passphrase []byte) ([]byte, error) {
	to, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(workFactor)
	defer debug.FreeOSMemory() // as above
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Comments of an identity file.
const (
	createdComment = "# created: "
	addressComment = "# address: "
)

// identityText returns what a new identity file says, in the manner of age-keygen's.
func identityText(id *handshake.Identity, created time.Time) []byte {
	b := make([]byte, 0, 512) // never moved
	b = append(b, createdComment...)
	b = created.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, "\n"+addressComment...)
	b = append(b, id.PublicKey().String()...)
	b = append(b, '\n')
	return append(id.AppendSecretKey(b), '\n')
}

// isSecret reports whether s is meant to be a secret key.
func isSecret(s []byte) bool {
	const begin = "kith-secret-key-"
	return len(s) >= len(begin) && strings.EqualFold(string(s[:len(begin)]), begin)
}

// parseIdentity reads what identityText writes: one secret key, and comments. An address among them has to be the key's, so that
// a file which somebody put together from two is noticed. No error repeats anything of the text.
func parseIdentity(text []byte) (id *handshake.Identity, err error) {
	defer func() {
		if err != nil && id != nil {
			id.Erase()
			id = nil
		}
	}()
	number, address := 0, []byte(nil)
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case line[0] == '#':
			if a, ok := bytes.CutPrefix(line, []byte(strings.TrimSpace(addressComment))); ok {
				a = bytes.TrimSpace(a)
				if address != nil && !bytes.EqualFold(a, address) {
					return id, fmt.Errorf("line %d: a second, other address: keep one identity in a file", number)
				}
				address = a
			}
		case bytes.HasPrefix(line, []byte("AGE-SECRET-KEY-")):
			return id, fmt.Errorf("line %d: a key of age's, which is for files and no identity; kith id new makes one", number)
		case !isSecret(line):
			return id, fmt.Errorf("line %d: neither a comment nor a secret key KITH-SECRET-KEY-1…: this is no identity file", number)
		case id != nil:
			return id, fmt.Errorf("line %d: a second secret key: keep one identity in a file", number)
		default:
			if id, err = handshake.ParseSecretKey(line); err != nil {
				return nil, fmt.Errorf("line %d: %s; use a copy of the file", number, reason(err))
			}
		}
	}
	switch {
	case len(text) == 0:
		return nil, errors.New("it is empty")
	case id == nil:
		return nil, errors.New("there is no secret key KITH-SECRET-KEY-1… in it: this is no identity file")
	case address != nil && !bytes.EqualFold(address, []byte(id.PublicKey().String())):
		return id, fmt.Errorf("the address in its comment is not that of its key, %v: one of the two was changed; use a copy of the file, "+
			"or give kith id import the line with the key alone", id.PublicKey())
	}
	return id, nil
}

// hasAddress reports whether an identity file says its address.
func hasAddress(text []byte) bool {
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte(strings.TrimSpace(addressComment))) {
			return true
		}
	}
	return false
}

// missing says how to get an identity where there is none.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no identity: %w; kith id new makes one, kith id import takes one", err)
	}
	return err
}
