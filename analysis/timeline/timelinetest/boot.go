package timelinetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
)

// A Boot is a trial that starts guests. The zero value of a field leaves out what it names.
type Boot struct {
	Seed        uint64
	Guests      int
	Start       string        // cold, warm or substrate; "" is cold
	Spawned     bool          // of a substrate: its hypervisor runs before the action
	Concurrency int           // 0 is all at once
	Interval    time.Duration // between arrivals
	Method      string        // of provisioning; "" is none
	Slow        float64       // by which share each guest slows all others down
	Fail        int           // how many of the last guests never get ready
	Delay       time.Duration // of the guest's messages, beyond what scatters
	Without     []string      // records that nobody makes
	Systemd     bool
}

// A Truth is when each edge of a guest's start really was, in ns since the Unix epoch, by the record's name.
type Truth map[string]int64

// course of a start in ms, from the spawn: what takes how long.
type part struct {
	name   string
	ms     float64
	source string
	mono   bool
}

var (
	coldParts = []part{
		{results.BootMonitor, 40, results.SourceQMP, false},
		{results.BootFirmware, 30, results.SourceConsole, false},
		{results.BootFirmwareEnd, 120, results.SourceConsole, false},
		{results.BootKernel, 15, results.SourceConsole, false},
		{results.BootKernelEnd, 640, results.SourceGuest, true},
		{results.BootInit, 4, results.SourceGuest, true},
		{results.BootModules, 55, results.SourceGuest, true},
		{results.BootNetwork, 30, results.SourceGuest, true},
		{results.BootFrame, 12, results.SourceCaptureSwitch, false},
		{results.BootAnswer, 9, results.SourceReady, false},
	}
	savedParts = []part{
		{results.BootMonitor, 40, results.SourceQMP, false},
		{results.RestoreBegin, 8, results.SourceQMP, false},
		{results.RestoreEnd, 150, results.SourceQMP, false},
		{results.VMResume, 3, results.SourceQMP, false},
	}
	identityParts = []part{
		{results.GuestIdentified, 25, results.SourceGuest, true},
		{results.BootFrame, 6, results.SourceCaptureSwitch, false},
		{results.GuestMemoryGiven, 18, results.SourceQMP, false},
		{results.GuestVCPUsGiven, 11, results.SourceGuest, true},
		{results.BootAnswer, 7, results.SourceReady, false},
	}
	warmParts = []part{{results.BootFrame, 5, results.SourceCaptureSwitch, false}, {results.BootAnswer, 6, results.SourceReady, false}}
)

// parts are those of the kind of start.
func (b Boot) parts() []part {
	switch {
	case b.Start == "substrate" && b.Spawned:
		return slices.Concat([]part{{results.VMResume, 3, results.SourceQMP, false}}, identityParts)
	case b.Start == "substrate":
		return slices.Concat(savedParts, identityParts)
	case b.Start == "warm":
		return slices.Concat(savedParts, warmParts)
	}
	return coldParts
}

// bootAction is when the action begins, from the scenario's begin, in ns.
const bootAction = int64(2e9)

// Make returns the outcome, the records in no order, and the truth by guest.
func (b Boot) Make() (results.Outcome, []results.Record, map[string]Truth) {
	w := &world{Scenario: Scenario{Seed: b.Seed, Jitter: 300 * time.Microsecond}, rng: rand.New(rand.NewPCG(b.Seed, 7))}
	truth := map[string]Truth{}
	kind := b.Start
	if kind == "" {
		kind = "cold"
	}
	var ready []int64 // of those that are under way
	last := bootAction
	for i := range max(1, b.Guests) {
		asked := bootAction + int64(i)*int64(b.Interval)
		begin := asked
		if b.Concurrency > 0 && i >= b.Concurrency {
			slices.Sort(ready)
			begin = max(asked, ready[i-b.Concurrency])
		}
		name := ""
		if b.Guests > 1 {
			name = fmt.Sprintf("g%02d", i+1)
		}
		at, end := b.guest(w, name, kind, i, asked, begin)
		truth[name] = at
		ready, last = append(ready, end), max(last, end)
	}
	w.ended, w.end = last+20e6, last+1020e6
	w.frame("boot", bootAction, nil)
	b.around(w)
	w.rng.Shuffle(len(w.records), func(i, j int) { w.records[i], w.records[j] = w.records[j], w.records[i] })
	o := w.outcome()
	if b.Fail > 0 {
		o.Verdict, o.Reason = results.Failed, fmt.Sprintf("%d guests did not get ready", b.Fail)
	}
	return o, w.records, truth
}

