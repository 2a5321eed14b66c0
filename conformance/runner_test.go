package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
	"kith/conformance/lenient"
)

// plan chooses cases by globs.
func plan(t *testing.T, globs ...string) []*conformance.Case {
	t.Helper()
	p, err := conformance.Filter{Run: globs}.Plan(dhtcases.Suite())
	require.NoError(t, err)
	return p
}

// serve runs a machine on loopback for the length of a test.
func serve(t *testing.T, m conformance.Machine) conformance.Address {
	t.Helper()
	addr, stop, err := conformance.Serve(m)
	require.NoError(t, err)
	t.Cleanup(stop)
	return addr
}

func referenceNode(t *testing.T) conformance.Reference {
	t.Helper()
	m, err := conformance.NewReference(nil, conformance.Now())
	require.NoError(t, err)
	return m
}

func play(t *testing.T, r *conformance.Runner) *conformance.Summary {
	t.Helper()
	r.Suite = dhtcases.Suite()
	sum, err := r.Run(t.Context())
	require.NoError(t, err)
	return sum
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) conformance.Address {
	t.Helper()
	addr, stop, err := conformance.Serve(&mute{})
	require.NoError(t, err)
	stop()
	return addr
}

func TestAClosedPortIsNoticedAtOnce(t *testing.T) {
	sum := play(t, &conformance.Runner{Target: closedPort(t), Plan: plan(t, "dht-ping*"), Options: conformance.Options{Timeout: time.Minute}})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.Contains(t, sum.Footer.Why, "port is closed")
	require.False(t, sum.Footer.Whole)
	require.Empty(t, sum.Results)
}

func TestATargetThatIsNoneIsRefused(t *testing.T) {
	for name, m := range map[string]conformance.Machine{
		"says nothing": &mute{}, "echoes": &echo{}, "answers answers": &gossip{Machine: referenceNode(t)},
	} {
		sum := play(t, &conformance.Runner{Target: serve(t, m), Plan: plan(t, "dht-ping*"), Options: conformance.Options{Timeout: 50 * time.Millisecond}})
		require.Equal(t, conformance.ExitContract, sum.Exit(), name)
		require.NotEmpty(t, sum.Footer.Why)
		require.Empty(t, sum.Results, name)
	}
}

// Gate 0 for the one null target that needs a socket: every case is played, and none passes.
func TestAClosedPortPassesNothing(t *testing.T) {
	t.Parallel()
	all, err := conformance.Filter{Slow: true}.Plan(dhtcases.Suite())
	require.NoError(t, err)
	require.Len(t, all, len(dhtcases.Suite().Cases))
	target := closedPort(t)
	r := &conformance.Runner{Target: target, Plan: all, Parallel: 128, Rate: 1e6, Options: conformance.Options{Timeout: 10 * time.Millisecond}}
	sum := play(t, r.WithoutContract())
	require.Len(t, sum.Results, len(all))
	for _, res := range sum.Results {
		require.Contains(t, []conformance.Verdict{conformance.Fail, conformance.Warn, conformance.Info, conformance.Inconclusive, conformance.Blocked}, res.Verdict, res.Case.ID)
		require.Empty(t, res.Outcome.Fault, res.Case.ID)
	}
	require.NotEqual(t, conformance.ExitConformant, sum.Exit())
}

func TestAddressesOfStrangersAreRefused(t *testing.T) {
	for _, a := range []string{"8.8.8.8:6881", "[2001:db8::1]:6881"} {
		addr := netip.MustParseAddrPort(a)
		target := conformance.Address{V4: addr}
		if addr.Addr().Is6() {
			target = conformance.Address{V6: addr}
		}
		r := &conformance.Runner{Suite: dhtcases.Suite(), Target: target, Plan: plan(t, "dht-ping*")}
		_, err := r.Run(t.Context())
		require.ErrorIs(t, err, conformance.ErrUsage, a)
		require.ErrorContains(t, err, "--i-own-this-target")
	}
}

