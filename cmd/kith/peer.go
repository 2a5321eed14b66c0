package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/host"
	"kith/peer/store"
)

// peerFlags are those of kith peer.
type peerFlags struct {
	networkFlags
	storeFlags
	contacts string
	json     bool
	echo     bool
	history  bool
}

func peerCommand() *cobra.Command {
	f := &peerFlags{}
	cmd := &cobra.Command{
		Use:   "peer",
		Short: "Talk to your friends",
		Long: `Talk to your friends, and be there for them, until /quit, Ctrl-D or SIGTERM.

On a terminal it is a chat in lines: what you type is sent, /help shows the rest. In a
pipe, or with --json, it is driven by a program: one command a line in, one event a line
out, each a JSON object. spec/shim.md, "A peer in lines", has them all. It ends when
standard input does.

Friends need each other's address: kith id show prints yours, kith contact add takes
theirs. A message waits until the friend is there, over restarts of both, and arrives once.

What has to be kept, such as messages that wait, is in one encrypted file, peer.db, in the
folder kith of your state: ~/.local/state/kith, or where XDG_STATE_HOME says; on macOS
~/Library/Application Support/kith; on Windows %LocalAppData%\kith. --state names another
folder. Two peers cannot share one. What was said is not kept, unless with --history.

A contacts file has an address a line, and after a space a name; # begins a comment. Who is
no contact yet becomes one; nobody else is changed, and your own address is passed over.

With --echo every text goes back to whom it came from, for tests; it speaks in lines.

Exit codes: 0 ended as asked; 1 the identity, the state or the contacts cannot be read or
written, or another peer uses them; 2 wrong usage; 3 the address cannot be listened on.`,
		Example: `  kith peer
  kith peer --state /srv/bot --identity /srv/bot.age --passphrase-file /run/secrets/bot --json
  echo '{"do":"who"}' | kith peer --contacts friends.txt
  kith peer --listen 127.0.0.1:0 --bootstrap 127.0.0.1:7001 --state /tmp/a --identity a.age`,
		Args: noSecrets(noArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runPeer(cmd, f) },
	}
	f.networkFlags.add(cmd, "0.0.0.0:6881 and [::]:6881, or any port where that is taken")
	f.storeFlags.add(cmd)
	l := cmd.Flags()
	l.StringVar(&f.contacts, "contacts", "", "a `file` of friends to add")
	l.BoolVar(&f.json, "json", false, "lines of JSON, on a terminal too")
	l.BoolVar(&f.echo, "echo", false, "send every text back")
	l.BoolVar(&f.history, "history", false, "keep what is said from now on, and show the last of it at the start")
	filesAt(cmd, "contacts")
	return cmd
}

// runPeer is kith peer.
func runPeer(cmd *cobra.Command, f *peerFlags) error {
	names, err := f.names()
	if err != nil {
		return misused(cmd, "%v", err)
	}
	listen, err := f.addresses(nodePort)
	if err != nil {
		return misused(cmd, "%v", err)
	}
	in, out, person := chatTerminal(cmd, f)
	if person && f.current.stdin() {
		return misused(cmd, "--passphrase-file -: standard input is what you type; give a file, or nothing to be asked")
	}
	var friends []newContact
	if f.contacts != "" {
		if friends, err = readContacts(f.contacts); err != nil {
			return failed(cmd, exitFailed, err)
		}
	}
	folder, err := stateIn(f.state)
	if err != nil {
		return failed(cmd, exitFailed, err)
	}
	// A reader that goes away ends the peer in order, its friends told, and not by a signal.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	defer stop()
	defer context.AfterFunc(ctx, func() { lateStop(stop) })()

	o, err := f.unlock(cmd)
	if err != nil {
		return idFailed(cmd, err)
	}
	defer o.erase()
	doors, missing := resolve(ctx, names)
	h, err := startHost(host.Config{
		Identity: o.id, Store: folder.store(), Listen: listen, Either: len(f.listen) == 0, DHT: dht.Config{Bootstrap: doors}, History: f.history, Echo: f.echo,
	}, len(f.listen) == 0)
	if err != nil {
		code, err := hostFault(folder, err)
		return failed(cmd, code, err)
	}
	defer h.Close()
	if err := addContacts(h, o.id.PublicKey(), f.contacts, friends); err != nil {
		return failed(cmd, exitFailed, err)
	}
	go resolveLater(ctx, h, missing)
	if person {
		return runChat(ctx, cmd, f, h, o.id.PublicKey(), in, out)
	}
	return runLines(ctx, cmd, h, o.id.PublicKey())
}

// chatTerminal returns the terminal that a person sits at, if one does.
func chatTerminal(cmd *cobra.Command, f *peerFlags) (in, out *os.File, person bool) {
	if f.json || f.echo || !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.OutOrStdout()) {
		return nil, nil, false
	}
	return cmd.InOrStdin().(*os.File), cmd.OutOrStdout().(*os.File), true
}

// startHost starts a host. Where no address was asked for by name and another program has the usual port, any port will do.
func startHost(cfg host.Config, usual bool) (*host.Host, error) {
	h, err := host.Start(cfg)
	if usual && errors.Is(err, syscall.EADDRINUSE) {
		for i, a := range cfg.Listen {
			cfg.Listen[i] = netip.AddrPortFrom(a.Addr(), 0)
		}
		return host.Start(cfg)
	}
	return h, err
}

// hostFault says what can be done about an error of a host that was to start, and how the program ends.
func hostFault(folder stateFolder, err error) (exitCode, error) {
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return exitNetwork, explain(err)
	case errors.Is(err, store.ErrInUse):
		return exitFailed, fmt.Errorf("a kith peer runs on %s: talk there, or end it, or give another --state", folder)
	case errors.Is(err, store.ErrIdentity):
		return exitFailed, fmt.Errorf("%s belongs to another identity: give that with --identity, or another --state", folder)
	}
	return exitFailed, trimmed(err)
}

// trimmed is an error without the name of the package that it comes from.
func trimmed(err error) error {
	text := err.Error()
	for _, name := range []string{"host: ", "store: ", "peer: "} {
		text = strings.TrimPrefix(text, name)
	}
	return errors.New(text)
}

// addContacts makes those of a contacts file contacts who are none.
func addContacts(h *host.Host, own handshake.PublicKey, file string, friends []newContact) error {
	var fault error
	err := h.Do(func(now time.Time, p *peer.Peer) {
		known := bookOf(p.Contacts())
		for _, c := range friends {
			address := c.key.String()
			if _, err := known.find(address); err == nil || c.key == own {
				continue
			}
			if c.name != "" {
				if fault = known.free(c.name, c.key); fault != nil {
					fault = fmt.Errorf("%s: line %d: %w", file, c.line, fault)
					return
				}
			}
			if fault = p.Add(now, c.key, c.name); fault != nil {
				fault = fmt.Errorf("%s: line %d: %w", file, c.line, trimmed(fault))
				return
			}
		}
	})
	return errors.Join(fault, err)
}

// resolveLater looks names up that had no address at the start, until all of them have.
func resolveLater(ctx context.Context, h *host.Host, missing []udp.Place) {
	wait := time.NewTicker(resolveAgain)
	defer wait.Stop()
	for len(missing) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-h.Done():
			return
		case <-wait.C:
		}
		var names []string
		for _, p := range missing {
			names = append(names, p.Name)
		}
		var doors []netip.AddrPort
		if doors, missing = resolve(ctx, names); len(doors) > 0 {
			_ = h.Do(func(now time.Time, p *peer.Peer) {
				for _, a := range doors {
					p.AddBootstrap(now, a)
				}
			})
		}
	}
}
