package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
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

// A lifeScript says how a guest that is saved and fails behaves. The zero value behaves well.
type lifeScript struct {
	saveTakes  time.Duration
	saveFails  error         // of the second checkpoint
	dies       bool          // the guest ends in the second checkpoint
	careless   bool          // a damaged checkpoint is restored
	restore    error         // of every restore
	stall      time.Duration // the guest is silent for so long, once, when it was saved first
	deafAlways bool          // no echo is ever heard
	hearAlways bool          // echoes are heard from the dead, too
}

// A lifeLab makes sites whose guests work, are saved, fail and come back, by a script that knows what is true.
type lifeLab struct {
	script lifeScript
	open   atomic.Int64
	site   *lifeSite
}

func (l *lifeLab) Up(context.Context, plan.Trial, string) (Site, error) {
	l.open.Add(1)
	l.site = &lifeSite{lab: l, saved: map[string]int64{}, cut: map[string]bool{}}
	l.site.fakeSite = &fakeSite{lab: &fakeLab{}}
	return l.site, nil
}

type lifeSite struct {
	*fakeSite
	lab *lifeLab
	rec results.Recorder

	mu      sync.Mutex
	now     *lifeGuest
	started int
	cut     map[string]bool
	saved   map[string]int64 // by checkpoint, the guest's count of work
	damaged string
}

func (s *lifeSite) Vault() Vault { return s }
func (s *lifeSite) Down(context.Context) error {
	s.lab.open.Add(-1)
	return nil
}

func (s *lifeSite) Start(_ context.Context, rec results.Recorder) (guest.Instance, error) {
	s.rec = rec
	return s.start("src", 0, rec), nil
}

func (s *lifeSite) KillHost(_ context.Context, h host.Host) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.host != h.Name() {
		return fmt.Errorf("the guest does not run on %s", h.Name())
	}
	return s.now.Kill()
}

func (s *lifeSite) CutHost(_ context.Context, link string, h host.Host) (func(context.Context) error, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut[h.Name()] || s.now.host != h.Name() || link != lanLink {
		return nil, fmt.Errorf("cut %s of %s", link, h.Name())
	}
	s.cut[h.Name()] = true
	return func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cut, h.Name())
		return nil
	}, nil
}

func (s *lifeSite) Probes(func() []guest.Process) ([]probes.Probe, error) {
	return []probes.Probe{lifeProbe{s}}, nil
}

// A lifeProbe hears the guest as a client would.
type lifeProbe struct{ site *lifeSite }

func (lifeProbe) Name() string { return results.SourceEcho }
func (p lifeProbe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	armed()
	for sleep(ctx, 2*time.Millisecond) {
		p.site.mu.Lock()
		heard := !p.site.cut[p.site.now.host] && !ended(p.site.now) && !p.site.now.stalls.Load()
		p.site.mu.Unlock()
		if (heard || p.site.lab.script.hearAlways) && !p.site.lab.script.deafAlways {
			rec.Record(results.Record{Source: results.SourceEcho, Name: results.EchoHeard})
		}
	}
	return nil
}

func (s *lifeSite) start(on string, work int64, rec results.Recorder) *lifeGuest {
	s.lab.open.Add(1)
	g := &lifeGuest{site: s, host: on, done: make(chan struct{})}
	g.work.Store(work)
	g.agent = agent.NewClient(guest.AgentReporter(rec))
	ours, theirs := net.Pipe()
	g.agent.Attach(on, ours)
	g.agent.Use(on)
	go g.serve(theirs)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil && !ended(s.now) {
		rec.Record(results.Record{Name: "two guests at once"})
	}
	s.now = g
	s.started++
	return g
}

// Save implements Vault.
func (s *lifeSite) Save(ctx context.Context, i guest.Instance, n int, _ func(), rec results.Recorder) (string, error) {
	g, script, id := i.(*lifeGuest), s.lab.script, fmt.Sprintf("c%d", n)
	record := func(name string, attrs map[string]string) {
		attrs["checkpoint"] = id
		rec.Record(results.Record{Time: time.Now().UnixNano(), Source: results.SourceRunner, Name: name, Attrs: attrs})
	}
	record(results.CheckpointBegin, map[string]string{})
	rec.Record(results.Record{Source: results.SourceQMP, Name: results.CheckpointFreeze}) // as a driver does: it knows no id
	work := g.work.Load()
	if script.dies && n == 2 {
		_ = g.Kill()
	}
	err := error(nil)
	select {
	case <-time.After(script.saveTakes):
		if n == 2 {
			err = script.saveFails
		}
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-g.done:
		err = errors.New("the monitor is gone")
	}
	if err != nil {
		record(results.CheckpointEnd, map[string]string{"error": err.Error()})
		return "", err
	}
	s.mu.Lock()
	s.saved[id] = work
	s.mu.Unlock()
	record(results.CheckpointEnd, map[string]string{})
	if script.stall > 0 && n == 1 {
		g.stalls.Store(true)
		time.AfterFunc(script.stall, func() { g.stalls.Store(false) })
	}
	return id, nil
}

