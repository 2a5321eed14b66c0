package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/scrypt"
	"rsc.io/qr"

	"kith/handshake"
)

func TestForeignFilesAreRefused(t *testing.T) {
	home(t)
	t.Setenv("KITH_PASSPHRASE", "p")
	x25519, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	address := "# address: " + aliceAddress + "\n"
	for text, says := range map[string]string{
		"":                           "it is empty",
		"\n\n":                       "there is no secret key KITH-SECRET-KEY-1… in it: this is no identity file",
		address:                      "there is no secret key",
		"hello\n":                    "line 1: neither a comment nor a secret key KITH-SECRET-KEY-1…: this is no identity file",
		"\x00\x01\xff":               "line 1: neither a comment nor a secret key",
		aliceAddress:                 "line 1: neither a comment nor a secret key",
		"-----BEGIN OPENSSH PRIVATE": "line 1: neither a comment nor a secret key",
		"# x\n" + x25519.String():    "line 2: a key of age's, which is for files and no identity; kith id new makes one",
		"\n" + aliceSecret[:74]:      "line 2: secret key is 74 characters long, not 75; use a copy of the file",
		aliceSecret[:40] + "L" + aliceSecret[41:]:                     "line 1: secret key has a wrong checksum: a character is mistyped; use a copy of the file",
		"k" + aliceSecret[1:]:                                         "line 1: secret key has both capital and small letters",
		aliceSecret + " " + bobSecret:                                 "line 1: secret key does not begin",
		aliceSecret + "\n" + bobSecret:                                "line 2: a second secret key: keep one identity in a file",
		aliceSecret + "\n# x\n" + aliceSecret:                         "line 3: a second secret key",
		address + bobSecret:                                           "the address in its comment is not that of its key, " + bobAddress + ": one of the two was changed",
		bobSecret + "\n" + address:                                    "the address in its comment is not that of its key",
		address + "# address: " + bobAddress + "\n" + aliceSecret:     "line 2: a second, other address",
		address[:30] + "\n" + aliceSecret:                             "the address in its comment is not that of its key",
		aliceSecret + strings.Repeat("\n", maxIdentity):               "no identity file: it has more than 65536 bytes",
		"#" + strings.Repeat("x", maxIdentity-1) + "\n" + aliceSecret: "no identity file: it has more than 65536 bytes",
	} {
		name := write(t, text)
		got := id(t, "", "show", "--identity", name)
		require.Equal(t, exitFailed, got.code, "%q", text)
		require.Empty(t, got.out)
		require.Contains(t, got.errs, says)
		require.Contains(t, got.errs, "kith: "+name)

		if len(text) < maxIdentity { // the same inside of an age file, and on standard input
			got = id(t, "", "show", "--identity", write(t, ages(t, text, false, under(t, "p", 1))))
			require.Contains(t, got.errs, says)
			got = id(t, text, "import", "--identity", filepath.Join(t.TempDir(), "new"))
			require.Contains(t, got.errs, "kith: standard input: "+says)
		}
	}
}

func TestAgeFilesThatAreRefused(t *testing.T) {
	home(t)
	t.Setenv("KITH_PASSPHRASE", "p")
	x25519, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	file := ages(t, aliceSecret, false, under(t, "p", 1))
	for text, says := range map[string]string{
		ages(t, aliceSecret, false, under(t, "other", 1)):                                 "the passphrase does not open it; if it is the right one for certain, the file is damaged: use a copy of it",
		ages(t, aliceSecret, false, x25519.Recipient()):                                   "it is encrypted to keys, not under a passphrase: age -d -i KEYFILE FILE | kith id import",
		ages(t, strings.Repeat("#\n", maxIdentity), false, under(t, "p", 1)):              "no identity file: it has more than 65536 bytes",
		strings.Replace(file, " 1\n", " 19\n", 1):                                         "it asks for a work factor of 19, and kith takes at most 18 (256 MiB): if you trust the file, age -d FILE | kith id import",
		strings.Replace(file, " 1\n", " 99999999999999999999\n", 1):                       "it asks for a work factor of 99999999999999999999",
		strings.Replace(file, " 1\n", " 01\n", 1):                                         "the file is damaged or was cut off",
		strings.Replace(file, " 1\n", "\n", 1):                                            "the file is damaged or was cut off",
		strings.Replace(file, " 1\n", " 2\n", 1):                                          "the passphrase does not open it",
		strings.Replace(file, "v1", "v2", 1):                                              "the file is damaged or was cut off",
		file + "x":                                                                        "the file is damaged or was cut off",
		strings.Replace(ages(t, aliceSecret, true, under(t, "p", 1)), "==", "x", 1)[:200]: "the file is damaged or was cut off",
	} {
		got := id(t, "", "show", "--identity", write(t, text))
		require.Equal(t, exitFailed, got.code, "%q", text)
		require.Empty(t, got.out)
		require.Contains(t, got.errs, says)
	}
	t.Setenv("KITH_PASSPHRASE", "")
	require.Contains(t, id(t, "", "show", "--identity", write(t, file)).errs, "KITH_PASSPHRASE: the passphrase is empty\n")
}

