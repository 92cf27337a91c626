package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A fakeShop does jobs, and keeps those of guests that are saved.
type fakeShop struct {
	mu      sync.Mutex
	long    map[int]bool  // jobs that last until they are preempted once
	bad     map[int]int64 // pages that do not hold what was written
	refuses map[int]error
	dies    map[int]bool // jobs whose guest ends under them
	begun   map[int]int  // how often a job was asked for
	memory  []int64      // of guests, in the order of their start

	guests map[*agent.Client]*fakeInstance
	save   error
}

func (s *fakeShop) do(ctx context.Context, c *agent.Client, j agent.Job) (<-chan agent.JobDone, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun[j.ID]++
	if err := s.refuses[j.ID]; err != nil {
		return nil, err
	}
	ends := make(chan agent.JobDone, 1)
	switch {
	case s.dies[j.ID]:
		s.guests[c].end()
	case s.long[j.ID] && s.begun[j.ID] == 1:
	default:
		time.AfterFunc(time.Duration(j.Work), func() { ends <- agent.JobDone{ID: j.ID, Worked: j.Work, Bad: s.bad[j.ID]} })
	}
	return ends, nil
}

// A fakeVault keeps nothing and makes a new guest of it.
type fakeVault struct {
	Vault
	shop *fakeShop
	site *fakeSite
}

func (v *fakeVault) Save(_ context.Context, g guest.Instance, n int, _ func(), rec results.Recorder) (string, error) {
	rec.Record(results.Record{Name: results.CheckpointBegin, Source: results.SourceQMP})
	if v.shop.save != nil {
		return "", v.shop.save
	}
	return fmt.Sprint("checkpoint-", n), nil
}

func (v *fakeVault) Restore(_ context.Context, id string, _ host.Host, rec results.Recorder) (guest.Instance, error) {
	rec.Record(results.Record{Name: results.RestoreBegin, Source: results.SourceQMP, Attrs: map[string]string{"checkpoint": id}})
	g := newFakeInstance(v.site, rec, nil)
	v.shop.mu.Lock()
	defer v.shop.mu.Unlock()
	v.shop.guests[g.agent] = g
	return g, nil
}

// runJobs runs a trace with a shop.
func runJobs(t *testing.T, ctx context.Context, j spec.Jobs, list []job, shop *fakeShop, s fleetScript) ranTrial {
	t.Helper()
	shop.begun, shop.guests = map[int]int{}, map[*agent.Client]*fakeInstance{}
	originalList, originalStart := jobList, startJob
	jobList = func(spec.Jobs) ([]job, error) { return list, nil }
	startJob = shop.do
	defer func() { jobList, startJob = originalList, originalStart }()
	s.onMade = func(_ int, memory int64, g *fakeInstance) {
		shop.mu.Lock()
		defer shop.mu.Unlock()
		shop.guests[g.agent] = g
		shop.memory = append(shop.memory, memory)
	}
	return runTrial(t, ctx, fleetPlan(spec.Action{Jobs: &j}), script{fleet: s, vault: func(site *fakeSite) Vault { return &fakeVault{shop: shop, site: site} }})
}

func jobsOf(cap int) spec.Jobs {
	return spec.Jobs{Cap: cap, KeepAlive: spec.Duration(time.Second), Preempt: "none", Hosts: 2, Timeout: spec.Duration(15 * time.Second)}
}

// ofJob are the names of a job's records, in order, with the guest that they name.
func (r ranTrial) ofJob(id int) (list []string) {
	for _, rec := range r.records {
		if rec.Attrs["job"] == fmt.Sprint(id) {
			list = append(list, strings.TrimSpace(rec.Name+" "+rec.Attrs[results.AttrGuest]))
		}
	}
	return list
}

// counts are the values of a name, in order.
func (r ranTrial) counts(name string) (list []int) {
	for _, rec := range r.named(name) {
		list = append(list, int(rec.Value))
	}
	return list
}

