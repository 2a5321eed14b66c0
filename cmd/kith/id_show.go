package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"rsc.io/qr"

	"kith/handshake"
)

// showFlags are those of kith id show.
type showFlags struct {
	identityFlags
	qr     bool
	secret bool
}

func idShowCommand() *cobra.Command {
	f := &showFlags{}
	cmd := &cobra.Command{
		Use:   "show [ADDRESS]",
		Short: "Show your address, or check a friend's",
		Long: `Show the address of your identity. --qr shows it as a QR code too, for a friend's camera.

With ADDRESS no file is read: that address is checked, and shown if it is one.

--secret prints the secret key instead, KITH-SECRET-KEY-1…, for a sheet of paper in a safe
place: kith id import takes it back, and needs no passphrase for it.`,
		Example: `  kith id show
  kith id show --qr
  kith id show --json --passphrase-file /run/secrets/kith
  kith id show kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73`,
		Args: noSecrets(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error { return runIDShow(cmd, f, args) },
	}
	f.add(cmd, "the passphrase")
	cmd.Flags().BoolVar(&f.qr, "qr", false, "also as a QR code")
	cmd.Flags().BoolVar(&f.secret, "secret", false, "print the secret key: who sees it is you")
	return cmd
}

func runIDShow(cmd *cobra.Command, f *showFlags, args []string) error {
	switch {
	case len(args) > 1:
		return misused(cmd, "it takes one argument, the address")
	case f.qr && f.secret:
		return misused(cmd, "--qr and --secret exclude each other")
	case f.qr && f.json:
		return misused(cmd, "--qr and --json exclude each other")
	case len(args) == 1 && (f.secret || f.file != ""):
		return misused(cmd, "--secret and --identity are for an identity of your own, not for an address")
	}
	if err := f.room(cmd); err != nil {
		return idFailed(cmd, err)
	}
	if len(args) == 1 {
		key, err := handshake.ParseAddress(strings.TrimSpace(args[0]))
		if err != nil {
			return idFailed(cmd, errors.New(reason(err)))
		}
		return f.print(cmd, key, idReport{Address: key.String()})
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
		warn(cmd, "%s has no passphrase: --passphrase-file was not needed", name)
	}
	r := reported(name, o.id.PublicKey(), o.passphrase != nil)
	if f.secret {
		warn(cmd, "who has this key is you, without any passphrase: keep it where nobody looks, and nothing records the screen")
		r.SecretKey = string(o.id.AppendSecretKey(nil))
	}
	return f.print(cmd, o.id.PublicKey(), r)
}

func (f *showFlags) print(cmd *cobra.Command, key handshake.PublicKey, r idReport) error {
	if f.qr {
		code, err := addressCode(key)
		if err != nil {
			return idFailed(cmd, err)
		}
		if err := pour(cmd, drawCode(code), exitFailed); err != nil {
			return err
		}
	}
	return f.finish(cmd, r)
}

// addressCode is an address as a QR code. Capitals have a denser form in it, so that it is smaller; its lowest level of error
// correction is right for a screen, which has no stains.
func addressCode(key handshake.PublicKey) (*qr.Code, error) {
	return qr.Encode(strings.ToUpper(key.String()), qr.L)
}

const (
	codeSize  = 29 // modules on a side, for every address
	quietZone = 4  // light modules on each side; readers need them
	codeWidth = codeSize + 2*quietZone
	codeLines = (codeWidth + 1) / 2
)

// room refuses a terminal that is too small for a QR code before anybody is asked for a passphrase. Where no terminal is, nothing is.
func (f *showFlags) room(cmd *cobra.Command) error {
	if !f.qr || !isTerminal(cmd.OutOrStdout()) {
		return nil
	}
	if os.Getenv("TERM") == "dumb" {
		return errors.New("this terminal cannot show a QR code: it has no colours (TERM=dumb)")
	}
	width, height, err := term.GetSize(int(cmd.OutOrStdout().(*os.File).Fd()))
	if err != nil || width <= 0 || height <= 0 || width >= codeWidth && height >= codeLines {
		return nil
	}
	return fmt.Errorf("the QR code needs %d columns and %d lines, and this terminal has %d and %d: make it larger, or the letters smaller", codeWidth, codeLines, width, height)
}

// drawCode draws a QR code, two modules a character. Both colours are set, by their fixed numbers: dark is dark and light is light
// whatever the terminal's own are.
func drawCode(code *qr.Code) string {
	const colours, reset = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	var b strings.Builder
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		b.WriteString(colours)
		for x := -quietZone; x < code.Size+quietZone; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(reset + "\n")
	}
	return b.String()
}
