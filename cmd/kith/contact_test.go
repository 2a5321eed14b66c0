package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContactCommands(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	_, addresses := contactKeys(t, 5)
	contact := func(args ...string) result {
		return kith(t, append(append([]string{"contact"}, args...), a.flags()...)...)
	}
	got := contact("list")
	require.Zero(t, got.code)
	require.Empty(t, got.out+got.errs)
	_, err := os.Stat(filepath.Join(a.dir, "state"))
	require.ErrorIs(t, err, os.ErrNotExist, "to look makes nothing")
	require.Equal(t, "[]\n", contact("list", "--json").out)

	got = contact("add", b.address, "bob")
	require.Equal(t, "bob is added; tell bob your address too: kith id show\n", got.out)
	require.Empty(t, got.errs)
	require.Contains(t, contact("add", addresses[3]).out, addresses[3]+" is added; ")
	var r contactReport
	require.NoError(t, json.Unmarshal([]byte(contact("add", strings.ToUpper(addresses[4]), "Eve", "--json").out), &r))
	require.Equal(t, contactReport{Friend: addresses[4], Name: "Eve", Done: "added"}, r)
	require.Equal(t, "robert", mustJSON[contactReport](t, contact("rename", "BOB", "robert", "--json").out).Name)
	require.Equal(t, "robert is Robert now\n", contact("rename", b.address, "Robert").out)
	require.Equal(t, "Eve is blocked\n", contact("block", "eve").out)

	list := mustJSON[[]contactReport](t, contact("list", "--json").out)
	require.Len(t, list, 3)
	require.Equal(t, []string{"Robert", "", "Eve"}, []string{list[0].Name, list[1].Name, list[2].Name})
	require.Equal(t, []bool{false, false, true}, []bool{list[0].Blocked, list[1].Blocked, list[2].Blocked})
	require.NotNil(t, list[0].Added)
	require.Nil(t, list[0].Spoken)
	require.Equal(t, "Robert  "+b.address+"  never met: have they added you?\n"+
		"-       "+addresses[3]+"  never met: have they added you?\n"+
		"Eve     "+addresses[4]+"  blocked\n", contact("list").out)

	require.Equal(t, "Eve is unblocked\n", contact("unblock", "eve").out)
	require.Equal(t, "Robert is removed\n", contact("remove", "robert").out)
	require.Equal(t, addresses[3]+" is removed\n", contact("remove", addresses[3]).out)
	require.Len(t, mustJSON[[]contactReport](t, contact("list", "--json").out), 1)

	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"add", exitUsage, "the address of a friend"},
		{"add a b c", exitUsage, "the address of a friend"},
		{"rename eve", exitUsage, "the friend and the new name"},
		{"list eve", exitUsage, "no arguments"},
		{"add eve", exitFailed, "address"},
		{"add " + a.address, exitFailed, "your own address"},
		{"add " + addresses[4], exitFailed, "a contact already"},
		{"add " + b.address + " EVE", exitFailed, "another contact has this name"},
		{"add " + b.address + " me", exitFailed, "what you are called"},
		{"rename eve kith1x", exitFailed, "not begin with kith1"},
		{"rename eve /quit", exitFailed, "begin with /"},
		{"remove bob", exitFailed, "no contact has this name"},
		{"remove " + b.address, exitFailed, "is no contact"},
		{"unblock eve", exitFailed, "not blocked"},
		{"add " + aliceSecret, exitUsage, "does not belong on the command line"},
	} {
		got := contact(strings.Fields(c.args)...)
		require.Equal(t, c.code, got.code, "%s: %s", c.args, got.errs)
		require.Contains(t, got.errs, c.says, c.args)
		require.Empty(t, got.out, c.args)
	}
	require.Contains(t, kith(t, "contact", "blcok").errs, "did you mean block")
	require.Equal(t, "Eve is blocked\n", contact("block", "eve").out)
	require.Contains(t, contact("block", "eve").errs, "blocked already")
	require.Contains(t, contact("add", addresses[4]).errs, "unblock")
	require.Equal(t, "Eve is evelyn now\n", contact("rename", "eve", "evelyn").out)
}

func mustJSON[T any](t *testing.T, s string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(s), &v), s)
	return v
}

func TestContactsOfARunningPeer(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	k := startTalker(t, a, "none")
	for _, args := range [][]string{{"list"}, {"add", b.address}, {"remove", "bob"}} {
		got := kith(t, append(append([]string{"contact"}, args...), a.flags()...)...)
		require.Equal(t, exitFailed, got.code)
		require.Contains(t, got.errs, "a kith peer runs on "+filepath.Join(a.dir, "state"))
		require.Empty(t, got.out)
	}
	require.Zero(t, k.end())
	require.Zero(t, kith(t, append([]string{"contact", "add", b.address, "bob"}, a.flags()...)...).code)
	k = startTalker(t, a, "none")
	k.say("who", "ref", "1")
	require.Equal(t, "bob", k.answer("1").Contacts[0].Name)
}

// TestCompletionAsksForNothing: names are behind a passphrase, so none are offered, and nothing is asked.
func TestCompletionAsksForNothing(t *testing.T) {
	for _, words := range [][]string{{"contact", "remove", ""}, {"contact", "rename", "b"}, {"peer", ""}} {
		got := kith(t, append([]string{"__complete"}, words...)...)
		require.Equal(t, ":4\n", got.out, words)
	}
	require.True(t, strings.HasSuffix(kith(t, "__complete", "peer", "--state", "").out, ":16\n"))
	require.True(t, strings.HasSuffix(kith(t, "__complete", "peer", "--contacts", "").out, ":0\n"))
}
