package testvectors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/shim"
)

// A leaf is one value of a vector that is no object and no list.
type leaf struct {
	field string
	value any
	set   func(any) // puts another value into its place
}

// leaves returns the values of a vector that decide something.
func leaves(v map[string]any) (all []leaf) {
	for _, part := range []string{"type", "secrets", "in", "draws", "steps", "outcome", "reason", "out", "intermediate"} {
		if value, ok := v[part]; ok {
			all = append(all, leavesOf(part, value, func(other any) { v[part] = other })...)
		}
	}
	return slices.DeleteFunc(all, func(l leaf) bool { return strings.HasSuffix(l.field, ".comment") })
}

func leavesOf(field string, value any, set func(any)) (all []leaf) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range sortedKeys(value) {
			all = append(all, leavesOf(field+"."+name, value[name], func(other any) { value[name] = other })...)
		}
		return all
	case []any:
		for i := range value {
			all = append(all, leavesOf(fmt.Sprintf("%s[%d]", field, i), value[i], func(other any) { value[i] = other })...)
		}
		return all
	}
	return []leaf{{field, value, set}}
}

var (
	hexForm     = regexp.MustCompile(`^([0-9a-f]{2})*$`)
	decimalForm = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	decimals    = regexp.MustCompile(`(^|\.)(seq|cas|port|num|interval|code|int|epoch|time|time_ms|now|now_ms|last|not_after|highest|taken|own|next_ms|ahead_ms|observed)(\[[0-9]+\])?$`)
)

// flips returns a value with one bit turned: at the beginning, in the middle and at the end of what is long; and what comes nearest to that where it
// is no hex.
func flips(l leaf) (all []any) {
	switch v := l.value.(type) {
	case bool:
		return []any{!v}
	case json.Number:
		i, _ := v.Int64()
		return []any{json.Number(fmt.Sprint(i ^ 1))}
	case nil:
		return []any{map[string]any{"v": "00"}}
	case string:
		switch {
		case l.field == "outcome":
			return slices.DeleteFunc([]any{"accept", "ignore", "drop", "abort"}, func(other any) bool { return other == v })
		case l.field == "reason" || strings.HasSuffix(l.field, ".reject"):
			return slices.DeleteFunc([]any{"malformed", "authentication", "replay", "state", "limit"}, func(other any) bool { return other == v })
		case decimals.MatchString(l.field) && decimalForm.MatchString(v):
			i, _ := new(big.Int).SetString(v, 10)
			return []any{i.Add(i, big.NewInt(1)).String()}
		case hexForm.MatchString(v):
			b, _ := hex.DecodeString(v)
			if len(b) == 0 {
				return []any{"00"}
			}
			places := slices.Compact([]int{0, len(b) / 2, len(b) - 1})
			if strings.HasPrefix(l.field, "steps") { // one of them: scripts are long, and each flip plays one from its beginning
				places = places[len(l.field)%len(places):][:1]
			}
			for _, at := range places {
				other := slices.Clone(b)
				other[at] ^= 1
				all = append(all, hex.EncodeToString(other))
			}
			return all
		case v == "":
			return []any{"x"}
		}
		return []any{v[:len(v)-1] + string(v[len(v)-1]^1)} // an address, a name, a label
	}
	return nil
}

// A judge notices, or does not, that a vector is not what it was.
type judge struct {
	pool   map[string]*Vector
	claims []string

	mu     sync.Mutex
	memory map[[sha256.Size]byte][]byte // what the reference answered last, by the hash of everything that it was asked
}

// ask asks the reference, and what it was asked before in the same words it remembers: most of a script is the same after a flip, and much is the same in
// other scripts.
func (j *judge) ask() Ask {
	var s *shim.Shim
	var said [][]byte
	var key [sha256.Size]byte
	return func(q []byte) (answer []byte, err error) {
		said = append(said, q)
		key = sha256.Sum256(append(key[:], q...))
		j.mu.Lock()
		answer, ok := j.memory[key]
		j.mu.Unlock()
		if ok {
			return answer, nil
		}
		if s == nil {
			s = shim.New()
		}
		for _, q := range said {
			answer = s.Answer(q)
		}
		said = nil
		j.mu.Lock()
		j.memory[key] = answer
		j.mu.Unlock()
		return answer, nil
	}
}

