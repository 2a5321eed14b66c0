package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStateFolder(t *testing.T) {
	f, err := stateIn("/somewhere")
	require.NoError(t, err)
	require.Equal(t, filepath.Join("/somewhere", "peer.db"), f.store())
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skipf("%s has no XDG_STATE_HOME", runtime.GOOS)
	}
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	for dir, want := range map[string]string{
		"/state": "/state/kith", "": filepath.Join(home, ".local/state/kith"), "relative": filepath.Join(home, ".local/state/kith"),
	} {
		t.Setenv("XDG_STATE_HOME", dir)
		f, err := stateIn("")
		require.NoError(t, err)
		require.Equal(t, stateFolder(want), f, dir)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	_, err = stateIn("")
	require.ErrorContains(t, err, "--state")
}
