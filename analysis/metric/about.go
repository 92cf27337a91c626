package metric

import (
	"path"
	"strings"
)

// Better says which way of a metric is better.
type Better int

// A metric with neither is described and tested, but is no regression either way.
const (
	Neither Better = iota
	Lower
	Higher
)

// An Info says how a metric is judged.
type Info struct {
	Title    string  // for a figure's axis and a table, such as "total migration time"
	Better   Better  // Neither: it is not gated by default
	Absolute float64 // effect floor in the metric's unit: less is no difference that matters
	Relative float64 // effect floor as a share of the base, such as 0.02
	Headline bool    // an answer is given of it first
}

// Effect floors. A hypervisor's times are of whole milliseconds, and the kernel's scheduler gives no thread its turn more exactly; an
// echo probe sees an outage to within its interval, 2 ms by default. Of amounts, less than 1 MiB is a matter of when pages were
// counted. Below 2 % of the base a difference is real at most for this machine.
const (
	floorShare  = 0.02
	floorTime   = 1e-3    // s
	floorProbe  = 2e-3    // s
	floorAmount = 1 << 20 // B
	floorCPU    = 20e-3   // s: two ticks of the kernel's accounting
)

// A rule judges the metrics whose name matches a pattern of package path; the first that matches holds.
type rule struct {
	pattern string
	info    Info
}

func time(title string, headline bool) Info {
	return Info{Title: title, Better: Lower, Absolute: floorTime, Relative: floorShare, Headline: headline}
}

func probed(title string, headline bool) Info {
	return Info{Title: title, Better: Lower, Absolute: floorProbe, Relative: floorShare, Headline: headline}
}

func amount(title string) Info {
	return Info{Title: title, Better: Lower, Absolute: floorAmount, Relative: floorShare}
}

// rules are in the order in which they are tried. What none matches is not judged: noise floors, what validates a trial, what the
// experiment itself sets, and second opinions of what another metric has.
var rules = []rule{
	{"*.floor", Info{}},
	{"*.difference", Info{}},
	{"*.predicted", Info{}},
	// Of the machine: a difference says that two runs may not be compared, and is no regression of what they measured.
	{"noise.steal", Info{Title: "stolen share of the CPUs", Absolute: 0.01}},
	{"noise.others", Info{Title: "CPUs that others used", Absolute: 0.1}},
	{"noise.psi.*", Info{Title: "share of the time under pressure", Absolute: 0.05}},
	{"noise.frequency.*", Info{Title: "frequency of the CPUs", Relative: floorShare}},
	{"noise.load", Info{Title: "load average", Absolute: 0.5}},
	{"total", time("total migration time", true)},
	{"downtime", time("downtime", true)},
	{"blackout.wire", probed("blackout on the wire", true)},
	{"blackout.client", probed("blackout of the client", true)},
	{"blackout.guest", probed("blackout in the guest", true)},
	{"bytes.wire", amount("bytes on the wire")},
	{"bytes.payload", Info{Title: "payload of the migration", Better: Lower, Absolute: floorAmount, Relative: floorShare, Headline: true}},
	{"cpu.*", Info{Title: "CPU time of the hypervisor", Better: Lower, Absolute: floorCPU, Relative: floorShare}},
	{"postcopy.paused", time("time that the guest waited for pages", false)},
	{"wire.fault.p*", time("time to fetch a page", false)},
	{"work.*.lost", probed("lost seconds of work", false)},
	{"load.*.lost", probed("lost seconds of service", false)},
	{"load.p99.action", probed("99th percentile of latency in the action", false)},
	{"load*.p99.action", probed("99th percentile of latency in the action", false)},
	{"load*.lost", probed("lost seconds of service", false)},
	{"*.kept-up", Info{Title: "share of the baseline's throughput in the action", Better: Higher, Absolute: 0.02}},
	{"boot.total", time("time to ready", true)},
	{"deploy.makespan", time("time until all guests are ready", true)},
	{"deploy.ready.p*", time("time to ready", false)},
	{"deploy.bytes", amount("bytes that provisioning moved")},
	{"deploy.failed", Info{Title: "guests that did not get ready", Better: Lower}},
	{"guest.private", amount("memory of a guest")},
	{"checkpoint.total", time("time of a checkpoint", true)},
	{"checkpoint.downtime", time("downtime of a checkpoint", true)},
	{"checkpoint.blackout.*", probed("blackout of a checkpoint", false)},
	{"checkpoint.bytes.written", amount("size of a checkpoint")},
	{"checkpoint.failed", Info{Title: "checkpoints that were not kept", Better: Lower}},
	{"restore.total", time("time of a restore", true)},
	{"restore.outage", probed("outage around a restore", false)},
	{"recovery.time", time("time to recover", true)},
	{"recovery.detection", time("time to detect a failure", false)},
	{"recovery.lost-work", time("lost work", true)},
	{"recovery.overhead", Info{Title: "overhead of checkpoints", Better: Lower, Absolute: 0.01}},
	{"recovery.availability", Info{Title: "availability", Better: Higher, Absolute: 0.001}},
	{"jobs.makespan", time("makespan of the jobs", true)},
	{"jobs.wait.p*", time("time that a job waits", false)},
	{"jobs.slowdown.p*", Info{Title: "slow-down of jobs", Better: Lower, Relative: floorShare}},
	{"jobs.guest-seconds", Info{Title: "guest-seconds", Better: Lower, Absolute: 1, Relative: floorShare}},
	{"memory.corrupt", Info{Title: "corrupt pages", Better: Lower}},
}

// About says how a metric is judged, by name; one that is not known here has its name for a title and Neither.
func About(name string) Info {
	for _, r := range rules {
		if ok, _ := path.Match(r.pattern, name); ok { // the patterns are constants, and tested
			if r.info.Title == "" {
				break
			}
			return r.info
		}
	}
	return Info{Title: strings.ReplaceAll(name, ".", " ")}
}

// Floor is the least difference from base that matters, in the metric's unit.
func (i Info) Floor(base float64) float64 {
	return max(i.Absolute, i.Relative*max(base, -base))
}