// TestEveryDamageIsNoticed cuts an age file off everywhere, and changes every byte of it.
func TestEveryDamageIsNoticed(t *testing.T) {
	file := ages(t, aliceSecret, false, under(t, "p", 1))
	ask := func() ([]byte, error) { return []byte("p"), nil }
	refused := func(b []byte, what string, at int) {
		o, err := openIdentity(b, "file", ask)
		require.Error(t, err, "%s at %d", what, at)
		require.Nil(t, o)
		require.NotContains(t, err.Error(), aliceSecret[17:24])
	}
	for n := range len(file) {
		refused([]byte(file[:n]), "cut", n)
		b := []byte(file)
		b[n] ^= 1
		refused(b, "changed", n)
	}
	o, err := openIdentity([]byte(file), "file", ask)
	require.NoError(t, err)
	require.Equal(t, aliceAddress, o.id.PublicKey().String())
	text := o.text
	o.erase()
	require.Equal(t, make([]byte, len(text)), text)
	require.Equal(t, []byte{0}, o.passphrase)
	require.Zero(t, o.id.Seed())
}

// TestNobodyIsAskedInVain counts the passphrases that were asked for.
func TestNobodyIsAskedInVain(t *testing.T) {
	x25519, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	for _, text := range []string{"", aliceSecret, ages(t, "", false, x25519.Recipient()), strings.Replace(ages(t, "", false, under(t, "p", 1)), " 1\n", " 30\n", 1)} {
		o, err := openIdentity([]byte(text), "file", func() ([]byte, error) { panic("asked") })
		require.Equal(t, text == aliceSecret, err == nil)
		require.Equal(t, text == aliceSecret, o != nil)
	}
}

func TestPlainFilesOpenToOthersAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	home(t)
	t.Setenv("KITH_PASSPHRASE", "p")
	for _, mode := range []os.FileMode{0o644, 0o640, 0o620, 0o602, 0o601} {
		name := write(t, aliceSecret)
		require.NoError(t, os.Chmod(name, mode))
		for _, args := range [][]string{{"show", "--identity", name}, {"passphrase", "--identity", name}, {"import", name}} {
			got := id(t, "", args...)
			require.Equal(t, exitFailed, got.code)
			require.Equal(t, fmt.Sprintf("kith: %s has no passphrase, and others can read or change it (mode %04o): chmod 600 %[1]s\n", name, mode), got.errs)
		}
		// Under a passphrase it may be read by everybody.
		require.NoError(t, os.WriteFile(name, []byte(ages(t, aliceSecret, false, under(t, "p", 1))), mode))
		require.Zero(t, id(t, "", "show", "--identity", name).code)
	}
}

