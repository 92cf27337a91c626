package timelinetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
	"virtscope/results"
)

// A Served is a trial in which guests are started for jobs.
type Served struct {
	Seed    uint64
	Jobs    int
	Cap     int
	Preempt bool // the last job takes the guest of one that runs
	Fail    bool // the last job is not done
}

// ServedTruth is what really happened, in s.
type ServedTruth struct {
	Waits, Slowdowns []float64
	Makespan, Paid   float64
	Busy             float64
	Fresh            int
}

// Make returns the outcome, the records in no order, and the truth. Jobs arrive every 300 ms and run for 1 s; a guest takes 400 ms
// to start, waits for a job for 500 ms, and is then ended.
func (s Served) Make() (results.Outcome, []results.Record, ServedTruth) {
	w := &world{Scenario: Scenario{Seed: s.Seed}, rng: rand.New(rand.NewPCG(s.Seed, 13))}
	const from, runs, boots, keeps = int64(2e9), int64(1e9), int64(400e6), int64(500e6)
	type guest struct {
		name       string
		born, free int64
	}
	var guests []*guest
	var truth ServedTruth
	runner := func(t int64, name string, v float64, u results.Unit, attrs ...string) {
		w.add(t, "controller", results.SourceRunner, name, v, u, attrs...)
	}
	var last int64
	for i := range s.Jobs {
		id := strconv.Itoa(i + 1)
		arrived := from + int64(i)*300e6 + w.rng.Int64N(1e6)
		runner(arrived, results.JobArrived, 0, results.Event, "job", id, "runtime", "1", "memory", "67108864", "queue", "1")
		var g *guest
		for _, have := range guests { // the one that is free first
			if have.free+keeps >= arrived && (g == nil || have.free < g.free) {
				g = have
			}
		}
		alive := 0
		for _, have := range guests {
			if have.free+keeps > arrived {
				alive++
			}
		}
		fresh := g == nil || g.free > arrived && alive < s.Cap
		if fresh {
			g = &guest{name: fmt.Sprintf("g%d", len(guests)+1), born: arrived, free: arrived + boots}
			guests = append(guests, g)
			runner(arrived, results.GuestLeased, 0, results.Event, "guest", g.name, "host", "src", "memory", "134217728")
			runner(arrived, results.GuestsAlive, float64(alive+1), results.One)
			truth.Fresh++
		}
		at := max(arrived, g.free)
		runner(at, results.JobStarted, 0, results.Event, "job", id, "guest", g.name, "fresh", strconv.FormatBool(fresh))
		end := at + runs
		if s.Preempt && i == s.Jobs-2 {
			runner(at+300e6, results.JobPreempted, 0, results.Event, "job", id, "guest", g.name, "by", strconv.Itoa(s.Jobs))
			runner(at+700e6, results.JobResumed, 0, results.Event, "job", id, "guest", g.name)
			end += 400e6
			truth.Busy -= 0.4
		}
		g.free = end
		truth.Waits = append(truth.Waits, float64(at-arrived)/1e9)
		if s.Fail && i == s.Jobs-1 {
			runner(end, results.JobFailed, 0, results.Event, "job", id, "error", "the guest ended by itself")
		} else {
			w.add(end, "controller", results.SourceGuest, results.JobEnded, 0, results.Event, "job", id, "guest", g.name, "mono", "1000", "worked", "1")
			truth.Slowdowns = append(truth.Slowdowns, float64(end-arrived)/1e9)
		}
		truth.Busy += float64(end-at) / 1e9
		last = max(last, end)
		truth.Makespan = float64(last-from) / 1e9
	}
	w.ended, w.end = last+keeps+100e6, last+int64(2*time.Second)
	for _, g := range guests {
		runner(g.free+keeps, results.GuestEnded, 0, results.Event, "guest", g.name, "why", "idle")
		truth.Paid += float64(g.free+keeps-g.born) / 1e9
	}
	w.frame("jobs", from, nil)
	w.rng.Shuffle(len(w.records), func(i, j int) { w.records[i], w.records[j] = w.records[j], w.records[i] })
	return w.outcome(), w.records, truth
}
