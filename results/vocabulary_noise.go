package results

// What else went on at the machine while a trial was measured. A source that the machine does not have is said once, by UsageAbsent.
const (
	// HostPressure is s, cumulative: for how long some, or all (full), tasks that had work stood waiting for a resource (the total of
	// /proc/pressure, kernel Documentation/accounting/psi.rst). Attrs: resource (cpu, io, memory), kind (some, full; of cpu there is
	// no full, as the kernel defines none for a whole machine).
	HostPressure = "host.pressure"
	HostOwnCPU   = "host.cpu.own"      // s, cumulative, user + system: virtscope, and all that it started, ended processes included
	HostFreq     = "host.frequency"    // Hz over the CPUs, as the kernel has it (cpufreq's scaling_cur_freq); Attrs: of (min, mean, max)
	HostThrottle = "host.throttled"    // 1, cumulative over the CPUs: times that one was slowed down for heat; Attrs: of (core, package)
	HostRunnable = "host.runnable"     // 1: tasks that run or want to (procs_running of /proc/stat)
	HostBlocked  = "host.blocked"      // 1: tasks that wait for a disk (procs_blocked)
	HostSwitches = "host.switches"     // 1, cumulative: context switches
	HostFaults   = "host.faults.major" // 1, cumulative: pages that were read from a disk because they were touched
	UsageAbsent  = "usage.absent"      // event: a record that this machine cannot have; Attrs: name, error
)

// AttrAbsent and AttrError are the attributes of UsageAbsent: the record's name, with its resource or kind behind a blank where it has
// one, and why there is none.
const (
	AttrAbsent = "name"
	AttrError  = "error"
)
