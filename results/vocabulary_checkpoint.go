package results

// What a checkpoint goes through. Source is qmp for what the hypervisor does, runner for what is done with its files. Attr
// "checkpoint" is the checkpoint's id in the catalogue; each event below has it.
const (
	CheckpointBegin = "checkpoint.begin" // event: it was asked for; Attrs: mode, format, to, compression, disk (full, incremental, none), n (from 1)
	// The guest stands still from VMStop to VMResume. With mode live it stops only for its devices' state.
	CheckpointFreeze   = "checkpoint.freeze"    // event: the guest was told to stop
	CheckpointDump     = "checkpoint.dump"      // event: the hypervisor begins to write memory
	CheckpointDumped   = "checkpoint.dumped"    // event: it has written all; Attrs: bytes (B that it wrote)
	CheckpointDisk     = "checkpoint.disk"      // event: the copy of the disk begins
	CheckpointDiskDone = "checkpoint.disk.done" // event; Attrs: bytes (B that were written)
	CheckpointWritten  = "checkpoint.written"   // event: all bytes are in files; Attrs: bytes (B in files), raw (B before compression)
	CheckpointSynced   = "checkpoint.synced"    // event: files and folder are on disk, under their final name
	CheckpointThaw     = "checkpoint.thaw"      // event: the guest was told to go on
	CheckpointEnd      = "checkpoint.end"       // event: it is kept, or, with attr error, it is not
	// CheckpointSkipped is an event, source runner: a period began while the checkpoint of the one before was under way, and has none;
	// Attrs: period (from 1). It has no checkpoint.
	CheckpointSkipped = "checkpoint.skipped"
	CheckpointPruned  = "checkpoint.pruned" // event: one was removed by retention
	// CheckpointVerified is B: read back and found as written. Source runner.
	CheckpointVerified = "checkpoint.verified"
	// CheckpointRefused is an event: a restore was refused; Attrs: error.
	CheckpointRefused = "checkpoint.refused"
	// CheckpointDamaged is an event: it was damaged on purpose; Attrs: kind (truncate, flip), file, offset (B)
	CheckpointDamaged = "checkpoint.damaged"
)

// AttrCheckpoint is the checkpoint's id.
const AttrCheckpoint = "checkpoint"

// What a recovery goes through. Attr "n" counts failures from 1. A false alarm, where nothing was injected, goes through the same
// from FailureDetected on: its records have no n, and attr false "true".
const (
	FailureInjected  = "failure.injected"  // event, source runner; Attrs: n, kind (kill-guest, kill-host, cut-link), host; bound (s: by how much later it may have taken effect)
	FailureEffective = "failure.effective" // event, source runner: the hypervisor's process ended; Attrs: n. A cut link has none: its effect is LinkDown
	FailureDetected  = "failure.detected"  // event, source runner; Attrs: n, by (process, heartbeat, echo), silent (s since the last sign of life)
	RestartBegin     = "restart.begin"     // event, source runner; Attrs: n, host, checkpoint
	RestartEnd       = "restart.end"       // event, source runner: the guest was restored and answers; Attrs: n, host, checkpoint
	// GuestRestored is s, source guest: the guest's monotonic clock when it first spoke after a restore; Attrs: n, mono, work (B or 1 of its own counter, at mono), unit, kind (of GuestWork, where the counter is of that).
	GuestRestored = "guest.restored"
)

// Faults of recover beside those of a migration.
const (
	FaultKillGuest = "kill-guest"
	FaultKillHost  = "kill-host"
	FaultCutLink   = "cut-link"
)

// What happens to jobs. Source is runner unless it is said. Each has attr "job" (its number in the trace).
const (
	JobArrived   = "job.arrived"   // event; Attrs: runtime (s), memory (B), queue
	JobStarted   = "job.started"   // event: a guest was given it; Attrs: guest, fresh (true: the guest was started for it)
	JobEnded     = "job.ended"     // event, source guest: its work is done; Attrs: guest, mono, worked (s of guest time)
	JobPreempted = "job.preempted" // event: its guest was checkpointed for another; Attrs: guest, by (job)
	JobResumed   = "job.resumed"   // event: it goes on from its checkpoint; Attrs: guest
	JobFailed    = "job.failed"    // event; Attrs: error
	GuestLeased  = "guest.leased"  // event: a guest was started; Attrs: guest, host, memory (B)
	GuestEnded   = "guest.ended"   // event: a guest was ended; Attrs: guest, why (idle, preempted, end)
	GuestsAlive  = "guests.alive"  // 1: guests that are up or on their way, at each change
	JobsWaiting  = "jobs.waiting"  // 1: jobs that wait, at each change
)
