// Package metric names the figures of trials that boot, checkpoint, recover, or serve jobs, with their units. Those of a
// migration, and those that all trials have, are named in package timeline; those of services in package degradation.
//
// A trial is one value of each. Where a trial has several guests, checkpoints, failures or jobs, the value is their median or
// what its name says, and is never pooled over trials. Of a phase, or another figure that a trial's kind has not, there is no metric.
package metric

import "virtscope/analysis/quantity"

// A Metric is one number of a trial, by name.
type Metric struct {
	Name string `json:"name"`
	quantity.Quantity
}

// Of the guests that were started; medians over those that got ready.
const (
	BootTotal = "boot.total" // s: from the hypervisor's spawn until the guest is ready; of a guest that does not get ready it is censored
	// BootPhase and a phase's name: s. Of a cold start: hypervisor (spawn to the firmware's first byte), firmware (to the
	// kernel's first), kernel (to PID 1's start, by its own log), init (until PID 1 runs), modules; then network (its address is
	// set), frame (the first on the wire) and answer, each from the edge before in time: a card that is up sends before its
	// address is set. Of a saved one: hypervisor (to its monitor), prepare, load, resume, identify, memory,
	// vcpus, frame, answer; identify, memory and vcpus of a substrate alone. Unattributed: beside an edge that nobody saw.
	BootPhase = "boot."
)

// Of checkpoints, with the actions checkpoint and recover; medians over those that were kept.
const (
	CheckpointTotal    = "checkpoint.total"    // s: from when it was asked for until it is kept; one that was not is censored
	CheckpointPhase    = "checkpoint."         // and a phase's name: prepare, freeze, dump, disk, thaw, write, sync, keep, unattributed; s
	CheckpointDowntime = "checkpoint.downtime" // s: the guest stood still, by the hypervisor's events
	CheckpointWire     = "checkpoint.blackout.wire"
	CheckpointClient   = "checkpoint.blackout.client"
	CheckpointGuest    = "checkpoint.blackout.guest" // s: the views of the outage around each checkpoint
	CheckpointRaw      = "checkpoint.bytes.raw"      // B before compression
	CheckpointWritten  = "checkpoint.bytes.written"  // B in files
	CheckpointRatio    = "checkpoint.ratio"          // 1: raw over written
	CheckpointRate     = "checkpoint.rate"           // B/s: written, from the dump's begin until all is in files
	CheckpointCount    = "checkpoint.count"          // 1: that were kept
	CheckpointFailed   = "checkpoint.failed"         // 1: that were begun and not kept
	DiskFull           = "checkpoint.disk.full"      // B of a full copy of the disk; present where there was one
	DiskIncrement      = "checkpoint.disk.increment" // B of an increment; likewise
	DiskChain          = "checkpoint.disk.chain"     // B of the longest chain: a full copy and the increments upon it
	CheckpointRefused  = "checkpoint.refused"        // 1: restores that were refused; present where a checkpoint was damaged on purpose
	CheckpointLink     = "checkpoint.link"           // B: frames of checkpoints between the hosts, at the capture; present where there were any
)

// Of restores; medians. Present where a guest was brought back.
const (
	RestoreTotal    = "restore.total"           // s: from its begin until the guest answers
	RestorePhase    = "restore."                // and a phase's name: verify, spawn, load, resume, ready, unattributed; s
	RestoreDowntime = "restore.downtime"        // s: from when the guest was lost until it runs
	RestoreOutage   = "restore.outage"          // s: from when it was lost until it answers
	RestoreWire     = "restore.blackout.wire"   // s: the views of the outage around the restore. The guest's own ticker has none:
	RestoreClient   = "restore.blackout.client" // it was taken back to its checkpoint
	RestoreBytes    = "restore.bytes"           // B that were read
	RestoreRate     = "restore.rate"            // B/s, while loading
)

