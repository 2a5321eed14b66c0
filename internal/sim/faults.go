package sim

import (
	"net/netip"
	"time"
)

// A direction is from one host's address to another's.
type direction struct{ from, to netip.Addr }

// faults is what Config does not say: what happens to some, or for a while.
type faults struct {
	cut       map[direction]bool
	loss      map[direction]float64
	shuffle   time.Duration // how much longer, at most, it takes what is sent
	shuffling time.Time     // until then
}

func newFaults() faults {
	return faults{cut: map[direction]bool{}, loss: map[direction]float64{}}
}

// Cut loses all that is sent from a to b from now on, until Heal. What b sends to a arrives: a partition is two cuts. A host that
// moves to another address has left the partition.
func (n *Network) Cut(a, b netip.Addr) { n.faults.cut[direction{a, b}] = true }

// Heal ends the Cut from a to b.
func (n *Network) Heal(a, b netip.Addr) { delete(n.faults.cut, direction{a, b}) }

// SetLossFrom loses a share, 0 to 1, of what is sent from a to b from now on, beside what Config.Loss takes. It panics when share
// makes no sense.
func (n *Network) SetLossFrom(a, b netip.Addr, share float64) {
	checkShares(share)
	n.faults.loss[direction{a, b}] = share
}

// Shuffle lets all that is sent within the next d take up to d longer, drawn for each copy: a burst arrives in any order.
func (n *Network) Shuffle(d time.Duration) {
	if d < 0 {
		panic("sim: what is sent arrives later")
	}
	n.faults.shuffle, n.faults.shuffling = d, n.now.Add(d)
}

// shuffled returns how much longer a copy takes that is sent now.
func (n *Network) shuffled() time.Duration {
	if !n.now.Before(n.faults.shuffling) {
		return 0
	}
	n.counts.Shuffled++
	return time.Duration(n.rng.Int64N(int64(n.faults.shuffle)))
}

// Move puts the host at other addresses, as a machine that comes into another network: it sends from there, and what is sent to
// the old ones is lost, what is under way to them too. The machine is told nothing. Move panics as Add does, and when
// the host is gone.
func (h *Host) Move(addrs ...netip.AddrPort) {
	if h.gone {
		panic("sim: a host that is gone cannot move")
	}
	h.leave()
	h.moveIn(addrs)
	h.n.counts.Moved++
}

// Skew sets the host's clock d ahead of the network's; less than 0: behind. All of the host's functions are given the time by its
// clock, and NextTimeout is by that clock. At and Now stay with the network's. Skew panics when
// the host is gone.
func (h *Host) Skew(d time.Duration) {
	if h.gone {
		panic("sim: a host that is gone has no clock")
	}
	h.skew = d
	h.n.counts.Skewed++
	h.armed = time.Time{} // it was set by the clock as it was
	h.settle()
}
