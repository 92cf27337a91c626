package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A script says how a scripted subject behaves in one attempt. The zero value behaves well.
type script struct {
	up          error // the testbed does not come up
	boot        error
	mute        bool // the agent's heart does not beat
	prepare     error
	migrate     error
	hang        bool // the migration ends only when it is cancelled
	dies        bool // the guest ends during the migration
	corrupt     int64
	diskCorrupt int64
	drops       float64 // frames that the capture drops
	probe       error   // a probe fails in the middle
	down        error
	onAction    func() // called when the action begins
	onDown      func() // called when the testbed is taken down
	onCut       func(link string)
	onMend      func(link string)
	mend        error
	onProbed    func() // called when the probe was told to end
	onStop      func() // called when the workload is told to stop

	fleet fleetScript
	vault func(*fakeSite) Vault
}

// A fakeLab runs one script after the other and counts what is up.
type fakeLab struct {
	scripts []script
	ups     int
	open    atomic.Int64 // sites and guests that were not given back
}

func (l *fakeLab) Up(context.Context, plan.Trial, string) (Site, error) {
	s := l.scripts[min(l.ups, len(l.scripts)-1)]
	l.ups++
	if s.up != nil {
		return nil, s.up
	}
	l.open.Add(1)
	site := &fakeSite{lab: l, script: s}
	site.fleet = &fakeFleet{site: site}
	return site, nil
}

type fakeSite struct {
	lab    *fakeLab
	script script
	fleet  *fakeFleet
}

type fakeHost struct {
	host.Host
	name string
}

func (h fakeHost) Name() string { return h.name }

func (s *fakeSite) Source() host.Host                         { return fakeHost{name: "src"} }
func (s *fakeSite) Destination() host.Host                    { return fakeHost{name: "dst"} }
func (s *fakeSite) Driver() guest.Driver                      { return &fakeDriver{s} }
func (s *fakeSite) Fleet() Fleet                              { return s.fleet }
func (s *fakeSite) KillHost(context.Context, host.Host) error { return nil }
func (s *fakeSite) Vault() Vault {
	if s.script.vault == nil {
		return nil
	}
	return s.script.vault(s)
}

func (s *fakeSite) Start(ctx context.Context, rec results.Recorder) (guest.Instance, error) {
	return s.Driver().Boot(ctx, s.Source(), guest.Spec{}, rec)
}
func (s *fakeSite) Migration() guest.MigrateOptions { return guest.MigrateOptions{} }
func (s *fakeSite) Clocks(context.Context) ([]results.Record, error) {
	return []results.Record{{Name: results.ClockOffset, Unit: results.Seconds, Attrs: map[string]string{"host": "src", "bound": "0"}}}, nil
}

func (s *fakeSite) Facts(context.Context) ([]results.Fact, error) {
	return []results.Fact{{Subject: "src", Name: "fake", Value: "yes"}}, nil
}

func (s *fakeSite) Warnings() []string { return nil }

func (s *fakeSite) Links(context.Context) ([]results.Record, error) { return nil, nil }

func (s *fakeSite) Background(context.Context, results.Recorder) (func() error, error) {
	return func() error { return nil }, nil
}

func (s *fakeSite) Cut(_ context.Context, link string, _ host.Host) (func(context.Context) error, error) {
	if s.script.onCut != nil {
		s.script.onCut(link)
	}
	return func(context.Context) error {
		if s.script.onMend != nil {
			s.script.onMend(link)
		}
		return s.script.mend
	}, nil
}

func (s *fakeSite) Probes(func() []guest.Process) ([]probes.Probe, error) {
	return []probes.Probe{fakeProbe{s.script}}, nil
}

func (s *fakeSite) Down(context.Context) error {
	if s.script.onDown != nil {
		s.script.onDown()
	}
	s.lab.open.Add(-1)
	return s.script.down
}

type fakeProbe struct{ script script }

func (fakeProbe) Name() string { return results.SourceCaptureSwitch }

func (p fakeProbe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	armed()
	if p.script.probe != nil {
		return p.script.probe
	}
	<-ctx.Done()
	if p.script.onProbed != nil {
		p.script.onProbed()
	}
	rec.Record(results.Record{Source: results.SourceCaptureSwitch, Name: results.CaptureDropped, Value: p.script.drops, Unit: results.One})
	return nil
}

type fakeDriver struct{ site *fakeSite }

func (d *fakeDriver) Name() string { return "fake" }
func (d *fakeDriver) Fingerprint(context.Context, host.Host, guest.Spec) (guest.Capabilities, error) {
	return guest.Capabilities{}, nil
}

func (d *fakeDriver) Boot(_ context.Context, _ host.Host, _ guest.Spec, rec results.Recorder) (guest.Instance, error) {
	s := d.site.script
	if s.boot != nil {
		return nil, s.boot
	}
	return newFakeInstance(d.site, rec, nil), nil
}