func TestTheReferenceConformsAndTheReportFitsItsSchema(t *testing.T) {
	var report bytes.Buffer
	dir := t.TempDir()
	sum := play(t, &conformance.Runner{
		Target: serve(t, referenceNode(t)), Plan: plan(t, "dht-ping*", "dht-not-query*", "dht-announce-token*", "dht-find-closest*"),
		Reports: writers(&report), Transcripts: dir,
	})
	require.Equal(t, conformance.ExitConformant, sum.Exit(), "%+v", sum.Footer)
	require.True(t, sum.Footer.Whole)
	checkReport(t, report.Bytes())
	back, err := conformance.ReadReport(&report)
	require.NoError(t, err)
	require.True(t, back.Whole())
	require.Len(t, back.Cases, len(sum.Results))
	require.NotEmpty(t, back.Header.Target.ID)

	// What was recorded over sockets is judged offline, to the same verdict.
	for _, res := range sum.Results {
		f, err := os.Open(res.Transcript)
		require.NoError(t, err)
		tr, err := conformance.ReadTranscript(f)
		require.NoError(t, err)
		f.Close()
		run, err := tr.Judge(dhtcases.Suite())
		require.NoError(t, err, res.Case.ID)
		require.Equal(t, res.Outcome, run.Outcome, res.Case.ID)
		require.Equal(t, res.Verdict, tr.Verdict)
	}
}

func TestATranscriptOfAnotherSeedIsNotJudged(t *testing.T) {
	dir := t.TempDir()
	sum := play(t, &conformance.Runner{Target: serve(t, referenceNode(t)), Plan: plan(t, "dht-ping"), Transcripts: dir})
	b, err := os.ReadFile(sum.Results[0].Transcript)
	require.NoError(t, err)
	tr, err := conformance.ReadTranscript(bytes.NewReader(b))
	require.NoError(t, err)
	tr.Seed++
	_, err = tr.Judge(dhtcases.Suite())
	var d conformance.Divergence
	require.ErrorAs(t, err, &d)
}

func TestATargetThatGoesAwayLeavesAReportThatSaysSo(t *testing.T) {
	var report bytes.Buffer
	m := &mortal{Machine: referenceNode(t)}
	m.left.Store(150)
	cases := plan(t, "dht-announce-*")
	sum := play(t, &conformance.Runner{
		Target: serve(t, m), Plan: cases, Parallel: 4, Reports: writers(&report), Options: conformance.Options{Timeout: 100 * time.Millisecond},
	})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.False(t, sum.Footer.Whole)
	require.Contains(t, sum.Footer.Why, "stopped answering")
	require.Len(t, sum.Results, len(cases))
	require.Zero(t, sum.Footer.Counts[conformance.Fail], "nobody knows whose fault it was")
	require.Positive(t, sum.Footer.Counts[conformance.Pass])
	require.Positive(t, sum.Footer.Counts[conformance.Inconclusive])
	checkReport(t, report.Bytes())
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	var report bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	r := &conformance.Runner{
		Suite: dhtcases.Suite(), Target: serve(t, referenceNode(t)), Plan: plan(t), Reports: writers(&report),
		Progress: after(3, cancel),
	}
	sum, err := r.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, conformance.ExitHarness, sum.Exit())
	require.Less(t, len(sum.Results), len(r.Plan))
	require.Equal(t, fmt.Sprintf("interrupted after %d of %d cases", len(sum.Results), len(r.Plan)), sum.Footer.Why, "what was known is told")
	checkReport(t, report.Bytes())
}

func TestAFullDiskLeavesWholeLines(t *testing.T) {
	for _, room := range []int64{10, 1500, 3000} {
		name := filepath.Join(t.TempDir(), "report.jsonl")
		f, err := os.Create(name)
		require.NoError(t, err)
		sum := play(t, &conformance.Runner{
			Target: serve(t, referenceNode(t)), Plan: plan(t, "dht-announce-*"), Reports: writers(&smallDisk{File: f, room: room}),
		})
		require.NoError(t, f.Close())
		require.Equal(t, conformance.ExitHarness, sum.Exit())
		require.Contains(t, sum.Footer.Why, "no space left")
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if len(b) == 0 {
			continue // not even the header had room
		}
		checkReport(t, b)
		back, err := conformance.ReadReport(bytes.NewReader(b))
		require.NoError(t, err)
		require.False(t, back.Whole())
		require.Contains(t, back.Why(), "no footer")
	}
}

