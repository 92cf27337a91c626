// Package timelinetest makes the records of a migration whose truth is known, to test what is derived from them.
//
// The model: a guest runs, except during its outage and its stalls. In a stall its clock goes on (a busy host takes the
// processor away); in the outage it stands still, or goes on, as the scenario says. Whatever the guest is due to do while
// it does not run, it does the moment it runs again. A ticker, heartbeats, an echo responder, a capture at the switch,
// the hypervisors' events and the usage probe observe it with delays drawn from a seeded source. Nothing in here knows
// how package timeline estimates.
package timelinetest

import (
	"math"
	"math/rand/v2"
	"time"
	"virtscope/results"
)

// A Scenario is one trial. The zero value of a field takes the default that Default sets.
type Scenario struct {
	Seed     uint64
	Outage   time.Duration // the guest does not run
	Still    bool          // … and its clock stands still
	Buffered bool          // probes that arrive in the outage wait for its end; else they are lost
	GoneFor  bool          // the guest never comes back
	Interval time.Duration // of the echo probes
	Jitter   time.Duration // each way of a probe, and a heartbeat, takes up to this much longer
	Drift    float64       // of the guest's clock, host seconds a guest second less 1
	Stalls   []Stall
	Stuck    []Stall       // the guest serves the network, but its agent does not tick
	Busy     []Stall       // the source's hypervisor answers nothing; its events go on
	Rounds   int           // of pre-copy; 0 takes 4
	Rate     float64       // B/s of the migration's link
	Bin      time.Duration // of the capture's flow
	Echo     bool
	Capture  bool
	Usage    bool
	Wire     bool // the migration's packets are decoded

	Algorithm string        // one of results.Algorithm…; "" is pre-copy, and is not recorded
	Client    string        // recorded where the algorithm is; it changes nothing of what is seen
	Post      time.Duration // from the guest's start until the source is done: post-copy, or a snapshot
	Paused    Stall         // of post-copy, measured from the guest's start
	Cancel    time.Duration // it is cancelled on purpose so long after the request; 0 never
	Held      bool          // the guest is stopped from without in its last round, of which the rest is sent as if it ran
	Kill      time.Duration // its destination is killed so long after the request; 0 never
	LinkDown  Stall         // the migration's link is cut; it changes nothing of what is sent
	Asked     float64       // B/s that the workload is asked for; 0 is not recorded

	Early  time.Duration // the baseline begins so much earlier
	Serve  bool          // clients ask the guest for values, and play a stream of it
	Mirror bool          // the guest's disk is copied too, and its workload writes it
}

// A Stall is a time without the processor, measured from the action's begin.
type Stall struct{ At, For time.Duration }

// Default is a migration of about 1.4 s with an outage of 80 ms, seen by all probes.
func Default(seed uint64) Scenario {
	return Scenario{
		Seed: seed, Outage: 80 * time.Millisecond, Still: true, Interval: 2 * time.Millisecond,
		Jitter: 300 * time.Microsecond, Rounds: 4, Rate: 60 << 20, Bin: 10 * time.Millisecond, Echo: true, Capture: true, Usage: true, Wire: true,
	}
}

// The course of every scenario, from its begin.
const (
	warmUp   = 1200 * time.Millisecond
	baseline = 2200 * time.Millisecond
	action   = 4200 * time.Millisecond
	stop     = 5400 * time.Millisecond // about; a random part of 20 ms is added
	quiet    = 1000 * time.Millisecond
	origin   = int64(1_790_000_000_000_000_000)

	tick      = int64(time.Millisecond)
	threshold = int64(3 * time.Millisecond)
	beat      = int64(20 * time.Millisecond)
)

// dirtied is what the workload writes, in B/s.
const dirtied = 8 << 20

// A world is a scenario under way. Times are ns since the scenario began.
type world struct {
	Scenario
	rng     *rand.Rand
	stopped span  // the outage
	moved   bool  // the guest runs at the destination after it
	first   int64 // the source begins to send memory
	done    int64 // the source sends no more
	pauses  []span
	ended   int64 // the action
	end     int64 // the quiet time after it
	records []results.Record
}

type span struct{ from, to int64 }

