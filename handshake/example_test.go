package handshake_test

import (
	"fmt"
	"net/netip"
	"time"

	"kith/handshake"
)

// A whole handshake: alice reaches bob. What a socket would carry is handed over here, and for what the ratchets would say stand words.
func Example() {
	now := time.Unix(1_800_000_000, 0)
	alice, aliceKey := newMachine(1, now)
	bob, bobKey := newMachine(2, now)
	alicesPlace, bobsPlace := netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("192.0.2.2:6881")
	check(alice.Add(bobKey, 0, 0))
	check(bob.Add(aliceKey, 0, 0))

	check(alice.Begin(now, bobKey, bobsPlace))
	take(alice, handshake.OutputPersist)
	knock := take(alice, handshake.OutputTransmit)
	fmt.Println("alice sends", knock.To, "a knock of", len(knock.Datagram), "bytes")

	check(bob.HandleDatagram(now, alicesPlace, knock.Datagram))
	take(bob, handshake.OutputPersist)
	for range 2 {
		offer := take(bob, handshake.OutputTransmit)
		fmt.Println("bob sends", offer.To, "half an offer,", len(offer.Datagram), "bytes")
		check(alice.HandleDatagram(now, bobsPlace, offer.Datagram))
	}

	// Alice's ratchet begins with this session. Its first message goes out behind the accept.
	alices := take(alice, handshake.OutputSession)
	check(alice.Hello(now, alices.ID, []byte("hello")))
	accept, hello := take(alice, handshake.OutputTransmit), take(alice, handshake.OutputTransmit)
	fmt.Printf("alice sends %v an accept of %d bytes, and %q\n", accept.To, len(accept.Datagram), hello.Datagram)

	// Bob's ratchet begins with the same. When it has opened alice's message, they are in a conversation.
	check(bob.HandleDatagram(now, alicesPlace, accept.Datagram))
	bobs := take(bob, handshake.OutputSession)
	check(bob.Opened(now, bobs.ID))
	take(bob, handshake.OutputFinished)

	// Bob's ratchet sends its first message, and alice's opens it.
	check(alice.Opened(now, alices.ID))
	take(alice, handshake.OutputFinished)

	a, b := alices.Session, bobs.Session
	fmt.Println("one secret:", a.RK == b.RK && a.HKI == b.HKI && a.NHKR == b.NHKR && a.CIDK == b.CIDK && a.AD == b.AD)
	fmt.Println("one ratchet key:", a.RatchetKey == handshake.X25519Public(&b.RatchetKey))
	a.Erase()
	b.Erase()

	// Output:
	// alice sends 192.0.2.2:6881 a knock of 1232 bytes
	// bob sends 192.0.2.1:6881 half an offer, 729 bytes
	// bob sends 192.0.2.1:6881 half an offer, 729 bytes
	// alice sends 192.0.2.2:6881 an accept of 1220 bytes, and "hello"
	// one secret: true
	// one ratchet key: true
}

// newMachine returns a machine for an identity with a seed from crypto/rand, but for this example.
func newMachine(seed byte, now time.Time) (*handshake.Machine, handshake.PublicKey) {
	id, err := handshake.NewIdentity(append(make([]byte, handshake.SeedSize-1), seed))
	check(err)
	m, err := handshake.New(handshake.Config{Identity: id})
	check(err)
	return m, id.PublicKey()
}

// take returns the next output, of which the example knows what it is.
func take(m *handshake.Machine, kind handshake.OutputKind) handshake.Output {
	out, ok := m.Output()
	if !ok || out.Kind != kind {
		panic(fmt.Sprint("output of another kind: ", out.Kind))
	}
	return out
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