func (s *lifeSite) Verify(_ context.Context, id string, rec results.Recorder) error {
	rec.Record(results.Record{Source: results.SourceRunner, Name: results.CheckpointVerified, Attrs: map[string]string{"checkpoint": id}})
	return nil
}

func (s *lifeSite) Damage(_ context.Context, id, _ string, rec results.Recorder) error {
	rec.Record(results.Record{Source: results.SourceRunner, Name: results.CheckpointDamaged, Attrs: map[string]string{"checkpoint": id}})
	s.damaged = id
	return nil
}

func (s *lifeSite) Restore(_ context.Context, id string, h host.Host, rec results.Recorder) (guest.Instance, error) {
	if s.damaged == id && !s.lab.script.careless {
		rec.Record(results.Record{Source: results.SourceRunner, Name: results.CheckpointRefused, Attrs: map[string]string{"checkpoint": id}})
		return nil, &guest.OutcomeError{Reason: "refused"}
	}
	if s.lab.script.restore != nil {
		return nil, s.lab.script.restore
	}
	s.mu.Lock()
	work, ok := s.saved[id]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no checkpoint %q", id)
	}
	return s.start(h.Name(), work, rec), nil
}

// A lifeGuest counts what it has done, and says so while it lives.
type lifeGuest struct {
	site   *lifeSite
	host   string
	agent  *agent.Client
	work   atomic.Int64
	stalls atomic.Bool
	done   chan struct{}
	dead   sync.Once
	closed sync.Once
}

func (g *lifeGuest) serve(conn net.Conn) {
	var mu sync.Mutex
	say := func(m agent.Message) {
		mu.Lock()
		defer mu.Unlock()
		if line, _ := json.Marshal(m); !ended(g) {
			_, _ = conn.Write(append(line, '\n'))
		}
	}
	say(agent.Message{Mono: 1, Hello: &agent.Hello{Version: agent.Version}})
	go func() {
		for seq := int64(1); !ended(g); seq++ {
			if !g.stalls.Load() {
				say(agent.Message{Mono: g.work.Load(), Heartbeat: &agent.Heartbeat{Seq: seq}})
				say(agent.Message{Mono: g.work.Load(), Progress: &agent.Progress{Dirtied: g.work.Load()}})
				g.work.Add(1)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	in := bufio.NewScanner(conn)
	for in.Scan() {
		var r agent.Request
		if json.Unmarshal(in.Bytes(), &r) != nil {
			continue
		}
		m := agent.Message{ID: r.ID, Mono: 2}
		switch r.Op {
		case agent.OpVerify:
			m.Verdict = &agent.Verdict{Verified: 4096}
		case agent.OpStop:
			m.Progress = &agent.Progress{Dirtied: g.work.Load()}
		case agent.OpHello:
			m.Hello = &agent.Hello{Version: agent.Version}
		}
		say(m)
	}
}

func (g *lifeGuest) Host() host.Host            { return fakeHost{name: g.host} }
func (g *lifeGuest) Processes() []guest.Process { return nil }
func (g *lifeGuest) Done() <-chan struct{}      { return g.done }
func (g *lifeGuest) Agent() *agent.Client       { return g.agent }
func (g *lifeGuest) Kill() error                { g.dead.Do(func() { close(g.done) }); return nil }
func (g *lifeGuest) Close() error {
	_ = g.Kill()
	g.closed.Do(func() { g.site.lab.open.Add(-1) })
	return g.agent.Close()
}

func (g *lifeGuest) Save(context.Context, guest.SaveOptions) (guest.Saved, error) {
	return guest.Saved{}, errors.New("the vault of these tests asks nobody")
}

// lives runs one trial of an action and returns how it ended, and what was recorded in order.
func lives(t *testing.T, l *lifeLab, a spec.Action) (results.Outcome, []results.Record) {
	t.Helper()
	p := testPlan(1)
	p.Trials[0].Spec.Action = a
	p.Trials[0].Spec.Retries = new(0)
	// The heart must beat before the action; a busy machine may need a moment.
	p.Trials[0].Spec.Baseline = spec.Duration(50 * time.Millisecond)
	r := testRun(t, p)
	ends, err := Runner{Lab: l, Progress: &quiet{}}.Run(t.Context(), r, p)
	if err != nil {
		t.Fatal(err)
	}
	if n := l.open.Load(); n != 0 {
		t.Errorf("%d things were not given back", n)
	}
	records, err := r.Records("a")
	if err != nil {
		t.Fatal(err)
	}
	if named(records, "two guests at once") > 0 && !l.script.careless {
		t.Error("two guests ran at once")
	}
	return ends[0], records
}

func named(list []results.Record, names ...string) (n int) {
	for _, r := range list {
		if slices.Contains(names, r.Name) {
			n++
		}
	}
	return n
}

// order lists what happened of these names, with attribute n.
func order(list []results.Record, names ...string) (out []string) {
	for _, r := range list {
		if slices.Contains(names, r.Name) {
			out = append(out, r.Name+" "+r.Attrs["n"])
		}
	}
	return out
}