// Make returns the trial's outcome and its records, in no particular order.
func (s Scenario) Make() (results.Outcome, []results.Record) {
	w := &world{Scenario: s, rng: rand.New(rand.NewPCG(s.Seed, 2026))}
	from := int64(stop) + w.rng.Int64N(20e6)
	w.stopped = span{from, from + int64(s.Outage)}
	w.ended = w.stopped.to + 12e6
	w.end = w.ended + int64(quiet)
	if s.GoneFor {
		w.stopped.to = math.MaxInt64 / 4
		w.ended = from + 500e6
		w.end = w.ended + int64(quiet)
	}
	w.plan()
	w.pauses = append(w.pauses, w.stopped)
	w.pauses = append(w.pauses, w.spans(s.Stalls)...)
	w.course()
	w.agent()
	if s.Echo {
		w.echo()
	}
	w.hypervisors()
	w.purpose()
	if s.Capture && !w.toFile() {
		w.flow()
	}
	if s.Usage {
		w.usage()
	}
	if s.Wire && !w.toFile() {
		w.wire()
	}
	if s.Serve {
		w.serve()
	}
	if s.Mirror {
		w.mirror()
	}
	w.rng.Shuffle(len(w.records), func(i, j int) { w.records[i], w.records[j] = w.records[j], w.records[i] })
	begin := time.Unix(0, origin)
	verdict, reason := results.Completed, ""
	if s.Kill > 0 && !w.moved {
		verdict, reason = results.Failed, "migration failed"
	}
	if s.GoneFor {
		verdict, reason = results.Failed, "the guest was lost"
	}
	return results.Outcome{
		Trial:   results.Trial{ID: "001-default-r1", Order: 1, Treatment: "default", Replicate: 1},
		Attempt: 1, Verdict: verdict, Reason: reason,
		Begin: begin, End: begin.Add(time.Duration(w.end) + 300*time.Millisecond), Overhead: 230 * time.Millisecond,
	}, w.records
}

// runs is the first time at or after t at which the guest runs.
func (w *world) runs(t int64) int64 {
	return after(t, w.pauses)
}

// ticks is the first time at or after t at which the agent runs.
func (w *world) ticks(t int64) int64 { return after(t, append(w.spans(w.Stuck), w.pauses...)) }

// answers is the first time at or after t at which the source's hypervisor answers.
func (w *world) answers(t int64) int64 { return after(t, w.spans(w.Busy)) }

func (w *world) spans(stalls []Stall) []span {
	var list []span
	for _, p := range stalls {
		at := int64(action + p.At)
		list = append(list, span{at, at + int64(p.For)})
	}
	return list
}

// after is the first time at or after t that lies in none of the pauses.
func after(t int64, pauses []span) int64 {
	for changed := true; changed; {
		changed = false
		for _, p := range pauses {
			if t >= p.from && t < p.to {
				t, changed = p.to, true
			}
		}
	}
	return t
}

// host is the host's time at which the guest's clock shows mono (ns since the scenario began): the guest's clock drifts
// and stands still in the outage.
func (w *world) host(mono int64) int64 {
	t := mono + int64(float64(mono)*w.Drift)
	if w.Still && t > w.stopped.from {
		t += w.stopped.to - w.stopped.from
	}
	return t
}

// mono is the inverse of host for a time at which the guest runs.
func (w *world) mono(t int64) int64 {
	if w.Still && t >= w.stopped.to {
		t -= w.stopped.to - w.stopped.from
	}
	return int64(float64(t) / (1 + w.Drift))
}

// late is a random delay up to the jitter.
func (w *world) late() int64 { return w.rng.Int64N(int64(w.Jitter) + 1) }

func (w *world) add(t int64, host, source, name string, v float64, u results.Unit, attrs ...string) {
	r := results.Record{Time: origin + t, Host: host, Source: source, Name: name, Value: v, Unit: u}
	for i := 0; i+1 < len(attrs); i += 2 {
		if r.Attrs == nil {
			r.Attrs = map[string]string{}
		}
		r.Attrs[attrs[i]] = attrs[i+1]
	}
	w.records = append(w.records, r)
}

func (w *world) course() {
	runner := func(t int64, name string, attrs ...string) {
		w.add(t, "controller", results.SourceRunner, name, 0, results.Event, attrs...)
	}
	runner(1e6, results.TrialState, "state", results.StatePrepare)
	runner(150e6, results.TrialState, "state", results.StateBoot)
	runner(int64(warmUp), results.TrialState, "state", results.StateWarmUp)
	runner(int64(baseline-w.Early), results.TrialState, "state", results.StateBaseline)
	runner(int64(action)-500_000, results.TrialState, "state", results.StateAction)
	runner(int64(action), results.ActionBegin, append([]string{"action", "migrate"}, w.attrs()...)...)
	runner(w.ended, results.ActionEnd, "action", "migrate")
	runner(w.ended+40_000, results.TrialState, "state", results.StateQuiesce)
	runner(w.end, results.TrialState, "state", results.StateCollect)
	runner(w.end+50e6, results.TrialState, "state", results.StateTearDown)
	runner(w.end+200e6, results.TrialEnd)
}