// Who runs the suite again, without starting his node again, gets the same verdicts: with another seed because it asks for other things, and
// with the same seed because what the first run left behind is not held against the node.
func TestATargetMayBeJudgedAgain(t *testing.T) {
	target := serve(t, referenceNode(t))
	again := func(seed uint64) (verdicts map[conformance.Verdict]int) {
		sum := play(t, &conformance.Runner{
			Target: target, Plan: plan(t, "dht-put-*", "dht-find-*", "dht-own-ro", "dht-unasked*"), Options: conformance.Options{Seed: seed},
		})
		require.NotEqual(t, conformance.ExitHarness, sum.Exit(), "%+v", sum.Footer)
		return sum.Footer.Counts
	}
	first := again(1)
	require.Equal(t, len(plan(t, "dht-put-*", "dht-find-*", "dht-own-ro", "dht-unasked*")), first[conformance.Pass])
	require.Equal(t, first, again(2))
	same := again(1)
	require.Zero(t, same[conformance.Fail]+same[conformance.Warn], "%v", same)
	require.Positive(t, same[conformance.Inconclusive])
}

func TestExitCodes(t *testing.T) {
	target := serve(t, referenceNode(t))
	require.Equal(t, conformance.ExitVacuous, play(t, &conformance.Runner{Target: target, Plan: plan(t, "dht-ping"), MinExecuted: 100}).Exit())
	none := play(t, &conformance.Runner{Target: target, Plan: plan(t, "dht-get-*"), Profiles: []string{"bep5"}})
	require.Equal(t, conformance.ExitVacuous, none.Exit())
	require.Equal(t, none.Footer.Counts[conformance.Unsupported], len(none.Results))
	bad, quick := serve(t, &bent{Machine: referenceNode(t)}), conformance.Options{Timeout: 200 * time.Millisecond}
	sum := play(t, &conformance.Runner{Target: bad, Plan: plan(t, "dht-method-unknown*", "dht-ping*"), Options: quick})
	require.Equal(t, conformance.ExitConformant, sum.Exit(), "a SHOULD: %+v", sum.Footer)
	require.Positive(t, sum.Footer.Counts[conformance.Warn])
	require.Equal(t, conformance.ExitFailed, play(t, &conformance.Runner{Target: bad, Plan: plan(t, "dht-method-unknown*"), Strict: true, Options: quick}).Exit())
	_, err := (&conformance.Runner{Suite: dhtcases.Suite(), Target: target}).Run(t.Context())
	require.ErrorIs(t, err, conformance.ErrUsage)
}

func TestACommandThatCannotBeATarget(t *testing.T) {
	for line, want := range map[string]string{
		"/nonexistent/node {listen}": "cannot be started", "false {listen}": "before it answered",
	} {
		sum := play(t, &conformance.Runner{Command: &conformance.Command{Line: line}, Plan: plan(t, "dht-ping")})
		require.Equal(t, conformance.ExitContract, sum.Exit())
		require.Contains(t, sum.Footer.Why, want)
	}
	r := &conformance.Runner{Suite: dhtcases.Suite(), Command: &conformance.Command{Line: "node"}, Plan: plan(t, "dht-ping")}
	_, err := r.Run(t.Context())
	require.ErrorContains(t, err, "{listen}")
	r.Command = &conformance.Command{Line: "sh 'x {listen}"}
	_, err = r.Run(t.Context())
	require.ErrorIs(t, err, conformance.ErrUsage)

	// What answers before the target is started is not the target.
	sum := play(t, &conformance.Runner{Target: serve(t, referenceNode(t)), Command: &conformance.Command{Line: "false {listen}"}, Plan: plan(t, "dht-ping")})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.Contains(t, sum.Footer.Why, "already")
}

