package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kith/handshake"
)

func idCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "id",
		Short: "Make, show, move and protect your identity",
		Long: `Make, show, move and protect your identity: the key pair that you are. Your address,
kith1…, is the public half of it; friends need nothing else of you.

It lives in one file, identity.age, in the folder kith of your configuration:
~/.config/kith, or where XDG_CONFIG_HOME says; on macOS
~/Library/Application Support/kith; on Windows %AppData%\kith. --identity names another
file. It is an age file under your passphrase: without kith, age -d opens it.

Back up: copy the file, anywhere; it is encrypted. Move to another machine: copy it there,
and stop using it here, because an identity belongs to one running kith at a time.

Nobody can replace what is lost. Without the file, or without its passphrase, the
identity is gone, and you tell your friends a new address. Who has both is you.

A passphrase is taken from --passphrase-file, else from KITH_PASSPHRASE, else asked for on
the terminal, also where standard input is none. Other programs of the same user can read
the environment of a program.

Exit codes: 0 done; 1 a file, key, address or passphrase is wrong, or cannot be read or
written; 2 wrong usage.`,
		Example: `  kith id new
  kith id show --qr
  cp ~/.config/kith/identity.age /media/stick/
  kith id import /media/stick/identity.age
  kith id passphrase`,
		Args: noSecrets(noArgs),
		RunE: helpAlone,
	}
	cmd.AddCommand(idNewCommand(), idShowCommand(), idImportCommand(), idPassphraseCommand())
	return cmd
}

// identityFlags are those of every command of kith id.
type identityFlags struct {
	file    string
	current passphraseSource
	json    bool
}

func (f *identityFlags) add(cmd *cobra.Command, passphrase string) {
	f.current = passphraseSource{flag: "passphrase-file", env: "KITH_PASSPHRASE"}
	l := cmd.Flags()
	l.StringVar(&f.file, "identity", "", "the identity `file` (default identity.age, where kith id --help says)")
	l.StringVar(&f.current.file, "passphrase-file", "", passphrase+": the first line of a `file`; - is standard input")
	l.BoolVar(&f.json, "json", false, "the result as JSON")
	filesAt(cmd, "identity", "passphrase-file")
}

// path returns the identity file's name.
func (f *identityFlags) path() (string, error) {
	if f.file != "" {
		return f.file, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for an identity: %w; give one with --identity", err)
	}
	return filepath.Join(dir, "kith", "identity.age"), nil
}

// An idReport is the result of a command.
type idReport struct {
	Address    string `json:"address"`
	File       string `json:"file,omitempty"`
	Passphrase *bool  `json:"passphrase,omitempty"` // whether the file has one
	SecretKey  string `json:"secret_key,omitempty"` // only for --secret
}

// finish prints the result.
func (f *identityFlags) finish(cmd *cobra.Command, r idReport) error {
	text := r.Address
	switch {
	case f.json:
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		text = string(b)
	case r.SecretKey != "":
		text = r.SecretKey
	}
	return pour(cmd, text+"\n", exitFailed)
}

// reported is the result of a command on an identity's file.
func reported(name string, key handshake.PublicKey, locked bool) idReport {
	return idReport{Address: key.String(), File: name, Passphrase: &locked}
}

// tell says on a terminal what a script has no use for.
func tell(cmd *cobra.Command, format string, args ...any) {
	if isTerminal(cmd.ErrOrStderr()) {
		warn(cmd, format, args...)
	}
}

// warn says what everybody has to know.
func warn(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), "kith: "+format+"\n", args...)
}

// isTerminal reports whether stream, a reader or a writer, is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// readAtMost reads at most n bytes into a buffer that is never moved, so that erasing it leaves no copy. more: there were more.
func readAtMost(r io.Reader, n int) (b []byte, more bool, err error) {
	b = make([]byte, n+1)
	got, err := io.ReadFull(r, b)
	if err == nil {
		return b[:n], true, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:got], false, err
}

// reason is what an error of package handshake says to people.
func reason(err error) string {
	return strings.TrimSuffix(strings.TrimPrefix(err.Error(), "handshake: "), ": "+handshake.ErrMalformed.Error())
}

// noSecrets refuses a secret key on the command line, and does not repeat it; everything else is for next to judge.
func noSecrets(next cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		values := slices.Clone(args)
		for _, name := range []string{"identity", "passphrase-file", "new-passphrase-file"} {
			if f := cmd.Flags().Lookup(name); f != nil {
				values = append(values, f.Value.String())
			}
		}
		for _, v := range values {
			if isSecret([]byte(strings.TrimSpace(v))) {
				return misused(cmd, "a secret key does not belong on the command line, which other users can see and the shell keeps: kith id import asks for it")
			}
		}
		return next(cmd, args)
	}
}

// idFailed ends a command. Where something should have been given the command line is at fault.
func idFailed(cmd *cobra.Command, err error) error {
	if errors.Is(err, errNobodyToAsk) {
		return misused(cmd, "%v", err)
	}
	return failed(cmd, exitFailed, err)
}
