package host

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kith/internal/udp"
)

// calm is how long changes are let come to an end: an interface that goes up changes several things.
const calm = 200 * time.Millisecond

// A netlink is the kernel's own news of addresses, so that nobody wakes to look.
type netlink struct{ f *os.File }

type watcher interface {
	// wait returns when addresses may have changed, and reports false when stop was closed.
	wait(stop <-chan struct{}) bool
	close()
}

func newWatcher() watcher {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return poll{} // a sandbox forbids it
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR}); err != nil {
		unix.Close(fd)
		return poll{}
	}
	return netlink{os.NewFile(uintptr(fd), "netlink")}
}

func (n netlink) wait(stop <-chan struct{}) bool {
	// What is said is not read: the addresses are looked at anew. A message that is too long is cut, one that is lost gives an error, and both are news.
	var b [4096]byte
	if _, err := n.f.Read(b[:]); err != nil && errors.Is(err, os.ErrClosed) {
		return false
	}
	return udp.Pause(calm, stop)
}

func (n netlink) close() { n.f.Close() }
