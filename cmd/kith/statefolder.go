package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A stateFolder is where a peer's store lives: contacts, messages that wait, messages that were not taken.
type stateFolder string

// stateIn returns the folder that was asked for, or else the system's place for what a program keeps.
func stateIn(dir string) (stateFolder, error) {
	if dir != "" {
		return stateFolder(dir), nil
	}
	dir, err := stateHome()
	if err != nil {
		return "", fmt.Errorf("there is no place for the state: %w; give one with --state", err)
	}
	return stateFolder(filepath.Join(dir, "kith")), nil
}

func stateHome() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return os.UserCacheDir() // %LocalAppData%: what stays on this machine
	case "darwin", "ios":
		return os.UserConfigDir() // ~/Library/Application Support, which has both
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) { // others are to be ignored, by the XDG Base Directory Specification
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state"), nil
}

// store is the name of the store's file.
func (f stateFolder) store() string { return filepath.Join(string(f), "peer.db") }
