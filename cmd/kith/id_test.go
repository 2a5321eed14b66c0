package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// The identity whose seed is the SHA-256 of "kith/1 vector alice".
const (
	aliceAddress = "kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73"
	aliceSecret  = "KITH-SECRET-KEY-1H5SHVNTW48SWZ8JG7HNULX4KSJ7XZ2NZHW2XH0FCL4GG5KNRXV3SXDCFVH"
	bobAddress   = "kith14mgxaq3dgrgd265chh5lhfteeex2hvnqk8wts6hxpjmqxuz0cqnqxphzgc"
	bobSecret    = "KITH-SECRET-KEY-1LM2CFPFDQ6VCA05H9NRKPRXQ6PE8PZ4ZGY0WUW2WV3TQG9KKEW7SWQG6T9"
)

// idRoot is root, with kith id whether it is part of it or not.
func idRoot() *cobra.Command {
	cmd := root()
	if c, _, err := cmd.Find([]string{"id"}); err != nil || c == cmd {
		cmd.AddCommand(idCommand())
	}
	return cmd
}

// id runs kith id to its end, with something on standard input. No secret key is ever in an error.
func id(t *testing.T, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := idRoot()
	cmd.SetContext(ctx)
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(append([]string{"id"}, args...))
	code := run(cmd)
	require.NoError(t, ctx.Err(), "kith id %v took too long", args)
	require.NotContains(t, strings.ToUpper(errs.String()), aliceSecret[:30])
	return result{out.String(), errs.String(), code}
}

// home gives the test an empty folder of its own for everything, and quick passphrases. It returns where the identity is.
func home(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("AppData", dir)
	for _, name := range []string{"KITH_PASSPHRASE", "KITH_NEW_PASSPHRASE"} {
		t.Setenv(name, "")
		os.Unsetenv(name) // Setenv puts back what was there
	}
	quick(t)
	name, err := new(identityFlags).path()
	require.NoError(t, err)
	return name
}

func quick(t testing.TB) {
	usual := workFactor
	workFactor = 1
	t.Cleanup(func() { workFactor = usual })
}

