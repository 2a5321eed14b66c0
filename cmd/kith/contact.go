package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"kith/handshake"
	"kith/peer"
	"kith/peer/host"
)

func contactCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "contact",
		Short: "Add, list, rename, remove and block your friends",
		Long: `Add, list, rename, remove and block your friends: those whom kith peer lets find you, and
looks for.

Both have to add the other: you need their address, and they need yours, which kith id show
prints. Who is not added finds nobody, and cannot tell that from nobody being there; nor can
who was removed or blocked.

A friend is named by the name that you gave, or by the address. A name is one word of at
most 24 columns; capitals make no difference between two.

The friends are in the state of kith peer, which --state names and which belongs to your
identity. While a peer runs on it, talk to that: /add, /remove and /block in its chat.

Exit codes: 0 done; 1 the identity or the state cannot be opened, a peer runs on it, or
there is no such friend; 2 wrong usage.`,
		Example: `  kith contact add kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73 bob
  kith contact list
  kith contact rename bob robert
  kith contact block robert`,
		Args: noArgs,
		RunE: helpAlone,
	}
	for _, c := range []contactEdit{
		{
			use: "add ADDRESS [NAME]", short: "Add a friend, who has to add you too",
			example: `  kith contact add kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73 bob`,
			least:   1, most: 2, what: "the address of a friend, and what you call them", edit: addContact,
			long: `Add a friend by address. You find each other once they have added you too: tell them your
address, which kith id show prints.`,
		},
		{
			use: "rename FRIEND NAME", short: "Give a friend another name",
			example: "  kith contact rename bob robert",
			least:   2, most: 2, what: "the friend and the new name", edit: renameContact,
		},
		{
			use: "remove FRIEND", short: "Remove a friend, and what waits for them",
			example: "  kith contact remove bob",
			least:   1, most: 1, what: "the friend", edit: removeContact,
			long: `Remove a friend, and what is stored of them: messages that wait for them, messages of theirs
that were not shown yet, and the history. Nothing shows them that you are there.`,
		},
		{
			use: "block FRIEND", short: "Keep a friend out, and in the list",
			example: "  kith contact block bob",
			least:   1, most: 1, what: "the friend", edit: blockContact,
			long: `Block a friend: as remove, but name and history stay, and kith contact unblock undoes it.
Messages that waited for them are gone. Nothing shows them that you are there.`,
		},
		{
			use: "unblock FRIEND", short: "Undo block",
			example: "  kith contact unblock bob",
			least:   1, most: 1, what: "the friend", edit: unblockContact,
		},
	} {
		cmd.AddCommand(c.command())
	}
	cmd.AddCommand(contactListCommand())
	return cmd
}

// A contactEdit is a command that changes the contacts.
type contactEdit struct {
	use, short, long, example string
	least, most               int // arguments
	what                      string
	edit                      func(now time.Time, p *peer.Peer, own handshake.PublicKey, args []string) (contactReport, error)
}

// A contactReport is what a command did, or an entry of the list.
type contactReport struct {
	Friend  string     `json:"friend"`
	Name    string     `json:"name,omitempty"`
	Done    string     `json:"done,omitempty"` // added, renamed, removed, blocked or unblocked
	Blocked bool       `json:"blocked,omitempty"`
	Queued  int        `json:"queued"`           // messages that wait for the friend
	Added   *time.Time `json:"added,omitempty"`  // UTC
	Spoken  *time.Time `json:"spoken,omitempty"` // when a conversation was last open, UTC

	says string // to people
}