// notice says how it shows that a field of v is now as it stands in changed: by asking the reference, by the vector's form, or, as the last
// resort, only by comparing the file.
func (j *judge) notice(t *testing.T, v *Vector, changed map[string]any, field string) string {
	t.Helper()
	other, ok := rebuilt(t, v, changed, field)
	if !ok {
		return "form"
	}
	if j.verdict(&other) != Pass {
		return "asking"
	}
	if len(theSchema().Defs["vector"].check(changed, "")) > 0 {
		return "form"
	}
	return "comparison"
}

// rebuilt returns v with the part that a field belongs to read anew, and whether it can be read. To read all of it for each flip takes most of the time.
func rebuilt(t *testing.T, v *Vector, changed map[string]any, field string) (Vector, bool) {
	t.Helper()
	raw := func(part any) []byte {
		b, err := json.Marshal(part)
		require.NoError(t, err)
		return b
	}
	other, i := *v, 0
	part, _, _ := strings.Cut(strings.TrimSuffix(field, "]"), ".")
	switch {
	case strings.HasPrefix(field, "steps["):
		if _, err := fmt.Sscanf(field, "steps[%d]", &i); err != nil {
			panic(err)
		}
		var s Step
		if json.Unmarshal(raw(changed["steps"].([]any)[i]), &s) != nil {
			return other, false
		}
		other.Steps = slices.Clone(v.Steps)
		other.Steps[i] = s
	case part == "secrets":
		other.Secrets = nil
		return other, json.Unmarshal(raw(changed["secrets"]), &other.Secrets) == nil
	default:
		for name, to := range map[string]*json.RawMessage{"in": &other.In, "draws": &other.Draws, "out": &other.Out, "intermediate": &other.Intermediate} {
			if name == part {
				*to = raw(changed[part])
			}
		}
		for name, to := range map[string]*string{"type": &other.Type, "outcome": &other.Outcome, "reason": &other.Reason} {
			if name == part {
				*to = changed[part].(string)
			}
		}
	}
	return other, true
}

// verdict asks the reference one vector.
func (j *judge) verdict(v *Vector) Verdict {
	vectors := []Vector{*v}
	if twin := j.pool[v.Twin]; twin != nil {
		vectors = append(vectors, *twin)
	}
	return Verify(vectors, j.ask(), Options{Claims: j.claims, Select: func(of *Vector) bool { return of.ID == v.ID }}).Results[0].Verdict
}

