//go:build !linux

package host

func newWatcher() poll { return poll{} }
