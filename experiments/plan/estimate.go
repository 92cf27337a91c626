package plan

import (
	"time"
	"virtscope/experiments/spec"
)

// The estimate is for planning a day, not a measurement. Its constants were seen on a 2-core machine without
// hardware virtualization; elsewhere trials are shorter.
const (
	// A guest under TCG runs its init 6–9 s after its start and is ready 3 s later. Which accelerator auto takes
	// is not known before the run, so it counts as TCG.
	bootTCG = 12 * time.Second
	// Firmware, a distribution's kernel and its modules under KVM.
	bootKVM = 3 * time.Second
	// The scripted guest is a process.
	bootScripted = 200 * time.Millisecond
	// Testbed and probes up and down, the memory check, writing the results.
	overhead = 1500 * time.Millisecond

	// What a guest of 256 MiB held beside its workload when it migrated: 24,000 non-zero pages. Zero pages
	// cost next to nothing on the wire.
	resident = 94 << 20 // B
	// Where neither a link nor the migration is limited, the hypervisor's own speed is the limit.
	unlimited = 125e6 // B/s
	// More rounds than this are as good as never.
	maxRounds = 1000
)

// estimate is the expected time of one trial, at most its timeout.
func estimate(e *spec.Experiment) time.Duration {
	sum := boot(e) + time.Duration(e.Warmup) + time.Duration(e.Baseline) + migration(e) + time.Duration(e.Quiesce) + overhead
	if limit := time.Duration(e.Timeout); sum > limit || sum < 0 {
		return limit
	}
	return sum
}

func boot(e *spec.Experiment) time.Duration {
	switch {
	case e.Guest.Driver == "scripted":
		return bootScripted
	case e.Guest.Accel == "kvm":
		return bootKVM
	}
	return bootTCG
}

// migration runs pre-copy's own arithmetic (Clark et al., Live Migration of Virtual Machines, NSDI 2005, section
// 3): each round sends what was dirtied during the one before, until the rest fits into the downtime limit.
func migration(e *spec.Experiment) time.Duration {
	m := e.Action.Migrate
	if m == nil {
		return 0
	}
	if e.Guest.Driver == "scripted" {
		return time.Duration(m.Outage)
	}
	limit := time.Duration(m.Timeout)
	link := migrationRate(e)
	dirty, set := 0.0, 0.0 // B/s, B
	if e.Workload.Kind == "dirty" {
		dirty, set = float64(e.Workload.Rate), float64(e.Workload.WorkingSet)
	}
	left := min(float64(e.Guest.Memory), resident+set+float64(e.Guest.Check))
	var spent float64 // s
	for range min(m.MaxRounds, maxRounds) {
		round := left / link
		spent += round
		if round <= time.Duration(m.DowntimeLimit).Seconds() || spent > limit.Seconds() {
			break
		}
		left = min(set, dirty*round)
	}
	if spent >= limit.Seconds() {
		return limit
	}
	return time.Duration(spent * float64(time.Second))
}

// migrationRate is the tightest limit in B/s.
func migrationRate(e *spec.Experiment) float64 {
	link := e.Testbed.Link
	if l := e.Testbed.MigrationLink; l != nil {
		link = *l
	}
	rate := float64(unlimited)
	for _, r := range []spec.Rate{link.Rate, e.Action.Migrate.MaxBandwidth} {
		if r > 0 {
			rate = min(rate, float64(r))
		}
	}
	return rate
}
