package runner

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A fleetScript says how guests of a fleet behave. The zero value has them ready at once, each with its own identity.
type fleetScript struct {
	start   func(ctx context.Context, n int) error
	await   func(ctx context.Context, n int) error
	says    func(n int) *agent.Identity // nil: who it is
	dies    func(n int) bool            // ends by itself as soon as it is up
	measure error
	units   func() (*agent.Units, error) // what a guest says of its systemd; nil: nothing
	onMade  func(n int, memory int64, g *fakeInstance)
}

// A fakeFleet counts what it made.
type fakeFleet struct {
	site *fakeSite

	mu       sync.Mutex
	prepared int
	measured int
	started  []int
	hosts    []string
	at, most int // guests on their way
}

func (f *fakeFleet) Hosts() []host.Host {
	return []host.Host{fakeHost{name: "src"}, fakeHost{name: "dst"}, fakeHost{name: "host3"}}
}
func (f *fakeFleet) Name(n int) string { return fmt.Sprintf("guest-%d", n) }
func (f *fakeFleet) Identity(n int) agent.Identity {
	return agent.Identity{
		Name: f.Name(n), Address: fmt.Sprintf("10.77.16.%d/16", n), MAC: fmt.Sprintf("52:54:00:77:10:%02x", n),
		MachineID: fmt.Sprintf("%032x", n), Seed: uint64(n),
	}
}

func (f *fakeFleet) Prepare(context.Context, results.Recorder) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prepared++
	return nil
}

func (f *fakeFleet) Measure(context.Context, results.Recorder) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.measured++
	return f.site.script.fleet.measure
}

func (f *fakeFleet) enter(n int, h host.Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started, f.hosts = append(f.started, n), append(f.hosts, h.Name())
	f.at++
	f.most = max(f.most, f.at)
}

func (f *fakeFleet) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at--
}

func (f *fakeFleet) Start(ctx context.Context, n int, h host.Host, memory int64, rec results.Recorder) (guest.Instance, error) {
	s := f.site.script.fleet
	f.enter(n, h)
	if s.start != nil {
		if err := s.start(ctx, n); err != nil {
			f.leave()
			return nil, err
		}
	}
	said := f.Identity(n)
	said.MAC, said.Seed = "52:54:00:77:10:"+fmt.Sprintf("%02X", n), 0 // written as another tool would
	if s.says != nil && s.says(n) != nil {
		said = *s.says(n)
	}
	i := newFakeInstance(f.site, guest.Named(rec, f.Name(n)), &said)
	if s.onMade != nil {
		s.onMade(n, memory, i)
	}
	if s.dies != nil && s.dies(n) {
		i.end()
	}
	return i, nil
}

func (f *fakeFleet) Await(ctx context.Context, n int, rec results.Recorder) error {
	defer f.leave()
	s := f.site.script.fleet
	if s.await != nil {
		if err := s.await(ctx, n); err != nil {
			return err
		}
	}
	if s.dies != nil && s.dies(n) {
		<-ctx.Done()
		return ctx.Err()
	}
	rec.Record(results.Record{Time: time.Now().UnixNano(), Source: results.SourceReady, Name: results.BootAnswer, Attrs: map[string]string{results.AttrGuest: f.Name(n)}})
	return nil
}

// hanging waits until its context is done.
func hanging(ctx context.Context, _ int) error {
	<-ctx.Done()
	return ctx.Err()
}

// fleetPlan is one trial of an action that starts guests.
func fleetPlan(a spec.Action) *plan.Plan {
	p := testPlan(1)
	p.Trials[0].Spec.Action = a
	*p.Trials[0].Spec.Retries = 0
	return p
}

// ranTrial is how a trial of an action ended, with its records.
type ranTrial struct {
	outcome results.Outcome
	records []results.Record
	lab     *fakeLab
}

func (r ranTrial) named(name string) (list []results.Record) {
	for _, rec := range r.records {
		if rec.Name == name {
			list = append(list, rec)
		}
	}
	return list
}

// runTrial runs the only trial of a plan, and fails the test if anything was not given back.
func runTrial(t *testing.T, ctx context.Context, p *plan.Plan, s script) ranTrial {
	t.Helper()
	r, lab := testRun(t, p), &fakeLab{scripts: []script{s}}
	ended, err := Runner{Lab: lab, Progress: &quiet{}}.Run(ctx, r, p)
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if n := lab.open.Load(); n != 0 {
		t.Errorf("%d things were not given back", n)
	}
	records, err := r.Records(p.Trials[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return ranTrial{ended[0], records, lab}
}