// Also a run that never began leaves a report that its schema takes.
func TestTheReportOfAClosedPort(t *testing.T) {
	var report bytes.Buffer
	sum := play(t, &conformance.Runner{
		Target: conformance.Address{V4: netip.MustParseAddrPort("127.0.0.1:9")}, Plan: plan(t, "dht-ping"), Reports: writers(&report),
	})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	checkReport(t, report.Bytes())
	back, err := conformance.ReadReport(&report)
	require.NoError(t, err)
	require.Contains(t, back.Why(), "port is closed")
}

func TestAFullDiskUnderTheTranscripts(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("this system has no device that is always full: %v", err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "dht-ping.jsonl")
	require.NoError(t, os.Symlink("/dev/full", name))
	sum := play(t, &conformance.Runner{Target: serve(t, referenceNode(t)), Plan: plan(t, "dht-ping"), Transcripts: dir})
	require.Equal(t, conformance.ExitHarness, sum.Exit())
	require.Contains(t, sum.Footer.Why, "no space left")
	_, err := os.Lstat(name)
	require.ErrorIs(t, err, os.ErrNotExist, "nothing that could be taken for a transcript stays")
}

func TestAFullDiskUnderTheTargetsLog(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("this system has no device that is always full: %v", err)
	}
	c := fragileCommand(t, "prints where it listens", "{listen}")
	c.Log = "/dev/full"
	sum := play(t, &conformance.Runner{Command: c, Plan: plan(t, "dht-ping*")})
	require.Equal(t, conformance.ExitHarness, sum.Exit())
	require.Contains(t, sum.Footer.Why, "no space left")
}

// checkReport validates every line against the published schema.
func checkReport(t *testing.T, report []byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(conformance.ReportSchema))
	require.NoError(t, err)
	require.NoError(t, c.AddResource("report.schema.json", doc))
	schema, err := c.Compile("report.schema.json")
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(report, []byte("\n")), "the last line is whole")
	for line := range bytes.Lines(report) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(v), "%s", line)
		require.True(t, json.Valid(line))
	}
}

// smallDisk has room for so many bytes.
type smallDisk struct {
	*os.File
	room int64
}

func (d *smallDisk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b[:min(int64(len(b)), d.room)])
	d.room -= int64(n)
	if err == nil && n < len(b) {
		err = errors.New("no space left on device")
	}
	return n, err
}

// mute says nothing, echo everything.
type mute struct{}

func (*mute) HandleDatagram(time.Time, netip.AddrPort, []byte)  {}
func (*mute) HandleTimeout(time.Time)                           {}
func (*mute) NextTimeout() (t time.Time)                        { return t }
func (*mute) Transmit() (a netip.AddrPort, b []byte, some bool) { return }

type echo struct {
	mute
	to netip.AddrPort
	b  []byte
}

func (e *echo) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	e.to, e.b = from, bytes.Clone(b)
}

func (e *echo) Transmit() (netip.AddrPort, []byte, bool) {
	b := e.b
	e.b = nil
	return e.to, b, b != nil
}

// gossip is a good node, but it answers answers.
type gossip struct {
	conformance.Machine
	to netip.AddrPort
	b  []byte
}

func (g *gossip) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if m, err := lenient.Parse(b); err == nil && m.Y == "r" {
		g.to, g.b = from, bytes.Clone(b)
	}
	g.Machine.HandleDatagram(now, from, b)
}

func (g *gossip) Transmit() (netip.AddrPort, []byte, bool) {
	if b := g.b; b != nil {
		g.b = nil
		return g.to, b, true
	}
	return g.Machine.Transmit()
}

// mortal hears so many datagrams and then no more.
type mortal struct {
	conformance.Machine
	left atomic.Int64
}

func (m *mortal) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if m.left.Add(-1) >= 0 {
		m.Machine.HandleDatagram(now, from, b)
	}
}

// bent is a good node that says nothing to a method it does not know.
type bent struct{ conformance.Machine }

func (m *bent) Transmit() (netip.AddrPort, []byte, bool) {
	for {
		to, b, ok := m.Machine.Transmit()
		if !ok || !bytes.Contains(b, []byte("1:eli204e")) {
			return to, b, ok
		}
	}
}
