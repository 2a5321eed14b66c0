package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kith/handshake"
	"kith/internal/udp"
)

// newFlags are those of the commands that make an identity file.
type newFlags struct {
	identityFlags
	lock  lockFlags
	force bool
}

func (f *newFlags) add(cmd *cobra.Command, passphrase string) {
	f.identityFlags.add(cmd, passphrase)
	f.lock.add(cmd)
	cmd.Flags().BoolVar(&f.force, "force", false, "replace the identity file that is there")
}

func idNewCommand() *cobra.Command {
	f := &newFlags{}
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make an identity",
		Long: `Make an identity, and a file for it under a passphrase. Prints its address.

The passphrase is --generate's, or in the first line of --passphrase-file, or
KITH_PASSPHRASE, or asked for twice, in this order. There is no way back to a file whose
passphrase is lost. --no-passphrase writes a plain file that only you may read (mode 0600).

A file that is there is not replaced, except with --force.`,
		Example: `  kith id new
  kith id new --generate
  kith id new --identity work.age --passphrase-file /run/secrets/kith
  kith id new --identity bot.key --no-passphrase --json`,
		Args: noSecrets(noArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runIDNew(cmd, f) },
	}
	f.add(cmd, "the passphrase")
	return cmd
}

func runIDNew(cmd *cobra.Command, f *newFlags) error {
	if err := f.lock.check(cmd, &f.current); err != nil {
		return err
	}
	name, err := f.path()
	if err == nil {
		err = identityFile{name, f.force}.check()
	}
	if err != nil {
		return idFailed(cmd, err)
	}
	passphrase, err := f.lock.passphrase(cmd, name, &f.current)
	if err != nil {
		return idFailed(cmd, err)
	}
	var seed [handshake.SeedSize]byte
	rand.Read(seed[:]) // never fails: see its documentation
	id, err := handshake.NewIdentity(seed[:])
	clear(seed[:])
	if err != nil {
		return idFailed(cmd, err)
	}
	o := &opened{id: id, text: identityText(id, udp.Now()), passphrase: passphrase}
	defer o.erase()
	return f.save(cmd, name, o)
}

// save writes the file and prints its address.
func (f *newFlags) save(cmd *cobra.Command, name string, o *opened) error {
	if err := writeIdentity(cmd, identityFile{name, f.force}, o.text, o.passphrase); err != nil {
		return idFailed(cmd, err)
	}
	if o.passphrase != nil {
		tell(cmd, "%s is under the passphrase: keep a copy of the file, and the passphrase; this is your address:", name)
	}
	return f.finish(cmd, reported(name, o.id.PublicKey(), o.passphrase != nil))
}

// writeIdentity writes the text under the passphrase, or plain without one.
func writeIdentity(cmd *cobra.Command, f identityFile, text, passphrase []byte) error {
	content := text
	if passphrase != nil {
		var err error
		if content, err = lock(text, passphrase); err != nil {
			return fmt.Errorf("cannot write the identity to %s: %w", f.name, err)
		}
	}
	if err := f.write(cmd, bytes.NewReader(content)); err != nil {
		return err
	}
	if passphrase == nil {
		warn(cmd, "%s has no passphrase: who can read it is you", f.name)
	}
	return nil
}

func idImportCommand() *cobra.Command {
	f := &newFlags{}
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Take an identity from a copy, or from its secret key",
		Long: `Take an identity from FILE: a copy of an identity file, or text with the secret key,
KITH-SECRET-KEY-1…. Without FILE, or with -, it is read from standard input, and on a
terminal asked for. It is never an argument: other users can see those.

A copy keeps its passphrase, which --passphrase-file, KITH_PASSPHRASE or you give to open
it. Text without one gets one from there, as in kith id new. --generate and
--no-passphrase change either.

An identity belongs to one running kith at a time: stop the one that it comes from.`,
		Example: `  kith id import /media/stick/identity.age
  kith id import
  kith id show --secret --identity old.age | kith id import --identity new.age
  age -d identity.age | kith id import -`,
		Args: noSecrets(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error { return runIDImport(cmd, f, args) },
	}
	f.add(cmd, "the passphrase that opens FILE, or that the text gets")
	cmd.ValidArgsFunction = offerFiles
	return cmd
}

