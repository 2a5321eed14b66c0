//go:build !linux

package store

import "errors"

func childCommits(string) error { return errors.New("is for Linux") }
