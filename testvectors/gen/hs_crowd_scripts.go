package gen

import "fmt"

// crowdScripts have so many contacts that the limits over all of them are reached.
func crowdScripts() (out []vector) {
	name := func(i int) string { return fmt.Sprintf("friend %d", i) }
	crowd := func(n int) *play {
		p := newPlay()
		var all []friend
		for i := range n {
			all = append(all, friend{name: name(i)})
		}
		p.machine("bob", all...)
		return p
	}
	knock := func(p *play, i int, want string) (datagram string) {
		_, datagram = p.knockBy(name(i), "bob", p.now, nil)
		p.hear("bob", fmt.Sprintf("192.0.2.%d:6881", i+1), datagram, want)
		return datagram
	}
	// 24 offers for 12 contacts, one each millisecond; the 25th, for another one. From then on each contact gets one.
	turn := func() *play {
		p := crowd(14)
		for i := range 12 {
			for range 2 {
				p.wait(1)
				knock(p, i, offering)
			}
		}
		p.wait(1)
		knock(p, 12, offering)
		p.wait(1)
		return p
	}
	p := turn()
	p.say("a second knock of who got the 25th")
	knock(p, 12, "hs-offers-turn")
	knock(p, 13, offering)
	p.until(1001)
	p.say("25 are left, one of them of this contact")
	again := knock(p, 0, "hs-offers-turn")
	p.until(1002)
	p.say("24 are left: a second one for who got the 25th")
	knock(p, 12, offering)
	p.say("25 again, and none of them of this contact")
	p.hear("bob", "192.0.2.1:6881", again, offering)
	out = append(out, p.vector("hs-offers-turn/first", "25 fresh offers within one second: a contact that got one gets none, another one does", ""))

	p = crowd(40)
	for i := range 38 {
		knock(p, i, offering)
		if i < 12 {
			knock2(p, name(i), i)
		}
	}
	p.until(999)
	late := knock(p, 38, "hs-offers-all")
	p.until(1000)
	p.hear("bob", "192.0.2.39:6881", late, offering)
	return append(out, p.vector("hs-offers-all/fifty", "50 fresh offers in one millisecond, a knock 999 ms later, and the same a millisecond after that", ""))
}

// knock2 is a second fresh knock of the same millisecond, a millisecond newer.
func knock2(p *play, who string, i int) {
	_, datagram := p.knockBy(who, "bob", p.now+1, nil)
	p.hear("bob", fmt.Sprintf("192.0.2.%d:6881", i+1), datagram, offering)
}