func (c contactEdit) command() *cobra.Command {
	f := &storeFlags{}
	cmd := &cobra.Command{
		Use: c.use, Short: c.short, Long: c.long, Example: c.example,
		Args: noSecrets(func(cmd *cobra.Command, args []string) error {
			if len(args) < c.least || len(args) > c.most {
				return misused(cmd, "it takes %s", c.what)
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, f, args) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "the result as JSON")
	return cmd
}

func (c contactEdit) run(cmd *cobra.Command, f *storeFlags, args []string) error {
	o, folder, err := f.open(cmd)
	if err != nil {
		return idFailed(cmd, err)
	}
	defer o.erase()
	var r contactReport
	err = host.Edit(folder.store(), o.id, func(now time.Time, p *peer.Peer) (err error) {
		r, err = c.edit(now, p, o.id.PublicKey(), args)
		return err
	})
	if err != nil {
		_, err = hostFault(folder, err)
		return failed(cmd, exitFailed, err)
	}
	if f.json {
		return pourJSON(cmd, r)
	}
	return pour(cmd, r.says+"\n", exitFailed)
}

// open opens the identity and names the folder of the state.
func (f *storeFlags) open(cmd *cobra.Command) (*opened, stateFolder, error) {
	folder, err := stateIn(f.state)
	if err != nil {
		return nil, "", err
	}
	o, err := f.unlock(cmd)
	return o, folder, err
}

func pourJSON(cmd *cobra.Command, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return pour(cmd, string(b)+"\n", exitFailed)
}

func addContact(now time.Time, p *peer.Peer, own handshake.PublicKey, args []string) (contactReport, error) {
	name := ""
	if len(args) == 2 {
		name = args[1]
	}
	key, err := bookOf(p.Contacts()).newcomer(args[0], name, own)
	if err != nil {
		return contactReport{}, err
	}
	r := contactReport{Friend: key.String(), Name: name, Done: "added"}
	r.says = fmt.Sprintf("%s is added; tell %[1]s your address too: kith id show", r.called())
	return r, p.Add(now, key, name)
}

// called is the name of a contact, or the address of one who has none.
func (r contactReport) called() string {
	if r.Name == "" {
		return r.Friend
	}
	return r.Name
}

// affected finds the contact and reports that something was done to it.
func affected(p *peer.Peer, who, done string) (peer.Contact, contactReport, error) {
	c, err := bookOf(p.Contacts()).find(who)
	if err != nil {
		return c, contactReport{}, err
	}
	r := contactReport{Friend: c.Key.String(), Name: c.Name, Done: done, Blocked: done == "blocked"}
	r.says = r.called() + " is " + done
	return c, r, nil
}

func renameContact(now time.Time, p *peer.Peer, _ handshake.PublicKey, args []string) (contactReport, error) {
	c, r, err := affected(p, args[0], "renamed")
	if err != nil {
		return r, err
	}
	if err := bookOf(p.Contacts()).free(args[1], c.Key); err != nil {
		return r, err
	}
	r.says, r.Name, r.Blocked = r.called()+" is "+args[1]+" now", args[1], c.Blocked
	return r, p.Rename(now, c.Key, args[1])
}

func removeContact(now time.Time, p *peer.Peer, _ handshake.PublicKey, args []string) (contactReport, error) {
	c, r, err := affected(p, args[0], "removed")
	if err != nil {
		return r, err
	}
	return r, p.Remove(now, c.Key)
}

func blockContact(now time.Time, p *peer.Peer, _ handshake.PublicKey, args []string) (contactReport, error) {
	c, r, err := affected(p, args[0], "blocked")
	switch {
	case err != nil:
		return r, err
	case c.Blocked:
		return r, errors.New("this contact is blocked already")
	}
	return r, p.Block(now, c.Key)
}

func unblockContact(now time.Time, p *peer.Peer, _ handshake.PublicKey, args []string) (contactReport, error) {
	c, r, err := affected(p, args[0], "unblocked")
	switch {
	case err != nil:
		return r, err
	case !c.Blocked:
		return r, errors.New("this contact is not blocked")
	}
	return r, p.Unblock(now, c.Key)
}

func contactListCommand() *cobra.Command {
	f := &storeFlags{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List your friends",
		Long: `List your friends: name, address, when you last talked, and how many messages wait for them.

With --json it is one array.`,
		Example: `  kith contact list
  kith contact list --json --state /srv/bot --identity /srv/bot.age`,
		Args: noSecrets(noArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runContactList(cmd, f) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "the list as JSON")
	return cmd
}

func runContactList(cmd *cobra.Command, f *storeFlags) error {
	folder, err := stateIn(f.state)
	if err != nil {
		return failed(cmd, exitFailed, err)
	}
	list := []contactReport{}
	if _, err := os.Stat(folder.store()); !errors.Is(err, fs.ErrNotExist) { // to look makes no store
		o, err := f.unlock(cmd)
		if err != nil {
			return idFailed(cmd, err)
		}
		defer o.erase()
		err = host.Edit(folder.store(), o.id, func(_ time.Time, p *peer.Peer) error {
			for _, c := range p.Contacts() {
				list = append(list, contactReport{
					Friend: c.Key.String(), Name: c.Name, Blocked: c.Blocked, Queued: c.Waiting, Added: utc(c.Added), Spoken: utc(c.Spoken),
				})
			}
			return nil
		})
		if err != nil {
			_, err = hostFault(folder, err)
			return failed(cmd, exitFailed, err)
		}
	}
	if f.json {
		return pourJSON(cmd, list)
	}
	if len(list) == 0 {
		tell(cmd, "you have no friends here yet: kith contact add")
	}
	return pour(cmd, contactTable(list), exitFailed)
}

// utc is a time for JSON, nil for none.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// contactTable lists contacts for people, and for cut and awk.
func contactTable(list []contactReport) string {
	wide := 1
	for _, r := range list {
		wide = max(wide, utf8.RuneCountInString(r.Name))
	}
	var b strings.Builder
	for _, r := range list {
		name := r.Name
		if name == "" {
			name = "-"
		}
		var facts []string
		switch {
		case r.Blocked:
			facts = append(facts, "blocked")
		case r.Spoken == nil:
			facts = append(facts, "never met: have they added you?")
		default:
			facts = append(facts, "last met "+r.Spoken.Local().Format("2006-01-02 15:04"))
		}
		if r.Queued > 0 {
			facts = append(facts, waits(r.Queued))
		}
		fmt.Fprintf(&b, "%s%s  %s  %s\n", name, strings.Repeat(" ", max(0, wide-utf8.RuneCountInString(name))), r.Friend, strings.Join(facts, "; "))
	}
	return b.String()
}