func runIDImport(cmd *cobra.Command, f *newFlags, args []string) error {
	from := "-"
	switch {
	case len(args) > 1:
		return misused(cmd, "it takes one argument, the file")
	case len(args) == 1:
		from = args[0]
	}
	if f.lock.generate && f.lock.none {
		return misused(cmd, "--generate and --no-passphrase exclude each other")
	}
	if from == "-" && f.current.stdin() {
		return misused(cmd, "the identity and the passphrase cannot both be on standard input")
	}
	name, err := f.path()
	if err == nil {
		err = identityFile{name, f.force}.check()
	}
	if err != nil {
		return idFailed(cmd, err)
	}
	o, err := f.source(cmd, from)
	if err != nil {
		return idFailed(cmd, err)
	}
	defer o.erase()
	if !hasAddress(o.text) { // a bare key becomes a file that says what it is
		text := identityText(o.id, udp.Now())
		clear(o.text)
		o.text = text
	}
	if o.passphrase == nil || f.lock.generate || f.lock.none {
		p, err := f.lock.passphrase(cmd, name, &f.current)
		if err != nil {
			return idFailed(cmd, err)
		}
		clear(o.passphrase)
		o.passphrase = p
	}
	return f.save(cmd, name, o)
}

// source opens what is imported.
func (f *newFlags) source(cmd *cobra.Command, from string) (*opened, error) {
	if from != "-" {
		return loadIdentity(from, func() ([]byte, error) { return f.current.open(cmd, from) })
	}
	var b []byte
	if isTerminal(cmd.InOrStdin()) {
		from = "what you typed"
		t, err := openTerminal(cmd)
		if err != nil {
			return nil, err
		}
		defer t.close()
		if b, err = t.ask(cmd.Context(), "Secret key, KITH-SECRET-KEY-1…: "); err != nil {
			return nil, err
		}
	} else {
		from = "standard input"
		var err error
		if b, err = readIdentity(cmd.InOrStdin(), from); err != nil {
			return nil, err
		}
	}
	defer clear(b)
	return openIdentity(b, from, func() ([]byte, error) { return f.current.open(cmd, from) })
}

// changeFlags are those of kith id passphrase.
type changeFlags struct {
	identityFlags
	fresh passphraseSource
	lock  lockFlags
}

func idPassphraseCommand() *cobra.Command {
	f := &changeFlags{fresh: passphraseSource{flag: "new-passphrase-file", env: "KITH_NEW_PASSPHRASE"}}
	cmd := &cobra.Command{
		Use:   "passphrase",
		Short: "Change, add or remove the passphrase of an identity",
		Long: `Change the passphrase of an identity file, give it one, or take it away with
--no-passphrase. The old file stays until the new one is in its place. Copies keep the
passphrase that they have.

The present one is taken from --passphrase-file, else KITH_PASSPHRASE, else asked for. The
new one is --generate's, or --new-passphrase-file's, or KITH_NEW_PASSPHRASE, or asked for
twice, in this order.`,
		Example: `  kith id passphrase
  kith id passphrase --generate
  kith id passphrase --passphrase-file old.txt --new-passphrase-file new.txt
  kith id passphrase --identity bot.age --no-passphrase`,
		Args: noSecrets(noArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runIDPassphrase(cmd, f) },
	}
	f.identityFlags.add(cmd, "the present passphrase")
	cmd.Flags().StringVar(&f.fresh.file, "new-passphrase-file", "", "the new passphrase: the first line of a `file`; - is standard input")
	f.lock.add(cmd)
	filesAt(cmd, "new-passphrase-file")
	return cmd
}

func runIDPassphrase(cmd *cobra.Command, f *changeFlags) error {
	if err := f.lock.check(cmd, &f.fresh); err != nil {
		return err
	}
	if f.current.stdin() && f.fresh.stdin() {
		return misused(cmd, "only one of the two passphrases can be on standard input")
	}
	name, err := f.path()
	if err != nil {
		return idFailed(cmd, err)
	}
	o, err := loadIdentity(name, func() ([]byte, error) { return f.current.open(cmd, name) })
	if err != nil {
		return idFailed(cmd, missing(err))
	}
	defer o.erase()
	if o.passphrase == nil && f.current.file != "" {
		return idFailed(cmd, errors.New(name+" has no passphrase yet: --new-passphrase-file gives it one"))
	}
	p, err := f.lock.passphrase(cmd, name, &f.fresh)
	if err != nil {
		return idFailed(cmd, err)
	}
	defer clear(p)
	if err := writeIdentity(cmd, identityFile{name, true}, o.text, p); err != nil {
		return idFailed(cmd, err)
	}
	if p != nil {
		tell(cmd, "%s is under the new passphrase; older copies keep theirs", name)
	}
	return f.finish(cmd, reported(name, o.id.PublicKey(), p != nil))
}