// unnoticed are the reasons for which a flip may go unnoticed by asking; it shows when the file is compared with what was published. Each was
// looked at: the bits mean nothing by a rule of the spec, or the vector is about what a careless implementation makes of them.
var unnoticed = []struct {
	why string
	is  func(v *Vector, field string) bool
}{
	{why: "bytes of keys and entries that have to be passed over", is: func(v *Vector, field string) bool {
		return field == "in.input" && v.Outcome == Accept && hasPrefix(v.ID, "wire-unknown-key-", "wire-kind-decides-", "wire-values-mixed-", "wire-datagram-")
	}},
	{why: "bytes of a put or a reply that are not the item's: a target that means nothing, the sender's token", is: func(v *Vector, field string) bool {
		return field == "in.input" && hasPrefix(v.ID, "dht-put-immutable-deployed", "dht-lookup-verify-")
	}},
	{why: "a target under which there is nothing, as under others", is: func(v *Vector, field string) bool {
		nothing := v.Type == "dht.put" && v.Outcome != Accept && strings.Contains(string(v.Out), `"after":null`)
		return field == "in.input" && hasPrefix(v.ID, "dht-get-nothing-") || field == "in.target" && nothing
	}},
	{why: "BEP 42's hash stands inside one call of package dht, so the reference does not show it; dht/vectors_test.go checks it", is: func(v *Vector, field string) bool {
		return v.Type == "dht.node-id" && strings.HasPrefix(field, "intermediate.")
	}},
	{why: "bits of an address that BEP 42's mask leaves out, or that stay in an exempt network", is: func(v *Vector, field string) bool {
		return field == "in.address" && strings.HasPrefix(v.Type, "dht.node-id")
	}},
	{why: "bits of an id that are free, or all of them: of an exempt address, or of one that does not fit", is: func(v *Vector, field string) bool {
		return field == "in.node_id" && v.Type == "dht.node-id-check"
	}},
	{why: "a time or a number that decides at its bounds only, which have vectors of their own", is: func(v *Vector, field string) bool {
		return hasPrefix(v.Type, "rv.record-open", "rv.epoch", "rv.seq", "hs.rank", "hs.offer-check", "hs.accept-make", "hs.envelope-open") &&
			hasPrefix(field, "in.now", "in.now_ms", "in.highest", "in.last", "in.time", "in.observed", "in.a.time_ms", "in.b.time_ms") ||
			v.Type == Script && hasSuffix(field, ".in.now_ms", ".taken", ".own")
	}},
	{why: "whence a datagram came that is not answered, and contacts that do nothing", is: func(v *Vector, field string) bool {
		return v.Type == Script && hasSuffix(field, ".in.from", ".friend")
	}},
	{why: "a draw that does not count where last + 1 is greater", is: func(v *Vector, field string) bool {
		return v.Type == "rv.seq" && field == "draws.jitter"
	}},
	{why: "a key that is only compared, or moves a phase by less than there is to the next edge", is: func(v *Vector, field string) bool {
		return v.Type == "hs.rank" && strings.HasSuffix(field, ".IK_I") || v.Type == "rv.contact" && field == "in.own" ||
			v.Type == "hs.envelope-open" && strings.HasPrefix(field, "in.friends[") || v.Type == "rv.epoch" && (field == "in.seed" || field == "in.friend")
	}},
	{why: "bits that X25519 clamps, the half of an ML-KEM seed that only a rejection uses, the ratchet's key, which accepting does not use", is: func(v *Vector, field string) bool {
		return v.Type == "rv.x25519" && field == "in.private" || hasPrefix(v.Type, "hs.offer-make", "hs.accept-") && hasPrefix(field, "in.spk", "in.rk", "in.ek", "draws.spk", "draws.rk", "draws.ek", "draws.e") ||
			v.Type == Script && hasSuffix(field, ".draws.spk", ".draws.rk", ".draws.ek", ".draws.e")
	}},
	{why: "a message that a script has refused on its way: with another bit it does not open either", is: func(v *Vector, field string) bool {
		last := strings.HasPrefix(field, fmt.Sprintf("steps[%d].", len(v.Steps)-1)) // which is what the vector is about
		return v.Type == Script && inRefusedStep(v, field) && !last && hasSuffix(field, ".in.message", ".in.datagram")
	}},
	{why: "frames that are passed over: of later versions, out of the window, held and not delivered, refused as too long, of no effect", is: func(v *Vector, field string) bool {
		return v.Type == "pc.frames" && field == "in.input" && hasPrefix(v.ID, "peer-frame-cut-left-", "peer-frame-later-") ||
			v.Type == "pc.receive" && strings.HasPrefix(field, "in.plaintexts[") && hasPrefix(v.ID, "peer-ack-form-6", "peer-ack-form-holes", "peer-hold-full", "peer-message-outside-",
				"peer-message-refused-60001", "peer-message-refused-64-parts", "peer-message-refused-type-waits", "peer-pong-pong")
	}},
	{why: "the half of a hello that is for the other direction, and a stream that another one is not", is: func(v *Vector, field string) bool {
		return v.Type == "pc.receive" && strings.HasPrefix(field, "in.plaintexts[") && hasPrefix(v.ID, "peer-stream-", "peer-deliver-once-one") ||
			v.Type == "pc.send" && (strings.HasPrefix(field, "in.plaintexts[") || field == "in.stream") && hasPrefix(v.ID, "peer-window-first", "peer-id-heard-", "peer-stream-restored-")
	}},
	{why: "streams that are forgotten, or that are not the one of the last hello", is: func(v *Vector, field string) bool {
		return strings.HasPrefix(field, "in.streams[") && hasPrefix(v.ID, "peer-hello-form-several", "peer-stream-new-17", "peer-stream-new-oldest-again")
	}},
	{why: "messages beyond what may be sent, or where the lowest id decides", is: func(v *Vector, field string) bool {
		return v.Type == "pc.hello" && field == "in.given" || v.Type == "pc.send" && (field == "in.acknowledged" || field == "in.given" || field == "in.queued")
	}},
	{why: "what ends a conversation, or is dropped, whatever else is wrong with it", is: func(v *Vector, field string) bool {
		return v.Outcome == "abort" && strings.HasPrefix(field, "in.plaintexts[") || hasPrefix(v.ID, "peer-open-replay-id", "peer-datagram-size-") && hasSuffix(field, ".in.datagram")
	}},
	{why: "what stands in a field that is passed over, or in one of too many endpoints", is: func(v *Vector, field string) bool {
		return v.Type == "hs.knock-read" && field == "in.knock" && strings.HasPrefix(v.ID, "hs-knock-fields-field-") || v.Outcome != Accept && strings.HasPrefix(field, "in.endpoints[")
	}},
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

func hasSuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(p string) bool { return strings.HasSuffix(s, p) })
}

