package plan

import (
	"time"
	"virtscope/experiments/spec"
)

// The estimate is for planning a day, not a measurement. Its constants were seen on a 2-core machine without
// hardware virtualization; elsewhere trials are shorter.
const (
	// A guest under TCG is ready 2 s after its start when the machine is quiet, and 12 s where it is not. Which accelerator
	// auto takes is not known before the run, so it counts as TCG.
	bootTCG = 4 * time.Second
	// Firmware, a distribution's kernel and its modules under KVM.
	bootKVM = 2 * time.Second
	// A distribution with systemd starts so many times longer than the built-in guest.
	bootDistribution = 8
	// The scripted guest is a process.
	bootScripted = 200 * time.Millisecond
	// redis-server starts, and its keys are filled in.
	bootRedis = 3 * time.Second
	// A hypervisor starts, reads a saved guest and lets it go on; a clone's memory is mapped, not read.
	startWarm      = 1500 * time.Millisecond
	startSubstrate = time.Second
	// A guest is saved, or docked as a substrate.
	saveOnce = 2 * time.Second
	// Testbed and probes up and down, the memory check, writing the results.
	overhead = 1500 * time.Millisecond

	// Random data is made and written at this rate when a disk is filled before the boot.
	fillRate = 150e6 // B/s
	// What starts at once shares the cores.
	cores = 2
)

// estimate is the expected time of one trial, at most its timeout. Of a warm start it has the restore alone.
func estimate(e *spec.Experiment) time.Duration { return estimateAfter(e, 0) }

// estimateAfter is estimate with what comes before it.
func estimateAfter(e *spec.Experiment, before time.Duration) time.Duration {
	sum := before + prepare(e) + time.Duration(e.Warmup) + time.Duration(e.Baseline) + action(e) + time.Duration(e.Quiesce) + overhead
	if limit := time.Duration(e.Timeout); sum > limit || sum < 0 {
		return limit
	}
	return sum
}

// prepare is what stands before the warm-up: the guest's start, or what guests that the action starts go on from.
func prepare(e *spec.Experiment) time.Duration {
	switch {
	case !e.Action.Fleet():
		return start(e)
	case e.Guest.Start == "substrate":
		return boot(e) + saveOnce
	}
	return 0
}

// start is how long the start of one guest takes.
func start(e *spec.Experiment) time.Duration {
	switch e.Guest.Start {
	case "warm":
		return startWarm
	case "substrate":
		return startSubstrate
	}
	return boot(e)
}

func boot(e *spec.Experiment) time.Duration {
	if e.Guest.Driver == "scripted" {
		return bootScripted
	}
	sum := bootTCG
	if e.Guest.Accel == "kvm" {
		sum = bootKVM
	}
	if e.Guest.Image != "builtin" {
		sum *= bootDistribution
	}
	if e.Workload.Has("redis") {
		sum += bootRedis
	}
	if d := e.Guest.Disk; d != nil {
		sum += seconds(float64(d.Size) * d.Filled / fillRate)
	}
	return sum
}

// action is how long the action takes, at most its timeout.
func action(e *spec.Experiment) time.Duration {
	switch a := e.Action; {
	case a.Migrate != nil:
		return migration(e)
	case a.Boot != nil:
		return boots(e)
	case a.Checkpoint != nil:
		return checkpoints(e)
	case a.Recover != nil:
		return recoveries(e)
	case a.Jobs != nil:
		return jobs(e)
	}
	return 0
}

// migration is how long a migration takes, cancelled or killed if it is meant to be.
func migration(e *spec.Experiment) time.Duration {
	m := e.Action.Migrate
	if e.Guest.Driver == "scripted" {
		return time.Duration(m.Outage)
	}
	sum := seconds(disk(e) + newCopy(e).migrate(m))
	if l := e.Testbed.OfMigration(); l.DownFor > 0 && (l.DownWhen == "postcopy" || sum > time.Duration(l.DownAfter)) {
		sum += time.Duration(l.DownFor)
	}
	for _, end := range []spec.Duration{m.CancelAfter, m.KillDestinationAfter, m.Timeout} {
		if end > 0 {
			sum = min(sum, time.Duration(end))
		}
	}
	return sum
}

// seconds is s as a duration, at most a year.
func seconds(s float64) time.Duration {
	const year = 365 * 24 * 3600
	return time.Duration(min(s, year) * float64(time.Second))
}
