package main

import (
	"github.com/spf13/cobra"
)

// storeFlags say whose store is meant, and where it is.
type storeFlags struct {
	identityFlags
	state string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	f.current = passphraseSource{flag: "passphrase-file", env: "KITH_PASSPHRASE"}
	l := cmd.Flags()
	l.StringVar(&f.state, "state", "", "the `folder` of the state (default where kith peer --help says)")
	l.StringVar(&f.file, "identity", "", "the identity `file` (default identity.age, where kith id --help says)")
	l.StringVar(&f.current.file, "passphrase-file", "", "the passphrase of the identity: the first line of a `file`; - is standard input")
	filesAt(cmd, "identity", "passphrase-file")
	if err := cmd.MarkFlagDirname("state"); err != nil {
		panic(err) // the flag was defined some lines above
	}
}

// unlock opens the identity. Whoever calls it erases it.
func (f *storeFlags) unlock(cmd *cobra.Command) (*opened, error) {
	name, err := f.path()
	if err != nil {
		return nil, err
	}
	o, err := loadIdentity(name, func() ([]byte, error) { return f.current.open(cmd, name) })
	return o, missing(err)
}