// Every hex field of every vector, flipped, is noticed, and so is every number and every word that decides. What is refused stays refused when
// the bits that do not matter are others; there a field counts when the twin's value in its place is noticed, or it in the twin's; or when the twin, or
// an accepted step of the same script, has the same, where it is flipped as well. Of hundreds of steps, or of datagrams, that are alike one field of 17 is flipped.
func TestEveryFlipIsNoticed(t *testing.T) {
	f := &flipping{judge: judge{pool: map[string]*Vector{}, claims: everything(t), memory: map[[sha256.Size]byte][]byte{}}, counts: map[string]int{}, excuses: make([]int, len(unnoticed))}
	vectors := all(t)
	for i := range vectors {
		f.pool[vectors[i].ID] = &vectors[i]
	}
	t.Logf("one vector of %d is flipped", flipEvery)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(vectors)); i = next.Add(1) - 1 {
				if i%flipEvery == 0 {
					f.vector(t, &vectors[i])
				}
			}
		})
	}
	workers.Wait()
	for _, by := range slices.Sorted(maps.Keys(f.counts)) {
		t.Logf("%6d noticed by %s", f.counts[by], by)
	}
	for i, e := range unnoticed {
		t.Logf("%6d of them: %s", f.excuses[i], e.why)
		require.True(t, f.excuses[i] > 0 || flipEvery > 1, "a reason that excuses nothing: %s", e.why)
	}
}

// A flipping counts who noticed.
type flipping struct {
	judge
	mu      sync.Mutex
	counts  map[string]int
	excuses []int // of the reasons in unnoticed
}

func (f *flipping) count(by string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[by]++
}

func (f *flipping) excused(v *Vector, field string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, e := range unnoticed {
		if e.is(v, field) {
			f.excuses[i]++
			return true
		}
	}
	return false
}

// vector flips everything in one vector.
func (f *flipping) vector(t *testing.T, v *Vector) {
	if f.verdict(v) != Pass {
		f.count("nobody: the reference does not answer " + v.Type) // which the reference's own tests do not let pass
		return
	}
	doc := document(t, v.raw).(map[string]any)
	twins, elsewhere := map[string]leaf{}, map[any]int{}
	var twinDoc map[string]any
	if twin := f.pool[v.Twin]; twin != nil {
		twinDoc = document(t, twin.raw).(map[string]any)
		for _, l := range leaves(twinDoc) {
			twins[l.field] = l
			elsewhere[l.value]++
		}
	}
	for _, l := range leaves(doc) {
		if strings.HasPrefix(l.field, "steps") && !inRefusedStep(v, l.field) {
			elsewhere[l.value]++
		}
	}
	many := len(v.Steps) > 100 || v.Type == "pc.receive" && bytes.Count(v.In, []byte(",")) > 100
	for i, l := range leaves(doc) {
		if many && i%17 != 0 {
			continue
		}
		for _, other := range flips(l) {
			l.set(other)
			by := f.notice(t, v, doc, l.field)
			refused := v.Outcome != Accept || inRefusedStep(v, l.field)
			if by == "comparison" && refused && elsewhere[l.value] > 0 {
				by = "the twin or another step, which has the same"
			}
			if twin, ok := twins[l.field]; by == "comparison" && refused && ok {
				if l.set(twin.value); f.notice(t, v, doc, l.field) != "comparison" {
					by = "the twin's value in its place"
				} else if twin.set(l.value); f.notice(t, f.pool[v.Twin], twinDoc, l.field) != "comparison" {
					by = "it in the place of the twin's value"
				}
				twin.set(twin.value)
			}
			if by == "comparison" && !f.excused(v, l.field) {
				t.Errorf("%s: %s %s: nobody notices %s: %s for %s", v.ID, v.Type, v.Outcome, l.field, brief(other), brief(l.value))
			}
			f.count(by)
			l.set(l.value)
		}
	}
}

// inRefusedStep reports whether a field belongs to a step of a script that has to be refused.
func inRefusedStep(v *Vector, field string) bool {
	var i int
	_, err := fmt.Sscanf(field, "steps[%d]", &i)
	return err == nil && v.Steps[i].Reject != ""
}
