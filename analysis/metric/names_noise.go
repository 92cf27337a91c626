package metric

// Of the machine while a trial was measured: from the begin of its baseline (of a trial without one, of its action) until the quiet time
// after its action was over. They say how far the trial may be trusted, and are no result.
const (
	NoiseSteal      = "noise.steal"           // 1: share of the CPUs' time that the hypervisor of this machine gave to others
	NoiseOthers     = "noise.others"          // 1: CPUs that others than virtscope and what it started used, the kernel's own threads included; the mean
	NoiseOthersPart = "noise.others.share"    // 1: the same as a share of all CPUs
	NoiseCPU        = "noise.psi.cpu"         // 1: share of the time in which some task waited for a CPU, the trial's own included
	NoiseIO         = "noise.psi.io"          // 1: share of the time in which some task waited for a disk; likewise
	NoiseIOFull     = "noise.psi.io.full"     // 1: in which all tasks that had work did
	NoiseMemory     = "noise.psi.memory"      // 1: share of the time in which some task waited for memory; likewise
	NoiseMemoryFull = "noise.psi.memory.full" // 1: in which all did
	NoiseLoad       = "noise.load"            // 1: load average over 1 min, the mean of its samples
	NoiseRunnable   = "noise.runnable"        // 1: tasks that ran or wanted to, the mean of the samples
	NoiseFaults     = "noise.faults"          // 1: pages that were read from a disk because they were touched
	NoiseFreqMin    = "noise.frequency.min"   // Hz: the slowest CPU at any sample
	NoiseFreqMean   = "noise.frequency.mean"  // Hz: the mean over CPUs and samples
	NoiseThrottled  = "noise.throttled"       // 1: times that a core was slowed down for heat
)

// Of the guest in its baseline: whether it was settled when the action began.
const (
	BaselineRTT   = "baseline.drift.rtt"   // 1: by how much a client's round trips changed over the baseline, as a share of their median
	BaselineDirty = "baseline.drift.dirty" // 1: by how much the rate at which the workload writes memory did; likewise
)
