package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// maxPassphrase is how many bytes a passphrase may have. What is longer is a file that was not meant.
const maxPassphrase = 1024

// errNobodyToAsk is what asking gives where there is no terminal.
var errNobodyToAsk = errors.New("there is no terminal to ask on")

// A passphraseSource is where a passphrase comes from before somebody is asked.
type passphraseSource struct {
	file string // first line; -: standard input
	flag string // what names the file
	env  string // environment variable
}

// stdin reports whether the source uses up standard input.
func (s *passphraseSource) stdin() bool { return s.file == "-" }

// given returns the passphrase that was given beforehand, nil if there is none.
func (s *passphraseSource) given(cmd *cobra.Command) ([]byte, error) {
	from, p := "", []byte(nil)
	switch value, set := os.LookupEnv(s.env); {
	case s.stdin() && isTerminal(cmd.InOrStdin()):
		return nil, nil // it would be read from there with an echo: better asked for
	case s.file != "":
		r := cmd.InOrStdin()
		from = "standard input"
		if !s.stdin() {
			f, err := os.Open(s.file)
			if err != nil { // not to be taken for an identity that is missing
				return nil, fmt.Errorf("the passphrase file: %v", err)
			}
			defer f.Close()
			r, from = f, s.file
		}
		var err error
		if p, err = firstLine(r, maxPassphrase); err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
	case set:
		from, p = s.env, []byte(value)
	default:
		return nil, nil
	}
	if err := checkPassphrase(p); err != nil {
		clear(p)
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return p, nil
}

// open returns the passphrase of a file that has one.
func (s *passphraseSource) open(cmd *cobra.Command, name string) ([]byte, error) {
	p, err := s.given(cmd)
	if p != nil || err != nil {
		return p, err
	}
	t, err := openTerminal(cmd)
	if err != nil {
		return nil, fmt.Errorf("it has a passphrase, and %w; give --%s or %s", err, s.flag, s.env)
	}
	defer t.close()
	if p, err = t.ask(cmd.Context(), "Passphrase of "+plain(name)+": "); err != nil {
		return nil, err
	}
	if err := checkPassphrase(p); err != nil {
		clear(p)
		return nil, err
	}
	return p, nil
}

// A lockFlags says under what a file is written.
type lockFlags struct {
	generate bool
	none     bool
}

func (l *lockFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&l.generate, "generate", false, "make a passphrase, and print it once on standard error")
	cmd.Flags().BoolVar(&l.none, "no-passphrase", false, "write a plain file: who can read it is you")
}

// check refuses what excludes itself.
func (l *lockFlags) check(cmd *cobra.Command, s *passphraseSource) error {
	switch {
	case l.generate && l.none:
		return misused(cmd, "--generate and --no-passphrase exclude each other")
	case l.generate && s.file != "":
		return misused(cmd, "--generate and --%s exclude each other", s.flag)
	case l.none && s.file != "":
		return misused(cmd, "--no-passphrase and --%s exclude each other", s.flag)
	}
	return nil
}

// passphrase returns the one that a file is written under, nil for none. s may be given one beforehand.
func (l *lockFlags) passphrase(cmd *cobra.Command, name string, s *passphraseSource) (p []byte, err error) {
	defer func() {
		if errors.Is(err, errEmpty) {
			err = fmt.Errorf("%w; --no-passphrase writes a file without one", err)
		}
	}()
	switch {
	case l.none:
		return nil, nil
	case l.generate:
		p = generatePassphrase()
		// Before anything is locked with it: what cannot be told must not be used.
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "kith: the passphrase, told this once: %s\n", p)
		return p, err
	}
	if p, err = s.given(cmd); p != nil || err != nil {
		return p, err
	}
	t, err := openTerminal(cmd)
	if err != nil {
		return nil, fmt.Errorf("%s needs a passphrase, and %w; give --%s, %s, --generate or --no-passphrase", name, err, s.flag, s.env)
	}
	defer t.close()
	if p, err = t.ask(cmd.Context(), "New passphrase for "+plain(name)+": "); err != nil {
		return nil, err
	}
	if err := checkPassphrase(p); err != nil {
		clear(p)
		return nil, err
	}
	again, err := t.ask(cmd.Context(), "The same again: ")
	defer clear(again)
	if err == nil && !bytes.Equal(p, again) {
		err = errors.New("the two passphrases differ; nothing was written")
	}
	if err != nil {
		clear(p)
		return nil, err
	}
	return p, nil
}

// generatePassphrase returns a passphrase of 125 random bits, which no guessing machine finds, in groups that can be copied by hand.
func generatePassphrase() []byte {
	s := strings.ToLower(rand.Text()) // 26 letters and digits, none of which looks like another
	var groups []string
	for i := 0; i < 25; i += 5 {
		groups = append(groups, s[i:i+5])
	}
	return []byte(strings.Join(groups, "-"))
}

// checkPassphrase refuses what cannot be typed again, or is none.
func checkPassphrase(p []byte) error {
	switch {
	case len(p) == 0:
		return errEmpty
	case len(p) > maxPassphrase:
		return errTooLong
	case bytes.ContainsFunc(p, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return errors.New("the passphrase has a control character in it; arrow keys send one")
	case !utf8.Valid(p):
		return errors.New("the passphrase is not UTF-8 text, which another terminal could type")
	}
	return nil
}

var (
	errEmpty   = errors.New("the passphrase is empty")
	errTooLong = fmt.Errorf("the passphrase has more than %d bytes", maxPassphrase)
)

// firstLine reads a line of at most most bytes, without its end. It reads no longer than that: a pipe may stay open.
func firstLine(r io.Reader, most int) ([]byte, error) {
	b := make([]byte, 0, most+3) // a line, its end of two bytes, and one more
	for len(b) < cap(b) {
		n, err := r.Read(b[len(b):cap(b)])
		seen := len(b)
		b = b[:seen+n]
		if i := bytes.IndexByte(b[seen:], '\n'); i >= 0 {
			clear(b[seen+i:])
			b = bytes.TrimSuffix(b[:seen+i], []byte("\r"))
			break
		}
		if errors.Is(err, io.EOF) {
			b = bytes.TrimSuffix(b, []byte("\r"))
			break
		}
		if err != nil {
			clear(b)
			return nil, err
		}
	}
	if len(b) > most {
		clear(b)
		return nil, errTooLong
	}
	return b, nil
}