// guest starts one, and returns its edges and when it was ready, or given up.
func (b Boot) guest(w *world, name, kind string, i int, asked, begin int64) (Truth, int64) {
	fails := i >= max(1, b.Guests)-b.Fail
	host := []string{"src", "dst"}[i%2]
	at := Truth{}
	note := func(t int64, host, source, record string, v float64, u results.Unit, attrs ...string) {
		at[record] = origin + t
		if slices.Contains(b.Without, record) {
			return
		}
		if name != "" {
			attrs = append(attrs, results.AttrGuest, name)
		}
		w.add(t, host, source, record, v, u, attrs...)
	}
	note(asked, "controller", results.SourceRunner, results.BootAsked, 0, results.Event, "start", kind, "host", host)
	note(begin, "controller", results.SourceRunner, results.BootBegin, 0, results.Event)
	t := begin + 300_000
	if b.Method != "" {
		note(t, "controller", results.SourceRunner, results.ProvisionBegin, 0, results.Event, "method", b.Method, "host", host)
		t += 35e6 + w.rng.Int64N(5e6)
		note(t, "controller", results.SourceRunner, results.ProvisionEnd, 0, results.Event, "method", b.Method, "host", host, "bytes", "196608")
	}
	t += 400_000
	if !b.Spawned {
		note(t, host, results.SourceQMP, results.BootSpawn, 0, results.Event, "pid", strconv.Itoa(100+i), "bound", "0.0005")
	}
	slow := 1 + b.Slow*float64(max(1, b.Guests)-1)
	kernel := t + 205e6 // the guest's clock begins
	if kind != "cold" {
		kernel = t - 60e9
	}
	hello := t + int64(1200e6*slow)
	for n, p := range b.parts() {
		if fails && n >= len(b.parts())-2 {
			break
		}
		t += int64(p.ms*1e6*slow) + w.rng.Int64N(int64(p.ms*1e5)+1)
		attrs := []string{}
		arrives := t
		if p.mono {
			attrs = append(attrs, "mono", strconv.FormatInt(t-kernel, 10))
			arrives = t + int64(b.Delay) + 90_000 + w.late()
		}
		truthAt := t
		switch p.name {
		case results.BootKernelEnd, results.BootInit, results.BootModules, results.BootNetwork:
			arrives = max(arrives, hello) // told with the first hello, later on
		case results.BootAnswer:
			attrs = append(attrs, "method", "echo", "rtt", "0.0004", "bound", "0.002")
			arrives += 1_000_000
		case results.RestoreEnd:
			attrs = append(attrs, "bytes", "134217728")
		case results.BootFrame:
			attrs = append(attrs, "port", host)
		case results.GuestVCPUsGiven:
			attrs = append(attrs, "asked", "2")
		}
		v, u := 0.0, results.Event
		if p.name == results.GuestMemoryGiven {
			v, u = 256<<20, results.Bytes
		}
		if p.name == results.GuestVCPUsGiven {
			v, u = 2, results.One
		}
		note(arrives, host, p.source, p.name, v, u, attrs...)
		at[p.name] = origin + truthAt
		if p.name == results.BootInit && kind == "cold" {
			note(t+200_000, host, results.SourceConsole, p.name, 0, results.Event, "bound", "0.0004")
			at[p.name] = origin + truthAt
		}
	}
	if fails {
		note(t+800e6, "controller", results.SourceRunner, results.BootFailed, 0, results.Event, "error", "no answer within 1s")
		return at, t + 800e6
	}
	spoke := t
	if b.Systemd {
		note(t+30e6, host, results.SourceGuest, results.BootUnit, 0.7, results.Seconds, "unit", "ssh.service", "mono", "700000000", "activating", "0.18")
		note(t+30e6, host, results.SourceGuest, results.BootStage, 0.9, results.Seconds, "stage", "userspace")
	}
	for k := range 30 { // heartbeats
		m := spoke + int64(k)*20e6
		note(m+int64(b.Delay)+60_000+w.late(), host, results.SourceGuest, results.GuestHeartbeat, float64(m-kernel)/1e9, results.Seconds,
			"seq", strconv.Itoa(k+1), "mono", strconv.FormatInt(m-kernel, 10))
	}
	return at, t + 1_000_000
}