func TestNoIdentityYet(t *testing.T) {
	name := home(t)
	for _, args := range [][]string{{"show"}, {"passphrase"}} {
		got := id(t, "", args...)
		require.Equal(t, exitFailed, got.code)
		require.Contains(t, got.errs, "there is no identity: open "+name)
		require.Contains(t, got.errs, "; kith id new makes one, kith id import takes one\n")
	}
	require.NoFileExists(t, filepath.Dir(name), "reading makes nothing")
	got := id(t, "", "show", "--identity", t.TempDir())
	require.Equal(t, exitFailed, got.code)
	dir := t.TempDir()
	got = id(t, "", "new", "--no-passphrase", "--identity", filepath.Join(dir, strings.Repeat("x", 250))) // with what is beside it, too long
	require.Equal(t, exitFailed, got.code)
	require.Empty(t, got.out)
	require.Contains(t, got.errs, "kith: cannot write the identity to "+dir)
	require.Empty(t, list(t, dir))
	got = id(t, "", "new", "--no-passphrase", "--identity", filepath.Join(t.TempDir(), "none", "identity"))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "none")
	t.Setenv("HOME", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("AppData", "")
	got = id(t, "", "new", "--no-passphrase")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "there is no place for an identity")
	require.Contains(t, got.errs, "give one with --identity")
}

func TestNothingIsWrittenOver(t *testing.T) {
	home(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "identity")
	require.Zero(t, id(t, aliceSecret, "import", "--no-passphrase", "--identity", name).code)
	before := contents(t, name)
	for _, args := range [][]string{{"new"}, {"import", name}} {
		got := id(t, "", append(args, "--identity", name, "--no-passphrase")...)
		require.Equal(t, exitFailed, got.code)
		require.Equal(t, "kith: "+name+" is there already: another identity needs another --identity. --force replaces it; without a copy the identity in it is gone\n", got.errs)
		require.Equal(t, before, contents(t, name))
	}
	require.Zero(t, id(t, bobSecret, "import", "--no-passphrase", "--identity", name, "--force").code)
	require.Contains(t, contents(t, name), bobSecret)

	// A link is followed, so that what it leads to is replaced and not it.
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(name, link))
	require.Equal(t, exitFailed, id(t, "", "new", "--identity", link, "--no-passphrase").code)
	t.Setenv("KITH_NEW_PASSPHRASE", "p")
	require.Zero(t, id(t, "", "passphrase", "--identity", link).code)
	require.Contains(t, decrypted(t, contents(t, name), "p"), bobSecret)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.Equal(t, os.ModeSymlink, info.Mode().Type())

	got := id(t, "", "new", "--identity", dir, "--no-passphrase", "--force")
	require.Equal(t, result{"", "kith: " + dir + " is a folder\n", exitFailed}, got)
	got = id(t, "", "new", "--identity", os.DevNull, "--no-passphrase", "--force")
	require.Equal(t, result{"", "kith: " + os.DevNull + " is not a file\n", exitFailed}, got)

	// One that came while somebody thought of a passphrase is not written over either.
	late := filepath.Join(dir, "late")
	err = identityFile{name: late}.write(command(t), meanwhile(func(w io.Writer) error { return os.WriteFile(late, []byte("first"), 0o600) }))
	require.ErrorContains(t, err, "is there already")
	require.Equal(t, "first", contents(t, late))
	require.Equal(t, []string{"identity", "late"}, list(t, dir))
}

// TestNothingIsLeftHalfWritten is about a disk that is full, and about Ctrl-C, at the worst time.
func TestNothingIsLeftHalfWritten(t *testing.T) {
	dir := t.TempDir()
	full := meanwhile(func(w io.Writer) error {
		io.WriteString(w, "half of")
		return errors.New("no space left on device")
	})
	ctx, cancel := context.WithCancel(t.Context())
	cmd := command(t)
	cmd.SetContext(ctx)
	interrupted := meanwhile(func(w io.Writer) error { cancel(); return nil })

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".new.new-123"), nil, 0o600)) // of a program that was killed
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o600))
	for _, f := range []identityFile{{filepath.Join(dir, "new"), false}, {filepath.Join(dir, "new"), true}, {filepath.Join(dir, "old"), true}} {
		require.ErrorContains(t, f.write(command(t), full), "cannot write the identity to "+f.name+": no space left on device")
		require.ErrorContains(t, f.write(cmd, interrupted), "cannot write the identity to "+f.name+": interrupted; nothing was written")
		require.Equal(t, []string{"old"}, list(t, dir))
		require.Equal(t, "old", contents(t, filepath.Join(dir, "old")))
	}
	require.Error(t, identityFile{filepath.Join(dir, "none", "new"), false}.write(command(t), full))
}

