package handshake

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// inTheMiddle returns a machine that has of everything something.
func inTheMiddle(t *testing.T) *script {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	alice.converses("present", s.ms())
	s.jump(time.Second)
	alice.halfOpen("half", s.ms())
	id, knock := alice.begins()
	alice.offers(id, knock)
	alice.says(id, "hello")
	alice.knocks("unused", s.ms()+1)
	id, knock = carol.begins()
	o := carol.offer(knock)
	s.receive(carol.at, carol.seal(envelopeOfFragment(id, 1, o.Bytes[:])))
	s.outputs = nil
	return s
}

// Whatever changes changes the snapshot, but for what follows from the rest, from the time, or counts refusals.
func TestSnapshotCoversEverything(t *testing.T) {
	s := inTheMiddle(t)
	require.Equal(t, s.m.Snapshot(), inTheMiddle(t).m.Snapshot())
	exempt := regexp.MustCompile(`\.(pair|rand|inUse|id\.(signing|dh)|tags|timers|outputs|known|deadline|place|failures|OwnOffer\.(spk|rk|ek)|Friend|rank\.Initiator)\b`)
	w := walker{t, s.m, s.m.Snapshot(), exempt, 0}
	w.walk("", reflect.ValueOf(s.m).Elem())
	require.Greater(t, w.leaves, 4000) // byte for byte

	// And whether something is there.
	for _, change := range []func(*contact){
		func(c *contact) { c.attempt = nil },
		func(c *contact) { c.out = nil },
		func(c *contact) { c.offer = nil },
		func(c *contact) { c.offer.copies = nil },
		func(c *contact) { c.used = nil },
		func(c *contact) { c.half = nil },
		func(c *contact) { c.present = nil },
		func(c *contact) { c.attempt.to = append(c.attempt.to, c.attempt.to...) },
		func(c *contact) { c.attempt.hello = nil },
		func(c *contact) { c.out = append(c.out, c.out...) },
		func(c *contact) { c.used = append(c.used, c.used...) },
		func(c *contact) { c.half = append(c.half, c.half...) },
	} {
		s := inTheMiddle(t)
		before := s.m.Snapshot()
		change(s.m.contacts[person(t, "alice").PublicKey()])
		require.NotEqual(t, before, s.m.Snapshot())
	}
	s = inTheMiddle(t)
	before := s.m.Snapshot()
	s.m.fresh = nil
	require.NotEqual(t, before, s.m.Snapshot())
	s = inTheMiddle(t)
	s.m.Remove(person(t, "carol").PublicKey())
	require.NotEqual(t, before, s.m.Snapshot())
}

// A walker changes one leaf after the other and back.
type walker struct {
	t        *testing.T
	m        *Machine
	snapshot [32]byte
	exempt   *regexp.Regexp
	leaves   int
}

func (w *walker) walk(path string, v reflect.Value) {
	if w.exempt.MatchString(path) {
		return
	}
	if v.CanAddr() {
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() // fields that are not exported too
	}
	try := func(changed any) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.Set(reflect.ValueOf(changed).Convert(v.Type()))
		if w.snapshot == w.m.Snapshot() {
			w.t.Errorf("the snapshot does not show %s", path)
		}
		v.Set(old)
		w.leaves++
	}
	switch x := v.Interface().(type) {
	case time.Time:
		try(x.Add(time.Millisecond))
		return
	case netip.AddrPort:
		try(netip.AddrPortFrom(netip.IPv4Unspecified(), 1))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.walk(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			w.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			w.walk(fmt.Sprintf("%s[%x]", path, k.Interface()), v.MapIndex(k))
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		try(v.Uint() ^ 1)
	case reflect.Int64, reflect.Int:
		try(v.Int() ^ 1)
	case reflect.Func, reflect.Interface:
	default:
		w.t.Errorf("%s is a %v, which no test knows", path, v.Kind())
	}
}
