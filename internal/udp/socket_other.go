//go:build !linux

package udp

import "net"

func newSocket(c *net.UDPConn) (socket, error) { return newSingle(c), nil }
