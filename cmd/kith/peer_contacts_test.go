package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseContacts(t *testing.T) {
	keys, a := contactKeys(t, 4)
	got, err := parseContacts([]byte("\ufeff# friends\n\n" + a[0] + " bob\r\n  " + strings.ToUpper(a[1]) + "\t carol \n#" + a[2] + "\n" + a[3]))
	require.NoError(t, err)
	require.Equal(t, []newContact{{3, keys[0], "bob"}, {4, keys[1], "carol"}, {6, keys[3], ""}}, got)
	got, err = parseContacts(nil)
	require.NoError(t, err)
	require.Empty(t, got)
	for in, says := range map[string]string{
		a[0] + "\n" + a[1] + " two words":            "line 2: after the address stands at most a name",
		"bob " + a[0]:                                "line 1: ",
		a[0][:len(a[0])-1] + "q":                     "line 1: address",
		a[0] + " bob\n\n" + strings.ToUpper(a[0]):    "line 3: the same address as in line 1",
		a[0] + " bob\n" + a[1] + " BOB":              "line 2: the same name as in line 1",
		a[0] + " me":                                 "line 1: me is what",
		a[0] + " \xff":                               "line 1: it is not UTF-8",
		a[0] + " # bob":                              "line 1: after the address",
		a[0] + " " + strings.Repeat("x", mostName+1): "line 1: a name is",
	} {
		_, err := parseContacts([]byte(in))
		require.ErrorContains(t, err, says, in)
		require.NotContains(t, err.Error(), a[0])
	}
}

func TestReadContacts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "friends")
	_, err := readContacts(name)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(name, []byte("nobody"), 0o600))
	_, err = readContacts(name)
	require.ErrorContains(t, err, name+": line 1: ")
	require.NoError(t, os.WriteFile(name, make([]byte, mostContactsFile+1), 0o600))
	_, err = readContacts(name)
	require.ErrorContains(t, err, "at most")
}

func FuzzParseContacts(f *testing.F) {
	for _, in := range []string{"kith13y3hym5newu4nx7emu4p6ht7faj6dxqj3sfgxdtvzq5qtcc2yurq2nyy73 bob\n# x\n", "\ufeff", "\r\n\x00"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		contacts, err := parseContacts(in)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, c := range contacts {
			b.WriteString(strings.TrimSpace(c.key.String()+" "+c.name) + "\n")
		}
		again, err := parseContacts([]byte(b.String()))
		require.NoError(t, err)
		require.Len(t, again, len(contacts))
		for i, c := range again {
			require.Equal(t, contacts[i].key, c.key)
			require.Equal(t, contacts[i].name, c.name)
		}
	})
}
