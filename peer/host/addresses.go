package host

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"kith/internal/udp"
)

// localAddrs returns under which addresses others on the same networks reach the sockets: their own, or those of all interfaces for one that listens everywhere. Loopback addresses, and those that mean something on one
// link only, are left out then.
func localAddrs(sockets []netip.AddrPort) (addrs []netip.AddrPort) {
	for _, s := range sockets {
		if !s.Addr().IsUnspecified() {
			addrs = append(addrs, s)
			continue
		}
		all, err := net.InterfaceAddrs()
		if err != nil {
			continue // then there is only what others see
		}
		for _, a := range all {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(n.IP)
			if ip = ip.Unmap(); ok && ip.Is4() == s.Addr().Is4() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsMulticast() {
				addrs = append(addrs, netip.AddrPortFrom(ip, s.Port()))
			}
		}
	}
	return addrs
}

// watch tells the peer when the addresses of the machine change, until the host ends.
func (h *Host) watch() {
	w := newWatcher()
	go func() {
		<-h.stop
		w.close()
	}()
	for w.wait(h.stop) {
		h.mu.RLock()
		local := localAddrs(h.driver.LocalAddrs())
		_ = h.driver.Do(func(now time.Time) { // it is closed, and nobody needs to know
			if !slices.Equal(local, h.local) {
				h.moved(now, local)
			}
		})
		h.mu.RUnlock()
	}
}

// moved tells the peer of other addresses of the machine.
func (h *Host) moved(now time.Time, local []netip.AddrPort) {
	h.local = local
	h.peer.SetLocal(now, local)
	h.peer.Moved(now)
}

// pollEvery is how often the addresses are looked at where the system does not tell of changes.
const pollEvery = 30 * time.Second

// poll is a watcher for such a system.
type poll struct{}

func (poll) wait(stop <-chan struct{}) bool { return udp.Pause(pollEvery, stop) }
func (poll) close()                         {}