// A meanwhile is a content that does something while it is written.
type meanwhile func(io.Writer) error

func (m meanwhile) WriteTo(w io.Writer) (int64, error) { return 0, m(w) }

func command(t *testing.T) *cobra.Command {
	cmd := idRoot()
	cmd.SetContext(t.Context())
	return cmd
}

// list returns the names in a folder.
func list(t *testing.T, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestOpeningGivesItsMemoryBack compares what the heap keeps from the system with what scrypt took.
func TestOpeningGivesItsMemoryBack(t *testing.T) {
	quick(t)
	workFactor = 14
	const taken = 128 * 8 << 14
	file := ages(t, aliceSecret, false, under(t, "p", workFactor))
	debug.FreeOSMemory()
	kept := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapSys - m.HeapReleased
	}
	before := kept()
	_, err := scrypt.Key([]byte("p"), []byte("salt"), 1<<workFactor, 8, 1, 32)
	require.NoError(t, err)
	require.Greater(t, kept(), before+taken/2, "scrypt alone keeps it")
	o, err := openIdentity([]byte(file), "file", func() ([]byte, error) { return []byte("p"), nil })
	require.NoError(t, err)
	require.Less(t, kept(), before+taken/2)
	b, err := lock(o.text, o.passphrase)
	require.NoError(t, err)
	require.Contains(t, string(b), " 14\n")
	require.Less(t, kept(), before+taken/2)
}

// TestQRCode reads the characters back into modules.
func TestQRCode(t *testing.T) {
	key, err := handshake.ParseAddress(aliceAddress)
	require.NoError(t, err)
	code, err := addressCode(key)
	require.NoError(t, err)
	require.Equal(t, codeSize, code.Size)
	want, err := qr.Encode(strings.ToUpper(aliceAddress), qr.L)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(drawCode(code), "\n"), "\n")
	require.Len(t, lines, codeLines)
	for i, line := range lines {
		line, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m") // black on white
		require.True(t, ok)
		line, ok = strings.CutSuffix(line, "\x1b[0m")
		require.True(t, ok)
		modules := []rune(line)
		require.Len(t, modules, codeWidth)
		for j, c := range modules {
			x, y := j-quietZone, 2*i-quietZone
			require.Equal(t, want.Black(x, y), c == '█' || c == '▀', "%d, %d", x, y)
			require.Equal(t, want.Black(x, y+1), c == '█' || c == '▄', "%d, %d", x, y+1)
			require.Contains(t, "█▀▄ ", string(c))
		}
	}
	home(t)
	require.Equal(t, result{drawCode(code) + aliceAddress + "\n", "", 0}, id(t, "", "show", "--qr", aliceAddress))
}

func FuzzParseIdentity(f *testing.F) {
	for _, text := range []string{aliceSecret, "# created: 2026-01-01T00:00:00Z\n# address: " + aliceAddress + "\n" + aliceSecret + "\n", aliceSecret + "\n" + bobSecret,
		"# address: " + bobAddress + "\n" + aliceSecret, "\r\n " + strings.ToLower(aliceSecret) + "\r\n#", "AGE-SECRET-KEY-1", "hello", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		id, err := parseIdentity(text)
		if err != nil {
			require.Nil(t, id)
			return
		}
		again, err := parseIdentity(identityText(id, time.Unix(0, 0)))
		require.NoError(t, err)
		require.Equal(t, id.Seed(), again.Seed())
		require.Contains(t, strings.ToUpper(string(text)), string(id.AppendSecretKey(nil)))
	})
}

// FuzzOpenIdentity stops before scrypt, whose work a file can choose.
func FuzzOpenIdentity(f *testing.F) {
	for _, armored := range []bool{false, true} {
		f.Add([]byte(ages(f, aliceSecret, armored, under(f, "p", 1))))
	}
	f.Add([]byte(aliceSecret))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 19\n\n--- x\n"))
	enough := errors.New("asked")
	f.Fuzz(func(t *testing.T, file []byte) {
		o, err := openIdentity(file, "file", func() ([]byte, error) { return nil, enough })
		if isAge(file) {
			require.Error(t, err)
		}
		require.Equal(t, err == nil, o != nil)
	})
}