func TestJobsAreServed(t *testing.T) {
	const mib = 1 << 20
	list := []job{
		{ID: 1, Work: 20 * time.Millisecond, Memory: 16 * mib, Queue: 1},
		{ID: 2, Submit: time.Millisecond, Work: 20 * time.Millisecond, Memory: 64 * mib, Queue: -1},
		{ID: 3, Submit: 2 * time.Millisecond, Work: 5 * time.Millisecond, Memory: 1},
	}
	j := jobsOf(1)
	j.KeepAlive = spec.Duration(30 * time.Second)
	shop := &fakeShop{}
	ran := runJobs(t, t.Context(), j, list, shop, fleetScript{})
	if ran.outcome.Verdict != results.Completed {
		t.Fatalf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
	for id, want := range map[int][]string{
		1: {"job.arrived", "job.started guest-0", "job.ended guest-0"},
		2: {"job.arrived", "job.started guest-1", "job.ended guest-1"},
		3: {"job.arrived", "job.started guest-1", "job.ended guest-1"},
	} {
		if got := ran.ofJob(id); !slices.Equal(got, want) {
			t.Errorf("job %d: %q, want %q", id, got, want)
		}
	}
	if e := ran.named(results.JobEnded)[0]; e.Source != results.SourceGuest || e.Host != "src" || e.Attrs["worked"] != "0.02" {
		t.Errorf("ended: %+v", e)
	}
	fresh := map[string]string{}
	for _, r := range ran.named(results.JobStarted) {
		fresh[r.Attrs["job"]] = r.Attrs["fresh"]
	}
	if fresh["1"] != "true" || fresh["2"] != "true" || fresh["3"] != "false" {
		t.Errorf("fresh: %v", fresh)
	}
	if want := []int64{144 * mib, 192 * mib}; !slices.Equal(shop.memory, want) {
		t.Errorf("guests with %v B, want %v: the floor and what the job writes, in whole huge pages", shop.memory, want)
	}
	var ends []string
	for _, r := range ran.named(results.GuestEnded) {
		ends = append(ends, r.Attrs[results.AttrGuest]+" "+r.Attrs["why"])
	}
	if !slices.Equal(ends, []string{"guest-0 replaced", "guest-1 end"}) {
		t.Errorf("ends: %v", ends)
	}
	arrived := ran.named(results.JobArrived)
	if d := arrived[2].Time - arrived[0].Time; d != int64(2*time.Millisecond) {
		t.Errorf("job 3 arrived %d ns behind job 1, want 2 ms: as the trace says", d)
	}
	if a := arrived[0].Attrs; a["runtime"] != "0.02" || a["memory"] != "16777216" || a["queue"] != "1" || a["guest"] != "" {
		t.Errorf("arrival: %v", a)
	}
	if _, known := arrived[1].Attrs["queue"]; known {
		t.Errorf("a queue that is not known: %v", arrived[1].Attrs)
	}
	if got := ran.counts(results.GuestsAlive); slices.Max(got) != 1 || got[len(got)-1] != 0 {
		t.Errorf("alive: %v", got)
	}
	if got := ran.counts(results.JobsWaiting); got[len(got)-1] != 0 || slices.Max(got) < 1 {
		t.Errorf("waiting: %v", got)
	}
}

func TestJobsKeepAlive(t *testing.T) {
	j := jobsOf(2)
	j.KeepAlive = spec.Duration(20 * time.Millisecond)
	list := []job{{ID: 1, Work: time.Millisecond}, {ID: 2, Submit: 300 * time.Millisecond, Work: time.Millisecond}}
	ran := runJobs(t, t.Context(), j, list, &fakeShop{}, fleetScript{})
	ended := ran.named(results.GuestEnded)
	if ran.outcome.Verdict != results.Completed || len(ended) != 2 || ended[0].Attrs["why"] != "idle" {
		t.Fatalf("%s: %s: %+v", ran.outcome.Verdict, ran.outcome.Reason, ended)
	}
	if started := ran.named(results.JobStarted); ended[0].Time-started[0].Time < int64(20*time.Millisecond) {
		t.Errorf("the guest was ended %d ns after it was given a job", ended[0].Time-started[0].Time)
	}
	if got := ran.named(results.GuestLeased); len(got) != 2 || got[1].Attrs[results.AttrGuest] != "guest-1" || got[0].Attrs["memory"] == "" {
		t.Errorf("leased: %+v", got)
	}
}

func TestJobsArePreempted(t *testing.T) {
	j := jobsOf(1)
	j.Preempt = "checkpoint"
	list := []job{{ID: 1, Work: 10 * time.Millisecond, Queue: 2}, {ID: 2, Submit: 50 * time.Millisecond, Work: 10 * time.Millisecond, Queue: 1}}
	shop := &fakeShop{long: map[int]bool{1: true}}
	ran := runJobs(t, t.Context(), j, list, shop, fleetScript{})
	if ran.outcome.Verdict != results.Completed {
		t.Fatalf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
	want := []string{"job.arrived", "job.started guest-0", "job.preempted guest-0", "job.resumed guest-0", "job.ended guest-0"}
	if got := ran.ofJob(1); !slices.Equal(got, want) {
		t.Errorf("job 1: %q, want %q", got, want)
	}
	if got := ran.ofJob(2); !slices.Equal(got, []string{"job.arrived", "job.started guest-1", "job.ended guest-1"}) {
		t.Errorf("job 2: %q", got)
	}
	if p := ran.named(results.JobPreempted); len(p) != 1 || p[0].Attrs["by"] != "2" {
		t.Errorf("preempted: %+v", p)
	}
	restored := ran.named(results.RestoreBegin)
	if len(restored) != 1 || restored[0].Attrs["checkpoint"] != "checkpoint-1" || restored[0].Attrs[results.AttrGuest] != "guest-0" {
		t.Errorf("restored: %+v", restored)
	}
	if shop.begun[1] != 2 {
		t.Errorf("the job was asked for %d times: once more after it was restored, to hear of its end", shop.begun[1])
	}
	var ends []string
	for _, r := range ran.named(results.GuestEnded) {
		ends = append(ends, r.Attrs[results.AttrGuest]+" "+r.Attrs["why"])
	}
	if !slices.Equal(ends, []string{"guest-0 preempted", "guest-1 replaced", "guest-0 end"}) {
		t.Errorf("ends: %v", ends)
	}
}

func TestJobsFail(t *testing.T) {
	list := []job{{ID: 1, Work: time.Millisecond, Queue: 2}, {ID: 2, Work: time.Millisecond, Queue: 2}, {ID: 3, Work: time.Millisecond, Queue: 2}}
	for _, tt := range []struct {
		name    string
		shop    *fakeShop
		fleet   fleetScript
		limit   time.Duration
		preempt bool
		jobs    []job
		want    string
		failed  int
	}{
		{name: "a guest that does not start", fleet: fleetScript{start: func(_ context.Context, n int) error {
			if n == 1 {
				return errOurs
			}
			return nil
		}}, want: "1 jobs failed: job 2: start guest-1: our fault", failed: 1},
		{name: "an agent that refuses", shop: &fakeShop{refuses: map[int]error{3: errOurs}}, want: "job 3: guest-", failed: 1},
		{name: "a guest that ends", shop: &fakeShop{dies: map[int]bool{2: true}}, want: "the guest ended by itself", failed: 1},
		{name: "memory that changed", shop: &fakeShop{bad: map[int]int64{1: 7}}, want: "7 pages of its memory", failed: 1},
		{name: "a job that does not end", shop: &fakeShop{long: map[int]bool{2: true}}, limit: time.Second, want: "job 2: not done within 1s", failed: 1},
		{name: "guests that do not start in time", fleet: fleetScript{start: hanging}, limit: 100 * time.Millisecond, want: "3 jobs failed: job 1: not done within 100ms", failed: 3},
		{name: "jobs that do not come in time", limit: 100 * time.Millisecond, jobs: []job{{ID: 9, Submit: time.Hour}}, want: "job 9: not done within 100ms", failed: 1},
		{
			name: "a checkpoint that fails", shop: &fakeShop{save: errOurs, long: map[int]bool{1: true}}, preempt: true, limit: time.Second,
			jobs: []job{{ID: 1, Queue: 2}, {ID: 2, Queue: 1, Submit: 20 * time.Millisecond}},
			want: "checkpoint guest-0 for job 2: our fault", failed: 2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := jobsOf(3)
			if tt.limit > 0 {
				j.Timeout = spec.Duration(tt.limit)
			}
			if tt.preempt {
				j.Preempt, j.Cap = "checkpoint", 1
			}
			all := list
			if tt.jobs != nil {
				all = tt.jobs
			}
			if tt.shop == nil {
				tt.shop = &fakeShop{}
			}
			ran := runJobs(t, t.Context(), j, all, tt.shop, tt.fleet)
			if ran.outcome.Verdict != results.Failed || !strings.Contains(ran.outcome.Reason, tt.want) {
				t.Errorf("%s: %q, want %q", ran.outcome.Verdict, ran.outcome.Reason, tt.want)
			}
			if got := ran.named(results.JobFailed); len(got) != tt.failed || got[0].Attrs["error"] == "" {
				t.Errorf("failed: %+v", got)
			}
			if got := ran.counts(results.GuestsAlive); len(got) > 0 && got[len(got)-1] != 0 {
				t.Errorf("alive at the end: %v", got)
			}
			if leased, ended := len(ran.named(results.GuestLeased)), len(ran.named(results.GuestEnded)); leased != ended {
				t.Errorf("%d guests were leased, %d ended", leased, ended)
			}
		})
	}
}

func TestJobsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	shop := &fakeShop{long: map[int]bool{1: true, 2: true}}
	defer cancel()
	ran := runJobs(t, ctx, jobsOf(3), []job{{ID: 1}, {ID: 2}, {ID: 3}}, shop, fleetScript{start: func(ctx context.Context, n int) error {
		if n == 2 {
			time.AfterFunc(50*time.Millisecond, cancel) // the others are at work by then, or on their way
			return hanging(ctx, n)
		}
		return nil
	}})
	if ran.outcome.Verdict != results.Interrupted {
		t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
}