// around is what is recorded of the hosts and of the images.
func (b Boot) around(w *world) {
	const usage = results.SourceUsage
	w.add(100e6, "controller", usage, results.HostCPUs, 2, results.One)
	for t := int64(1e9); t < w.end; t += 100e6 {
		busy := float64(min(max(0, t-bootAction), w.ended-bootAction)) / 1e9 * 1.5
		w.add(t, "controller", usage, results.HostCPU, busy, results.Seconds, "mode", "user")
		w.add(t, "controller", usage, results.HostCPU, 2*float64(t)/1e9-busy, results.Seconds, "mode", "idle")
		w.add(t, "controller", usage, results.HostMemory, 1<<30+busy*100e6, results.Bytes)
	}
	named := func(i int, attrs ...string) []string {
		if b.Guests > 1 {
			attrs = append(attrs, results.AttrGuest, fmt.Sprintf("g%02d", i+1))
		}
		return attrs
	}
	if b.Method == "nbd" {
		for i := range max(1, b.Guests) {
			host := []string{"src", "dst"}[i%2]
			for k := range 10 {
				at := bootAction + 100e6 + int64(k)*20e6
				w.add(at, "switch", results.SourceCaptureSwitch, results.FlowBytes, 1<<20, results.Bytes, "flow", results.FlowImage, "dir", "reverse", "host", host, "bin", "0.01")
				w.add(at, "switch", results.SourceCaptureSwitch, results.FlowBytes, 4096, results.Bytes, "flow", results.FlowImage, "dir", "forward", "host", host, "bin", "0.01")
				w.add(at, host, results.SourceQMP, results.ImageFetched, float64(k+1)*1e6, results.Bytes, named(i)...)
			}
		}
		w.add(bootAction+50e6, "controller", results.SourceRunner, results.ImagePrefetched, 3<<20, results.Bytes, "host", "src")
		w.add(w.ended, "controller", results.SourceRunner, results.ImageServed, 20<<20, results.Bytes, "server", "store", "from", "store")
	}
	if b.Start == "substrate" {
		runner := results.SourceRunner
		w.add(bootAction-1e6, "controller", runner, results.SubstrateDocked, 96<<20, results.Bytes, "host", "src", "docked", "saved", "count", "1")
		w.add(bootAction-1e6, "controller", runner, results.SubstrateMade, 3.2, results.Seconds, "host", "src")
		for i := range max(1, b.Guests) {
			w.add(w.ended-1e6, "controller", runner, results.GuestPrivate, float64(24+i%3)*(1<<20), results.Bytes, named(i, "shared", "1000")...)
		}
		w.add(w.ended-1e6, "controller", runner, results.IdentityChecked, float64(max(1, b.Guests)), results.One, "conflicts", "0")
	}
}

// frame records the trial's states and the action.
func (w *world) frame(action string, from int64, attrs []string) {
	runner := func(t int64, name string, attrs ...string) {
		w.add(t, "controller", results.SourceRunner, name, 0, results.Event, attrs...)
	}
	runner(1e6, results.TrialState, "state", results.StatePrepare)
	runner(from-1200e6, results.TrialState, "state", results.StateBaseline)
	runner(from-500_000, results.TrialState, "state", results.StateAction)
	runner(from, results.ActionBegin, append([]string{"action", action, "client", "third"}, attrs...)...)
	runner(w.ended, results.ActionEnd, "action", action)
	runner(w.ended+40_000, results.TrialState, "state", results.StateQuiesce)
	runner(w.end, results.TrialState, "state", results.StateCollect)
	runner(w.end+200e6, results.TrialEnd)
}

// outcome is that of a trial that completed.
func (w *world) outcome() results.Outcome {
	begin := time.Unix(0, origin)
	return results.Outcome{
		Trial:   results.Trial{ID: "001-default-r1", Order: 1, Treatment: "default", Replicate: 1},
		Attempt: 1, Verdict: results.Completed,
		Begin: begin, End: begin.Add(time.Duration(w.end) + 300*time.Millisecond), Overhead: 230 * time.Millisecond,
	}
}