// newFakeInstance makes a guest that is up. Identity is what it says of itself; nil is nothing.
func newFakeInstance(site *fakeSite, rec results.Recorder, identity *agent.Identity) *fakeInstance {
	site.lab.open.Add(1)
	i := &fakeInstance{lab: site.lab, script: site.script, rec: rec, identity: identity, done: make(chan struct{})}
	i.agent = agent.NewClient(guest.AgentReporter(rec))
	ours, theirs := net.Pipe()
	i.agent.Attach("src", ours)
	i.agent.Use("src")
	go i.serve(theirs)
	return i
}

type fakeInstance struct {
	lab    *fakeLab
	script script
	rec    results.Recorder
	agent  *agent.Client

	identity *agent.Identity

	done   chan struct{}
	once   sync.Once
	closed sync.Once
}

// serve answers as the guest's agent would.
func (i *fakeInstance) serve(conn net.Conn) {
	say := func(m agent.Message) {
		line, _ := json.Marshal(m)
		_, _ = conn.Write(append(line, '\n'))
	}
	say(agent.Message{Mono: 1, Hello: &agent.Hello{Version: agent.Version}})
	if !i.script.mute {
		say(agent.Message{Mono: 1, Heartbeat: &agent.Heartbeat{Seq: 1}})
	}
	in := bufio.NewScanner(conn)
	for in.Scan() {
		var r agent.Request
		if json.Unmarshal(in.Bytes(), &r) != nil {
			continue
		}
		m := agent.Message{ID: r.ID, Mono: 2}
		switch r.Op {
		case agent.OpVerify:
			m.Verdict = &agent.Verdict{Verified: 4096, Corrupt: i.script.corrupt, DiskVerified: 8192, DiskCorrupt: i.script.diskCorrupt, Detail: "as found"}
		case agent.OpStop:
			if i.script.onStop != nil {
				i.script.onStop()
			}
			m.Progress = &agent.Progress{}
		case agent.OpIdentity:
			m.Identity = i.identity
		case agent.OpUnits:
			if say := i.script.fleet.units; say != nil {
				u, err := say()
				if m.Units = u; err != nil {
					m.Error = err.Error()
				}
			}
		case agent.OpHello:
			m.Hello = &agent.Hello{Version: agent.Version}
		}
		say(m)
	}
}

func (i *fakeInstance) Host() host.Host            { return fakeHost{name: "src"} }
func (i *fakeInstance) Processes() []guest.Process { return nil }
func (i *fakeInstance) Done() <-chan struct{}      { return i.done }
func (i *fakeInstance) Agent() *agent.Client       { return i.agent }
func (i *fakeInstance) end()                       { i.once.Do(func() { close(i.done) }) }
func (i *fakeInstance) Close() error {
	i.end()
	i.closed.Do(func() { i.lab.open.Add(-1) })
	return i.agent.Close()
}

func (i *fakeInstance) PrepareMigration(context.Context, host.Host, guest.MigrateOptions) (guest.Migration, error) {
	return &fakeMigration{i}, i.script.prepare
}

type fakeMigration struct{ i *fakeInstance }

func (m *fakeMigration) Run(ctx context.Context) error {
	s := m.i.script
	if s.onAction != nil {
		s.onAction()
	}
	if s.dies {
		m.i.end()
	}
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.migrate
}

// quiet is a Progress that counts.
type quiet struct {
	mu     sync.Mutex
	states []string
	done   []results.Verdict
}

func (q *quiet) Trial(plan.Trial, int, int, time.Duration) {}
func (q *quiet) Event(results.Record)                      {}
func (q *quiet) State(s string, _ time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.states = append(q.states, s)
}

func (q *quiet) Done(o results.Outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.done = append(q.done, o.Verdict)
}

// testPlan has n trials with short observations and one retry.
func testPlan(n int) *plan.Plan {
	p := &plan.Plan{}
	for i := range n {
		retries := 1
		s := &spec.Experiment{
			Action: spec.Action{Migrate: new(spec.DefaultMigrate())},
			Warmup: spec.Duration(time.Millisecond), Baseline: spec.Duration(time.Millisecond),
			Quiesce: spec.Duration(time.Millisecond), Timeout: spec.Duration(20 * time.Second), Retries: &retries,
		}
		id := string(rune('a' + i))
		p.Trials = append(p.Trials, plan.Trial{Trial: results.Trial{ID: id, Order: i + 1, Treatment: "t", Replicate: i + 1}, Spec: s, Estimate: time.Second})
	}
	return p
}

func testRun(t *testing.T, p *plan.Plan) *results.Run {
	t.Helper()
	var list []results.Trial
	for _, trial := range p.Trials {
		list = append(list, trial.Trial)
	}
	r, err := results.Create(t.TempDir(), results.Manifest{Format: results.ManifestFormat, Run: "r", Name: "n"}, nil, list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var errOurs = errors.New("our fault")