// write writes a file of mode 0600 into a new folder and returns its name.
func write(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func contents(t *testing.T, name string) string {
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// ages returns a file that age's own interface wrote.
func ages(t testing.TB, text string, armored bool, to ...age.Recipient) string {
	var b bytes.Buffer
	out := io.WriteCloser(nopCloser{&b})
	if armored {
		out = armor.NewWriter(&b)
	}
	w, err := age.Encrypt(out, to...)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, out.Close())
	return b.String()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// under returns age's recipient for a passphrase.
func under(t testing.TB, passphrase string, workFactor int) age.Recipient {
	r, err := age.NewScryptRecipient(passphrase)
	require.NoError(t, err)
	r.SetWorkFactor(workFactor)
	return r
}

// decrypted is what age's own interface reads.
func decrypted(t *testing.T, file, passphrase string) string {
	i, err := age.NewScryptIdentity(passphrase)
	require.NoError(t, err)
	r, err := age.Decrypt(strings.NewReader(file), i)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func TestIdentityIsAnAgeFile(t *testing.T) {
	usual := workFactor
	name := home(t)
	t.Setenv("KITH_PASSPHRASE", "correct horse")
	got := id(t, "", "new")
	require.Zero(t, got.code, got.errs)
	require.Empty(t, got.errs, "a script reads the address alone")
	require.Regexp(t, `^kith1[a-z0-9]{58}\n$`, got.out)
	require.Regexp(t, `^# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n# address: `+strings.TrimSpace(got.out)+`\nKITH-SECRET-KEY-1[A-Z0-9]{58}\n$`,
		decrypted(t, contents(t, name), "correct horse"))
	if runtime.GOOS != "windows" {
		for of, mode := range map[string]os.FileMode{name: 0o600, filepath.Dir(name): 0o700 | os.ModeDir} {
			info, err := os.Stat(of)
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode())
		}
	}
	require.Equal(t, []string{"identity.age"}, list(t, filepath.Dir(name)), "nothing is left beside it")
	require.Equal(t, got, id(t, "", "show"))

	// Another is never the same. It gets the work factor that people get.
	workFactor = usual
	other := filepath.Join(t.TempDir(), "other")
	require.NotEqual(t, got.out, id(t, "", "new", "--identity", other).out)
	require.Regexp(t, `^age-encryption.org/v1\n-> scrypt \S+ 16\n`, contents(t, other))
}

func TestFilesThatAgeWroteOpen(t *testing.T) {
	home(t)
	t.Setenv("KITH_PASSPHRASE", "p")
	for _, armored := range []bool{false, true} {
		for _, text := range []string{aliceSecret, "# mine\r\n\r\n  " + strings.ToLower(aliceSecret) + "\r\n", "# address: " + strings.ToUpper(aliceAddress) + "\n" + aliceSecret} {
			name := write(t, ages(t, text, armored, under(t, "p", 10)))
			require.Equal(t, result{aliceAddress + "\n", "", 0}, id(t, "", "show", "--identity", name))
		}
	}
}

// TestOneIdentityOnItsWay takes an identity through all commands.
func TestOneIdentityOnItsWay(t *testing.T) {
	name := home(t)
	one, two := write(t, "first passphrase\nnot this"), write(t, "zweites Paßwort\r\n")
	address := aliceAddress + "\n"
	require.Equal(t, result{address, "", 0}, id(t, aliceSecret+"\n", "import", "--passphrase-file", one))
	text := decrypted(t, contents(t, name), "first passphrase")
	require.Contains(t, text, "# address: "+address)

	got := id(t, "", "show", "--secret", "--passphrase-file", one)
	require.Equal(t, result{aliceSecret + "\n", "kith: who has this key is you, without any passphrase: keep it where nobody looks, and nothing records the screen\n", 0}, got)
	got = id(t, "first passphrase", "show", "--json", "--passphrase-file", "-")
	require.JSONEq(t, fmt.Sprintf(`{"address": %q, "file": %q, "passphrase": true}`, aliceAddress, name), got.out)

	// A copy keeps its passphrase, and its text.
	copied := filepath.Join(t.TempDir(), "copy")
	require.Equal(t, result{address, "", 0}, id(t, "", "import", name, "--identity", copied, "--passphrase-file", one))
	require.NotEqual(t, contents(t, name), contents(t, copied))
	require.Equal(t, text, decrypted(t, contents(t, copied), "first passphrase"))
	piped := filepath.Join(t.TempDir(), "piped")
	require.Equal(t, result{address, "", 0}, id(t, contents(t, name), "import", "-", "--identity", piped, "--passphrase-file", one))
	require.Equal(t, text, decrypted(t, contents(t, piped), "first passphrase"))

	require.Equal(t, result{address, "", 0}, id(t, "", "passphrase", "--passphrase-file", one, "--new-passphrase-file", two))
	require.Equal(t, text, decrypted(t, contents(t, name), "zweites Paßwort"))
	require.Equal(t, exitFailed, id(t, "", "show", "--passphrase-file", one).code)

	got = id(t, "", "passphrase", "--passphrase-file", two, "--no-passphrase")
	require.Equal(t, result{address, "kith: " + name + " has no passphrase: who can read it is you\n", 0}, got)
	require.Equal(t, text, contents(t, name))
	require.Equal(t, result{address, "", 0}, id(t, "", "show"))
	got = id(t, "", "show", "--passphrase-file", two)
	require.Equal(t, result{address, "kith: " + name + " has no passphrase: --passphrase-file was not needed\n", 0}, got)
	got = id(t, "", "passphrase", "--passphrase-file", two)
	require.Equal(t, exitFailed, got.code, "it could be meant as the new one")
	require.Contains(t, got.errs, "--new-passphrase-file gives it one")

	t.Setenv("KITH_NEW_PASSPHRASE", "third")
	require.Equal(t, result{address, "", 0}, id(t, "", "passphrase"))
	require.Equal(t, text, decrypted(t, contents(t, name), "third"))
}

func TestGeneratedPassphrase(t *testing.T) {
	name := home(t)
	t.Setenv("KITH_PASSPHRASE", "the flag is before the environment")
	got := id(t, "", "new", "--generate", "--json")
	require.Zero(t, got.code)
	require.Regexp(t, `^kith: the passphrase, told this once: [a-z2-7]{5}(-[a-z2-7]{5}){4}\n$`, got.errs)
	var report idReport
	require.NoError(t, json.Unmarshal([]byte(got.out), &report))
	p := strings.TrimSpace(got.errs[strings.LastIndex(got.errs, " "):])
	require.Contains(t, decrypted(t, contents(t, name), p), report.Address)
	require.NotContains(t, got.out, p)

	// What is imported can get a new one, too.
	copied := filepath.Join(t.TempDir(), "copy")
	got = id(t, "", "import", name, "--identity", copied, "--generate", "--passphrase-file", write(t, p))
	require.Zero(t, got.code, got.errs)
	q := strings.TrimSpace(got.errs[strings.LastIndex(got.errs, " "):])
	require.NotEqual(t, p, q)
	require.Contains(t, decrypted(t, contents(t, copied), q), report.Address)
}

func TestPassphrasesThatAreRefused(t *testing.T) {
	name := home(t)
	t.Setenv("KITH_PASSPHRASE", "not looked at, because the file is named")
	for text, says := range map[string]string{
		"":                                 "the passphrase is empty",
		"\nsecond line":                    "the passphrase is empty",
		"\r\n":                             "the passphrase is empty",
		strings.Repeat("x", 1025):          "more than 1024 bytes",
		strings.Repeat("x", 5000) + "\n":   "more than 1024 bytes",
		"\xff\xfep\x00a\x00s\x00s\x00\n":   "control character",
		"\x1b[A":                           "control character",
		"caf\xe9":                          "not UTF-8",
		strings.Repeat("x", 1023) + "\xff": "not UTF-8",
	} {
		for from, file := range map[string]string{"standard input": "-", "": write(t, text)} {
			got := id(t, text, "new", "--passphrase-file", file)
			require.Equal(t, exitFailed, got.code, "%q", text)
			require.Contains(t, got.errs, says)
			require.Contains(t, got.errs, from+":")
			require.NoFileExists(t, name)
		}
	}
	longest := strings.Repeat("é", 512)
	for _, end := range []string{"", "\n", "\r\n", "\nx"} {
		require.Zero(t, id(t, longest+end, "new", "--passphrase-file", "-", "--force").code, "%q", end)
		require.Contains(t, decrypted(t, contents(t, name), longest), "kith1")
	}
	os.Remove(name)
	t.Setenv("KITH_PASSPHRASE", "")
	got := id(t, "", "new")
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "kith: KITH_PASSPHRASE: the passphrase is empty; --no-passphrase writes a file without one\n", got.errs)
	t.Setenv("KITH_PASSPHRASE", strings.Repeat("x", 1025))
	require.Contains(t, id(t, "", "new").errs, "KITH_PASSPHRASE: the passphrase has more than 1024 bytes")
	got = id(t, "", "new", "--passphrase-file", name)
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "identity.age:")
	require.NoFileExists(t, name)
}