// Of failures and recoveries, with the action recover; medians over the failures of the trial.
const (
	RecoveryFailures     = "recovery.failures"        // 1: that were injected
	RecoveryRecovered    = "recovery.recovered"       // 1: of those, after which the guest answered again
	RecoveryDetection    = "recovery.detection"       // s: from a failure's effect until it is detected
	RecoveryRestart      = "recovery.restart"         // s: from the restart's begin until the guest answers
	RecoveryTime         = "recovery.time"            // s: from a failure's effect until the guest answers
	RecoveryTimeMax      = "recovery.time.max"        // s
	RecoveryOutage       = "recovery.outage.client"   // s: as a client outside sees it
	RecoveryLost         = "recovery.lost-work"       // s: of the guest's own time, which it had to live again
	RecoveryLostMax      = "recovery.lost-work.max"   // s
	RecoveryLostCount    = "recovery.lost-count"      // B, or 1: of the workload's own counter
	RecoveryExceeded     = "recovery.exceeded"        // 1: failures that lost surely more than a period and a checkpoint's time
	RecoveryFalseAlarms  = "recovery.false-alarms"    // 1
	RecoveryAvailability = "recovery.availability"    // 1: share of the action in which the guest was there
	RecoveryMTBF         = "recovery.mtbf"            // s: from when the guest was back to the next failure, the mean
	RecoveryPeriod       = "recovery.period"          // s: that was set
	RecoveryOverhead     = "recovery.overhead"        // 1: share by which the workload was slower than in the baseline, while the guest was there
	RecoveryCost         = "recovery.cost"            // s: by which a checkpoint delays the work
	RecoveryYoung        = "recovery.period.young"    // s: the optimum by Young (1974), from this trial's cost and MTBF
	RecoveryDaly         = "recovery.period.daly"     // s: by Daly (2006)
	RecoveryWaste        = "recovery.waste"           // 1: checkpoints, lost work and recoveries, over the time that was left for work
	RecoveryPredicted    = "recovery.waste.predicted" // 1: the same by Daly's complete model, for the period that was set
)

// Of a trial with the action jobs.
const (
	JobsCount       = "jobs.count"         // 1: that arrived
	JobsDone        = "jobs.done"          // 1: of those, whose work was done
	JobsMakespan    = "jobs.makespan"      // s: from the first arrival until the last job's end
	JobsWait50      = "jobs.wait.p50"      // s: from a job's arrival until a guest is given it
	JobsWait90      = "jobs.wait.p90"      // s
	JobsWaitMax     = "jobs.wait.max"      // s
	JobsSlowdown50  = "jobs.slowdown.p50"  // 1: from a job's arrival to its end, over its run time
	JobsSlowdown90  = "jobs.slowdown.p90"  // 1
	JobsFresh       = "jobs.fresh"         // 1: share of the jobs that were started for which a guest was
	JobsPreemptions = "jobs.preemptions"   // 1
	JobsGuestTime   = "jobs.guest-seconds" // s: all guests' time from when each was started until it was ended: what is paid for
	JobsUtilisation = "jobs.utilisation"   // 1: share of that in which a guest had a job
	JobsPeak        = "jobs.peak"          // 1: most guests that were up, or on their way, at once
	JobsGuests      = "jobs.guests"        // 1: guests that were started
)

// Of a trial with the action boot.
const (
	DeployGuests     = "deploy.guests"      // 1: that were asked for
	DeployFailed     = "deploy.failed"      // 1: of those, that did not get ready
	DeployMakespan   = "deploy.makespan"    // s: from the first arrival until all are ready
	DeployFirst      = "deploy.first"       // s: from the first arrival until one is ready
	DeployHalf       = "deploy.half"        // s: until half of them, rounded up, are
	DeployReady50    = "deploy.ready.p50"   // s: from a guest's arrival until it is ready
	DeployReady90    = "deploy.ready.p90"   // s
	DeployReady99    = "deploy.ready.p99"   // s
	DeployReadyMax   = "deploy.ready.max"   // s
	DeployWait50     = "deploy.wait.p50"    // s: from a guest's arrival until its start begins: held back by the concurrency
	DeployWaitMax    = "deploy.wait.max"    // s
	DeployStart50    = "deploy.start.p50"   // s: from its begin until it is ready, provisioning included
	DeployStartMax   = "deploy.start.max"   // s
	DeployProvision  = "deploy.provision"   // s: provisioning a disk, the median
	DeployBytes      = "deploy.bytes"       // B: that provisioning moved or allocated, of all guests
	HostBusy         = "host.busy"          // 1: share of its CPUs' time that the busiest host spent working in the action
	HostMemoryPeak   = "host.memory.peak"   // B: most memory in use in the action, of the host with most
	ImageWire        = "image.wire"         // B: frames from image servers, at the capture, of all hosts
	ImageFetched     = "image.fetched"      // B: read from the template through the overlay, of all guests
	ImageFetched50   = "image.fetched.p50"  // B: of a guest
	ImageServed      = "image.served"       // B: sent by the image server at the store
	ImagePrefetched  = "image.prefetched"   // B: fetched ahead, of all hosts
	SubstrateDocked  = "substrate.docked"   // B: memory that docked substrates take, of all hosts
	SubstrateMade    = "substrate.made"     // s: making one, the median
	GuestPrivate     = "guest.private"      // B: memory that a running guest takes for itself, the median
	GuestDensity     = "guest.density"      // 1: guests a GiB: 1 GiB over guest.private
	IdentityChecked  = "identity.checked"   // 1: guests whose identity was asked
	IdentityConflict = "identity.conflicts" // 1: pairs of guests that answered to one identity
)
