// Package validity says how far the trials of a run may be trusted: which of them the machine spoiled, whether figures drift with the
// order of execution, and whether the first trials were still warming up. It names, and removes nothing.
package validity

// Limits are how much may go on at the machine while a trial is measured; shares are of 1, and 1 is no limit.
type Limits struct {
	Steal     float64 // of the CPUs' time, that the hypervisor below gives to others
	Others    float64 // of the CPUs' time, that others on this machine use
	PSICPU    float64 // of the time, in which some task waits for a CPU
	PSIIO     float64 // of the time, in which all tasks wait for a disk
	PSIMemory float64 // of the time, in which some task waits for memory
	Outliers  float64 // robust standard deviations above the median of the treatment; 0 compares no trials
}

// Defaults are those where the experiment says nothing.
//
// Steal: a CPU that is taken away stops guest, hypervisor and probes at once, and nothing in the trial can cause it; a hundredth of the
// time is 10 ms in a second, as long as an outage that is measured.
//
// Others: a thread of the trial that wakes finds its CPU taken about as often as the share that others use; at a tenth, one wake-up in ten
// may wait for a slice of the scheduler (milliseconds). An idle system with its daemons stays below 2 %.
//
// Memory: reclaim stalls whoever allocates, the guest's memory included; a trial that fits its machine has none.
//
// CPU and disk: the trial's own tasks wait for both. What is usual is not known beforehand, so there is no limit but the comparison with
// the treatment's other trials.
//
// Outliers: Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC 1993, section 3.3.
func Defaults() Limits {
	return Limits{Steal: 0.01, Others: 0.1, PSICPU: 1, PSIIO: 1, PSIMemory: 0.01, Outliers: 3.5}
}