func TestIdentityUsage(t *testing.T) {
	name := home(t)
	plain := write(t, aliceSecret)
	locked := write(t, ages(t, aliceSecret, false, under(t, "p", 1)))
	for _, c := range []struct {
		args string
		says string
	}{
		{"nwe", `no command "nwe"; did you mean new?`},
		{"new x", `"x": it takes no arguments`},
		{"show a b", "one argument, the address"},
		{"import a b", "one argument, the file"},
		{"passphrase x", "no arguments"},
		{"new --generate --no-passphrase", "exclude each other"},
		{"new --generate --passphrase-file x", "exclude each other"},
		{"new --no-passphrase --passphrase-file x", "exclude each other"},
		{"import --generate --no-passphrase", "exclude each other"},
		{"import --passphrase-file -", "cannot both be on standard input"},
		{"import - --passphrase-file -", "cannot both be on standard input"},
		{"passphrase --generate --new-passphrase-file x", "exclude each other"},
		{"passphrase --passphrase-file - --new-passphrase-file -", "only one of the two"},
		{"show --qr --json", "exclude each other"},
		{"show --qr --secret", "exclude each other"},
		{"show --secret " + aliceAddress, "not for an address"},
		{"show --identity x " + aliceAddress, "not for an address"},
		// Nobody can be asked.
		{"new", "there is no terminal to ask on; give --passphrase-file, KITH_PASSPHRASE, --generate or --no-passphrase"},
		{"import " + plain, "there is no terminal to ask on; give --passphrase-file"},
		{"passphrase --identity " + plain, "there is no terminal to ask on; give --new-passphrase-file, KITH_NEW_PASSPHRASE, --generate"},
		{"show --identity " + locked, locked + ": it has a passphrase, and there is no terminal to ask on; give --passphrase-file or KITH_PASSPHRASE"},
		// A secret on the command line is not said again.
		{aliceSecret, "does not belong on the command line"},
		{"import " + aliceSecret, "does not belong on the command line"},
		{"import " + strings.ToLower(aliceSecret), "does not belong on the command line"},
		{"show " + aliceSecret[:40], "does not belong on the command line"},
		{"new --identity " + aliceSecret, "does not belong on the command line"},
		{"passphrase --new-passphrase-file " + aliceSecret, "does not belong on the command line"},
	} {
		got := id(t, "", strings.Fields(c.args)...)
		require.Equal(t, exitUsage, got.code, c.args)
		require.Empty(t, got.out, c.args)
		require.Contains(t, got.errs, c.says, c.args)
		require.Contains(t, got.errs, "\nTry: kith id", c.args)
		require.NoFileExists(t, name)
	}
	require.Zero(t, id(t, "").code, "the help")
}

