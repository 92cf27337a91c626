package plan

import (
	"math"
	"slices"
	"virtscope/experiments/spec"
)

const (
	// What a guest of 256 MiB held beside its workload when it migrated: 24,000 non-zero pages. Zero pages
	// cost next to nothing on the wire.
	resident = 94 << 20 // B
	// Where neither a link nor the migration is limited, the hypervisor's own speed is the limit.
	unlimited = 125e6 // B/s
	// More rounds than this are as good as never.
	maxRounds = 1000
	pageSize  = 4096 // B
	// What a page that XBZRLE encodes costs beside what changed: its header, and the lengths of what did not.
	xbzrleHeader = 24 // B
)

// A memoryCopy is a migration's arithmetic. Amounts are in B, times in s.
type memoryCopy struct {
	full  float64 // what there is to send at first
	rate  float64 // B/s on the wire
	areas []area  // what the guest writes again
	again float64 // of a page that is sent again, the share that goes on the wire
}

func newCopy(e *spec.Experiment) *memoryCopy {
	c := &memoryCopy{rate: migrationRate(e), areas: areasOf(e.Workload), again: 1, full: held(e)}
	switch m := e.Action.Migrate; m.Algorithm {
	case "xbzrle":
		c.again = min(1, (float64(e.Workload.DeltaSize)+xbzrleHeader)/pageSize)
	case "dirty-limit":
		c.limit(float64(m.DirtyLimit) * float64(e.Guest.VCPUs))
	}
	return c
}

// held is what the guest's memory holds.
func held(e *spec.Experiment) float64 {
	sum := resident + float64(e.Guest.Check)
	for _, a := range areasOf(e.Workload) {
		sum += a.size
	}
	return min(sum, float64(e.Guest.Memory))
}

// migrate is the time that m takes. What compression gains or costs is not known before: it depends on the CPU.
func (c *memoryCopy) migrate(m *spec.Migrate) float64 {
	switch m.Algorithm {
	case "stop-and-copy", "background-snapshot":
		return c.full / c.rate
	case "mapped-ram":
		return 2 * c.full / c.rate // written, then read
	}
	return c.rounds(m)
}

// rounds runs pre-copy's own arithmetic (Clark et al., Live Migration of Virtual Machines, NSDI 2005, section
// 3): each round sends what was dirtied during the one before, until the rest fits into the downtime limit, or post-copy or a
// stopped guest make an end of it.
func (c *memoryCopy) rounds(m *spec.Migrate) float64 {
	last, after, stuck := ends(m)
	limit := m.DowntimeLimit.Seconds()
	left, before, throttle, spent := c.full, math.Inf(1), 0.0, 0.0
	for n := range min(m.MaxRounds, maxRounds) {
		round := left / c.rate
		fits := n > 0 && round <= limit && !m.IsPostcopy()
		if fits || n >= last || spent >= after || stuck && left >= 0.9*before {
			return spent + round // with the guest stopped, or as post-copy
		}
		if m.Algorithm == "auto-converge" && left > 0.5*before {
			throttle = min(float64(m.ThrottleMax)/100, max(float64(m.ThrottleInitial)/100, throttle+float64(m.ThrottleIncrement)/100))
		}
		spent += round
		before, left = left, c.again*c.dirtied(round, 1-throttle)
		if spent > m.Timeout.Seconds() {
			break
		}
	}
	return spent
}

// ends are the rounds and the time after which m stops going through rounds, and whether it does when they get no shorter.
func ends(m *spec.Migrate) (rounds int, after float64, stuck bool) {
	rounds, after = math.MaxInt, math.Inf(1)
	if m.PauseAfterRounds > 0 {
		rounds = m.PauseAfterRounds
	}
	if !m.IsPostcopy() {
		return rounds, after, false
	}
	n, d, stuck, err := m.PostcopySwitch()
	switch {
	case err != nil || stuck: // an error was reported when the experiment was read
	case d > 0:
		after = d.Seconds()
	default:
		rounds = n
	}
	return rounds, after, stuck
}

// migrationRate is the tightest limit in B/s, less what cross-traffic takes of the link.
func migrationRate(e *spec.Experiment) float64 {
	link := e.Testbed.OfMigration()
	rate := float64(unlimited)
	for _, r := range []spec.Rate{link.Effective().Rate, link.Sends()} {
		if r > 0 {
			rate = min(rate, float64(r))
		}
	}
	if x := e.Testbed.CrossTraffic; x != nil && x.Direction != "reverse" {
		rate = max(rate/10, rate-float64(x.Rate))
	}
	if m := e.Action.Migrate; m != nil && m.MaxBandwidth > 0 {
		rate = min(rate, float64(m.MaxBandwidth))
	}
	return rate
}

// disk is the time in s that the copy of a local disk takes before the memory's.
func disk(e *spec.Experiment) float64 {
	d, m := e.Guest.Disk, e.Action.Migrate
	if d == nil || d.Storage != "local" || slices.Contains([]string{"stop-and-copy", "mapped-ram", "background-snapshot"}, m.Algorithm) {
		return 0
	}
	rate := migrationRate(e)
	if m.DiskBandwidth > 0 {
		rate = min(rate, float64(m.DiskBandwidth))
	}
	size, written := float64(d.Size)*d.Filled, 0.0
	if e.Workload.Has("disk") {
		written = float64(e.Workload.Disk.Rate)
	}
	if m.DiskCopy == "incremental" {
		size = min(size, written*(e.Warmup.Seconds()+e.Baseline.Seconds()))
	}
	return size / max(rate-written, rate/10)
}
