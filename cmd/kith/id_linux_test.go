package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// asKith is the first argument that makes the test binary kith, so that tests have a program with a terminal of its own.
const asKith = "as-kith"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != asKith {
		os.Exit(m.Run())
	}
	workFactor = 1
	cmd := idRoot()
	cmd.SetArgs(os.Args[2:])
	os.Exit(run(cmd))
}

// A person is somebody at a terminal on which kith runs.
type person struct {
	t     *testing.T
	kith  *exec.Cmd
	keys  *os.File // the end of the terminal with the keyboard and the screen
	tty   *os.File // the end that kith has
	seen  chan []byte
	shown []byte // all of it
	read  int    // so much of it was expected
}

// sit starts kith on a terminal of that size. prepare may change what it gets: by default everything is the terminal.
func sit(t *testing.T, width, height uint16, prepare func(*exec.Cmd), args ...string) *person {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { keys.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetUint32(int(keys.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { tty.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}))

	exe, err := os.Executable()
	require.NoError(t, err)
	p := &person{t: t, kith: exec.Command(exe, append([]string{asKith}, args...)...), keys: keys, tty: tty, seen: make(chan []byte, 1000)}
	p.kith.Stdin, p.kith.Stdout, p.kith.Stderr = tty, tty, tty
	p.kith.Env = append(os.Environ(), "TERM=xterm-256color")
	p.kith.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	p.kith.ExtraFiles = []*os.File{tty}
	if prepare != nil {
		prepare(p.kith)
	}
	require.NoError(t, p.kith.Start())
	t.Cleanup(func() { p.kith.Process.Kill() })
	go func() {
		for {
			b := make([]byte, 4096)
			n, err := keys.Read(b)
			if err != nil {
				return // the test is over
			}
			p.seen <- b[:n]
		}
	}()
	return p
}

// expect waits until the screen shows something that was not expected before.
func (p *person) expect(text string) {
	p.t.Helper()
	late := time.After(patience)
	for {
		if i := bytes.Index(p.shown[p.read:], []byte(text)); i >= 0 {
			p.read += i + len(text)
			return
		}
		select {
		case b := <-p.seen:
			p.shown = append(p.shown, b...)
		case <-late:
			p.t.Fatalf("%q does not come: %q", text, p.shown)
		}
	}
}

func (p *person) press(keys string) {
	_, err := io.WriteString(p.keys, keys)
	require.NoError(p.t, err)
}

// leave waits for the end of kith, and looks whether the terminal is as it was.
func (p *person) leave(code int) {
	p.t.Helper()
	ended := make(chan int, 1)
	go func() {
		p.kith.Wait()
		ended <- p.kith.ProcessState.ExitCode()
	}()
	select {
	case got := <-ended:
		require.Equal(p.t, code, got, "%q", p.shown)
	case <-time.After(patience):
		p.t.Fatalf("kith does not end: %q", p.shown)
	}
	state, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	require.NoError(p.t, err)
	for _, flag := range []uint32{unix.ECHO, unix.ICANON, unix.ISIG} {
		require.NotZero(p.t, state.Lflag&flag, "the terminal is not as it was")
	}
	require.NotZero(p.t, state.Oflag&unix.OPOST)
}

func TestPassphraseIsAskedFor(t *testing.T) {
	name := home(t)
	p := sit(t, 80, 24, nil, "id", "new")
	p.expect("New passphrase for " + name + ": ")
	p.press("corr\x7frect\r")
	p.expect("The same again: ")
	p.press("correct\r")
	p.expect("\r\nkith: " + name + " is under the passphrase: keep a copy of the file, and the passphrase; this is your address:\r\nkith1")
	p.leave(0)
	require.NotContains(t, string(p.shown), "corr", "nothing is shown")
	require.Contains(t, decrypted(t, contents(t, name), "correct"), "# address: kith1")

	// Standard output and standard input may be something else.
	var out bytes.Buffer
	p = sit(t, 80, 24, func(c *exec.Cmd) { c.Stdin, c.Stdout, c.Stderr = nil, &out, io.Discard }, "id", "show")
	p.expect("Passphrase of " + name + ": ")
	p.press("correct\r")
	p.leave(0)
	require.Regexp(t, "^kith1.{58}\n$", out.String())

	p = sit(t, 80, 24, nil, "id", "show")
	p.expect(": ")
	p.press("wrong\r")
	p.expect("\r\nkith: " + name + ": the passphrase does not open it; if it is the right one")
	p.leave(exitFailed)
	require.NotContains(t, string(p.shown), "wrong")

	p = sit(t, 80, 24, nil, "id", "show")
	p.expect(": ")
	p.press("\r")
	p.expect("\r\nkith: " + name + ": the passphrase is empty\r\n")
	p.leave(exitFailed)

	p = sit(t, 80, 24, nil, "id", "passphrase", "--passphrase-file", "-") // the terminal is asked, not read with an echo
	p.expect("Passphrase of " + name + ": ")
	p.press("correct\r")
	p.expect("New passphrase for " + name + ": ")
	p.press("other\r")
	p.expect("The same again: ")
	p.press("othre\r")
	p.expect("kith: the two passphrases differ; nothing was written\r\n")
	p.leave(exitFailed)
	require.Contains(t, decrypted(t, contents(t, name), "correct"), "# address: kith1")
}

func TestSecretKeyIsAskedFor(t *testing.T) {
	name := home(t)
	p := sit(t, 80, 24, nil, "id", "import", "--no-passphrase")
	p.expect("Secret key, KITH-SECRET-KEY-1…: ")
	p.press(aliceSecret + "\r")
	p.expect("\r\nkith: " + name + " has no passphrase: who can read it is you\r\n" + aliceAddress)
	p.leave(0)
	require.NotContains(t, string(p.shown), aliceSecret[:20]+"5", "nothing is shown")
	require.Contains(t, contents(t, name), aliceSecret)

	// The key comes through a pipe, the passphrase from the person.
	p = sit(t, 80, 24, func(c *exec.Cmd) { c.Stdin = strings.NewReader(bobSecret) }, "id", "import", "--force")
	p.expect("New passphrase for " + name + ": ")
	p.press("p\r")
	p.expect("The same again: ")
	p.press("p\r")
	p.expect(bobAddress)
	p.leave(0)
	require.Contains(t, decrypted(t, contents(t, name), "p"), bobSecret)
}

// TestLeavingAPrompt leaves each prompt in each way.
func TestLeavingAPrompt(t *testing.T) {
	name := home(t)
	for how, leave := range map[string]func(p *person){
		"Ctrl-C":  func(p *person) { p.press("half\x03") },
		"Ctrl-D":  func(p *person) { p.press("\x04") },
		"SIGINT":  func(p *person) { p.kith.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(p *person) { p.kith.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(p *person) { p.kith.Process.Signal(syscall.SIGHUP) },
	} {
		if how == "SIGHUP" && signal.Ignored(syscall.SIGHUP) {
			t.Log("SIGHUP is ignored here, as it is below nohup, and so it is by kith: not tried")
			continue
		}
		for _, again := range []bool{false, true} {
			p := sit(t, 80, 24, nil, "id", "new")
			p.expect(": ")
			if again {
				p.press("half\r")
				p.expect(": ")
			}
			leave(p)
			p.expect("\r\nkith: interrupted\r\n")
			p.leave(exitFailed)
			require.NoFileExists(t, filepath.Dir(name), how)
			require.NotContains(t, string(p.shown), "half", how)
		}
	}
}

func TestQRCodeNeedsRoom(t *testing.T) {
	home(t)
	for _, size := range [][2]uint16{{36, 24}, {80, 18}} {
		p := sit(t, size[0], size[1], nil, "id", "show", "--qr", aliceAddress)
		p.expect(fmt.Sprintf("kith: the QR code needs 37 columns and 19 lines, and this terminal has %d and %d: make it larger", size[0], size[1]))
		p.leave(exitFailed)
		require.NotContains(t, string(p.shown), "█")
	}
	for _, size := range [][2]uint16{{37, 19}, {0, 0}} {
		p := sit(t, size[0], size[1], nil, "id", "show", "--qr", aliceAddress)
		p.expect("█")
		p.expect(aliceAddress)
		p.leave(0)
	}
	p := sit(t, 80, 24, func(c *exec.Cmd) { c.Env = append(c.Env, "TERM=dumb") }, "id", "show", "--qr", aliceAddress)
	p.expect("TERM=dumb")
	p.leave(exitFailed)
}

// TestKilledWhileWriting kills kith at once, again and again: what it leaves is a whole identity or none.
func TestKilledWhileWriting(t *testing.T) {
	name := home(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	for range 10 {
		require.NoError(t, os.RemoveAll(filepath.Dir(name)))
		c := exec.Command(exe, asKith, "id", "new", "--no-passphrase")
		require.NoError(t, c.Start())
		for c.ProcessState == nil { // until there is something beside the place, or it is over
			if entries, _ := os.ReadDir(filepath.Dir(name)); len(entries) > 0 {
				break
			}
			if unix.Kill(c.Process.Pid, 0) != nil {
				break
			}
		}
		c.Process.Kill()
		c.Wait()
		if b, err := os.ReadFile(name); err == nil {
			_, err := parseIdentity(b)
			require.NoError(t, err)
		}
		require.Zero(t, id(t, "", "new", "--no-passphrase", "--force").code)
		require.Equal(t, []string{"identity.age"}, list(t, filepath.Dir(name)), "what was left is swept up")
	}
}