func TestAddressesAreChecked(t *testing.T) {
	home(t)
	for _, a := range []string{aliceAddress, strings.ToUpper(aliceAddress), " " + aliceAddress + "\n"} {
		require.Equal(t, result{aliceAddress + "\n", "", 0}, id(t, "", "show", a))
	}
	require.JSONEq(t, fmt.Sprintf(`{"address": %q}`, aliceAddress), id(t, "", "show", "--json", aliceAddress).out)
	for a, says := range map[string]string{
		"":                           "address does not begin with kith1",
		"K" + aliceAddress[1:]:       "address has both capital and small letters",
		aliceAddress[:62]:            "address is 62 characters long, not 63",
		"kith13x" + aliceAddress[7:]: "address has a wrong checksum: a character is mistyped",
		"kith1b" + aliceAddress[6:]:  "address has 'b' at place 6, which no address has",
		"bc1" + aliceAddress[4:]:     "address does not begin with kith1",
		"someone@example.org":        "address does not begin with kith1",
		aliceAddress[:20] + "\x1b" + aliceAddress[21:]: `address has '\x1b' at place 21, which no address has`,
	} {
		require.Equal(t, result{"", "kith: " + says + "\n", exitFailed}, id(t, "", "show", a))
	}
}

func TestIdentityCompletion(t *testing.T) {
	const files, none = ":0\n", ":4\n"
	for words, want := range map[string]string{
		"import ": files, "new --identity ": files, "show --passphrase-file ": files, "passphrase --new-passphrase-file ": files, "new ": none, "passphrase ": none,
	} {
		cmd := idRoot()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		cmd.SetArgs(append([]string{"__complete", "id"}, strings.Split(words, " ")...))
		require.Zero(t, run(cmd))
		require.True(t, strings.HasSuffix(out.String(), want), "%s: %s", words, out.String())
	}
}

// A secret key on paper becomes an identity again, and shows the address that it had.
func Example_identity() {
	dir, err := os.MkdirTemp("", "kith-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "identity")
	for _, args := range [][]string{
		{"id", "import", "--no-passphrase", "--identity", file},
		{"id", "show", "--identity", file},
	} {
		cmd := idRoot()
		cmd.SetIn(strings.NewReader(aliceSecret))
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		cmd.SetArgs(args)
		fmt.Print(run(cmd), " ", out.String())
	}
	// Output:
	// 0 kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73
	// 0 kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73
}
