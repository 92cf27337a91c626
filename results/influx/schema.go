package influx

import (
	"slices"
	"strings"
	"virtscope/results"
)

// A where says how many streams of a measurement a treatment has at most, beside what its tags tell apart.
type where int

const (
	once            where = iota // one observer
	perRunner                    // the runner
	perClient                    // the client's host
	perMachine                   // the machine
	perNode                      // each host, the client's and the image server's
	perHost                      // each host of guests
	perGuest                     // each guest
	perGuestHost                 // each guest, wherever it runs in the course of a trial
	perInit                      // likewise, by two observers
	perCapture                   // each host of guests, and the switch
	perCaptureGuest              // likewise, each guest
	perProbe                     // each probe
)

// Actions of which a trial records a measurement.
const (
	migrate = 1 << iota
	boot
	checkpoint
	recovery
	jobs

	saving   = checkpoint | recovery | jobs
	starting = boot | jobs
	always   = migrate | boot | saving
)

// A Measurement is one kind of record: its name is the measurement's.
type Measurement struct {
	Name       string
	Unit       results.Unit
	Attributes string // that its records may have, beside guest, which any may have; with spaces
	where      where
	actions    int
}

// actionSettings are the attributes by which an action says how it was set.
const actionSettings = "action algorithm arrivals cap client compression concurrency damage detect detect-after disk every failure failures format guests hosts keep keep-alive load mode period preempt ready restart restore start to"

// measurements of records, in the order of the vocabulary. benchmark.result is of two units; its records say which.
var measurements = []Measurement{
	{results.TrialState, results.Event, "state", perRunner, always},
	{results.TrialEnd, results.Event, "", perRunner, always},
	{results.ActionBegin, results.Event, actionSettings + " cancel kill-destination", perRunner, always},
	{results.ActionEnd, results.Event, actionSettings, perRunner, always},
	{results.ClockOffset, results.Seconds, "bound host", perRunner, always},
	{results.VMStop, results.Event, "", perGuestHost, always},
	{results.VMResume, results.Event, "", perGuestHost, always},
	{results.MigrationStatus, results.Event, "status", perGuestHost, always},
	{results.PreCopyRound, results.Event, "", perGuestHost, migrate | saving},
	{results.MigrationTransferred, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationRemaining, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationTotal, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationDirtyRate, results.BytesPerSecond, "round trigger", perGuestHost, migrate},
	{results.MigrationRate, results.BytesPerSecond, "round trigger", perGuestHost, migrate},
	{results.MigrationPages, results.One, "kind round trigger", perGuestHost, migrate},
	{results.MigrationSyncCount, results.One, "round trigger", perGuestHost, migrate},
	{results.ReportedTotalTime, results.Seconds, "trigger", perGuestHost, migrate},
	{results.ReportedDowntime, results.Seconds, "trigger", perGuestHost, migrate},
	{results.ReportedSetupTime, results.Seconds, "trigger", perGuestHost, migrate},
	{results.SilenceBegin, results.Event, "", perGuestHost, always},
	{results.SilenceEnd, results.Event, "", perGuestHost, always},
	{results.GuestHeartbeat, results.Seconds, "mono seq", perGuestHost, always},
	{results.GuestTickMiss, results.Seconds, "mono", perGuestHost, always},
	{results.GuestTickInfo, results.Seconds, "threshold", perGuestHost, always},
	{results.GuestDirtied, results.Bytes, "late mono uncounted", perGuestHost, always},
	{results.GuestReady, results.Event, "mono", perGuestHost, always},
	{results.GuestLog, results.Event, "mono text", perGuestHost, always},
	{results.MemoryVerified, results.Bytes, "mono", perGuestHost, always},
	{results.MemoryCorrupt, results.One, "detail first mono", perGuestHost, always},
	{results.GuestFrame, results.Bytes, "port", perCapture, always},
	{results.GuestAnnounce, results.Event, "kind port", perCapture, always},
	{results.FlowBytes, results.Bytes, "bin dir flow host server", once, always},
	{results.FlowPayload, results.Bytes, "bin dir flow host server", once, always},
	{results.CaptureFrames, results.One, "malformed", perCapture, always},
	{results.CaptureDropped, results.One, "", perCapture, always},
	{results.CaptureMaxFrame, results.Bytes, "", perCapture, always},
	{results.EchoRTT, results.Seconds, "seq", perClient, always},
	{results.EchoLost, results.Event, "error seq", perClient, always},
	{results.EchoInterval, results.Seconds, "", perClient, always},
	{results.EchoSilent, results.Event, "", perClient, always},
	{results.EchoHeard, results.Event, "", perClient, always},
	{results.HostCPU, results.Seconds, "mode", perMachine, always},
	{results.HostCPUs, results.One, "", perMachine, always},
	{results.HostLoad, results.One, "", perMachine, always},
	{results.HostMemory, results.Bytes, "", perMachine, always},
	{results.HostPressure, results.Seconds, "kind resource", perMachine, always},
	{results.HostOwnCPU, results.Seconds, "", perMachine, always},
	{results.HostFreq, results.Hertz, "of", perMachine, always},
	{results.HostThrottle, results.One, "of", perMachine, always},
	{results.HostRunnable, results.One, "", perMachine, always},
	{results.HostBlocked, results.One, "", perMachine, always},
	{results.HostSwitches, results.One, "", perMachine, always},
	{results.HostFaults, results.One, "", perMachine, always},
	{results.UsageAbsent, results.Event, "error name", perMachine, always},
	{results.HostDiskRead, results.Bytes, "", perMachine, always},
	{results.HostDiskWrite, results.Bytes, "", perMachine, always},
	{results.HostNetRx, results.Bytes, "interface", perNode, always},
	{results.HostNetTx, results.Bytes, "interface", perNode, always},
	{results.ProcessCPU, results.Seconds, "pid process", perHost, always},
	{results.ProcessRSS, results.Bytes, "pid process", perHost, always},
	{results.ThreadCPU, results.Seconds, "pid process thread tid", perHost, always},
	{results.Energy, results.Joules, "domain", perMachine, always},
	{results.ProbeCPU, results.Seconds, "", perProbe, always},
	{results.ProbeWall, results.Seconds, "", perProbe, always},
	{results.ProbeLate, results.One, "", perProbe, always},
	{results.ProbeDropped, results.One, "", perProbe, always},
	{results.ProbeFailed, results.Event, "error", perProbe, always},
	{results.RecordsDropped, results.One, "", perRunner, always},
	{results.BootAsked, results.Event, "host start", perGuest, always},
	{results.BootBegin, results.Event, "host", perGuest, always},
	{results.BootSpawn, results.Event, "bound pid", perGuestHost, always},
	{results.BootMonitor, results.Event, "bound", perGuestHost, always},
	{results.BootFirmware, results.Event, "text", perGuestHost, always},
	{results.BootFirmwareEnd, results.Event, "text", perGuestHost, always},
	{results.BootKernel, results.Event, "text", perGuestHost, always},
	{results.BootKernelEnd, results.Event, "bound mono text", perGuestHost, always},
	{results.BootInit, results.Event, "mono text", perInit, always},
	{results.BootModules, results.Event, "mono", perGuestHost, always},
	{results.BootNetwork, results.Event, "bound mono", perGuestHost, always},
	{results.BootFrame, results.Event, "port", perCaptureGuest, always},
	{results.BootAnswer, results.Event, "attempts bound method rtt", perGuest, always},
	{results.BootFailed, results.Event, "error", perGuest, always},
	{results.BootUnit, results.Seconds, "activating mono unit", perGuestHost, always},
	{results.BootStage, results.Seconds, "stage", perGuestHost, always},
	{results.BootConsole, results.Event, "text", perGuestHost, always},
	{results.RestoreBegin, results.Event, "format load", perGuestHost, always},
	{results.RestoreEnd, results.Event, "bytes", perGuestHost, always},
	{results.GuestIdentified, results.Event, "address mac mono name", perGuestHost, starting},
	{results.GuestMemoryGiven, results.Bytes, "asked", perGuestHost, starting},
	{results.GuestVCPUsGiven, results.One, "asked mono", perGuestHost, starting},
	{results.ProvisionBegin, results.Event, "host method", perGuest, starting},
	{results.ProvisionEnd, results.Event, "bytes host method", perGuest, starting},
	{results.ImageFetched, results.Bytes, "", perGuestHost, starting},
	{results.ImageServed, results.Bytes, "from server", perRunner, starting},
	{results.ImagePrefetched, results.Bytes, "bytes host", perRunner, starting},
	{results.SubstrateDocked, results.Bytes, "count docked host", perRunner, starting},
	{results.SubstrateMade, results.Seconds, "host", perRunner, starting},
	{results.GuestPrivate, results.Bytes, "shared", perGuest, always},
	{results.IdentityConflict, results.Event, "guests kind value", perRunner, starting},
	{results.IdentityChecked, results.One, "conflicts", perRunner, starting},
	{results.CheckpointBegin, results.Event, "checkpoint compression disk format mode n to", perGuestHost, saving},
	{results.CheckpointFreeze, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointDump, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointDumped, results.Event, "bytes checkpoint", perGuestHost, saving},
	{results.CheckpointDisk, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointDiskDone, results.Event, "bytes checkpoint", perGuestHost, saving},
	{results.CheckpointWritten, results.Event, "bytes checkpoint raw", perGuestHost, saving},
	{results.CheckpointSynced, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointThaw, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointEnd, results.Event, "checkpoint error", perGuestHost, saving},
	{results.CheckpointSkipped, results.Event, "period", perGuestHost, saving},
	{results.CheckpointPruned, results.Event, "checkpoint", perGuestHost, saving},
	{results.CheckpointVerified, results.Bytes, "checkpoint", perGuest, saving},
	{results.CheckpointRefused, results.Event, "checkpoint error", perGuestHost, saving},
	{results.CheckpointDamaged, results.Event, "checkpoint file kind offset", perGuestHost, saving},
	{results.FailureInjected, results.Event, "bound host kind n", perRunner, saving},
	{results.FailureEffective, results.Event, "n", perRunner, saving},
	{results.FailureDetected, results.Event, "by false n silent", perRunner, saving},
	{results.RestartBegin, results.Event, "checkpoint false host n", perRunner, saving},
	{results.RestartEnd, results.Event, "checkpoint false host n", perRunner, saving},
	{results.GuestRestored, results.Seconds, "checkpoint host kind mono n unit work", perGuestHost, saving},
	{results.JobArrived, results.Event, "job memory queue runtime", perGuest, jobs},
	{results.JobStarted, results.Event, "fresh job", perGuest, jobs},
	{results.JobEnded, results.Event, "job mono worked", perGuest, jobs},
	{results.JobPreempted, results.Event, "by job", perGuest, jobs},
	{results.JobResumed, results.Event, "job", perGuest, jobs},
	{results.JobFailed, results.Event, "error", perGuest, jobs},
	{results.GuestLeased, results.Event, "host memory", perGuest, jobs},
	{results.GuestEnded, results.Event, "why", perGuest, jobs},
	{results.GuestsAlive, results.One, "", perRunner, jobs},
	{results.JobsWaiting, results.One, "", perRunner, jobs},
	{results.DiskCompared, results.Bytes, "", perGuestHost, migrate},
	{results.DiskDiffers, results.Bytes, "first", perGuestHost, migrate},
	{results.DiskWritten, results.Bytes, "", perGuestHost, migrate},
	{results.DiskOutside, results.Bytes, "first", perGuestHost, migrate},
	{results.DiskVerified, results.Bytes, "", perGuestHost, migrate},
	{results.DiskCorrupt, results.One, "detail", perGuestHost, migrate},
	{results.RelayFrames, results.One, "dir host link", perNode, always},
	{results.RelayLost, results.One, "dir host link", perNode, always},
	{results.RelayDropped, results.One, "cause dir host link", perNode, always},
	{results.RelayLate, results.Seconds, "dir host link max ms p50 p99", perNode, always},
	{results.LoadInfo, results.Event, "arrivals bin connections kind on rate", perClient, always},
	{results.LoadRequests, results.One, "kind outcome", perClient, always},
	{results.LoadLatency, results.Seconds, "count histogram kind late", perClient, always},
	{results.LoadAnswers, results.One, "kind", perClient, always},
	{results.LoadBytes, results.Bytes, "kind", perClient, always},
	{results.LoadReconnect, results.Event, "error kind", perClient, always},
	{results.StreamLost, results.One, "kind", perClient, always},
	{results.StreamStall, results.Seconds, "buffer kind open", perClient, always},
	{results.StreamReceived, results.One, "duplicate interval kind late played silent", perClient, always},
	{results.BenchmarkResult, results.One, "duration kind pass stat test", perClient, always},
	{results.BenchmarkFailed, results.Event, "error kind pass", perClient, always},
	{results.GuestAsked, results.Bytes, "late mono", perGuestHost, always},
	{results.GuestWork, results.One, "bytes error kind late mono", perGuestHost, always},
	{results.GuestDiskStall, results.Seconds, "late mono", perGuestHost, always},
	{results.GuestDiskTimes, results.Seconds, "counts late mono", perGuestHost, always},
	{results.LinkDown, results.Event, "host link", perRunner, always},
	{results.LinkUp, results.Event, "host link", perRunner, always},
	{results.Fault, results.Event, "bound host kind", perRunner, always},
	{results.TrafficSent, results.Bytes, "direction flow", perNode, always},
	{results.TrafficReceived, results.Bytes, "direction flow", perNode, always},
	{results.MigrationThrottle, results.One, "round trigger", perGuestHost, migrate},
	{results.MigrationXBZRLEBytes, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationXBZRLEPages, results.One, "round trigger", perGuestHost, migrate},
	{results.MigrationXBZRLEMisses, results.One, "round trigger", perGuestHost, migrate},
	{results.MigrationXBZRLEOverflow, results.One, "round trigger", perGuestHost, migrate},
	{results.MigrationPageRequests, results.One, "round trigger", perGuestHost, migrate},
	{results.MigrationPrecopyBytes, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationDowntimeBytes, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationPostcopyBytes, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationMultifdBytes, results.Bytes, "round trigger", perGuestHost, migrate},
	{results.MigrationCompressRate, results.One, "round trigger", perGuestHost, migrate},
	{results.DiskCopyBegin, results.Event, "job pass", perGuestHost, migrate},
	{results.DiskCopyReady, results.Event, "job pass", perGuestHost, migrate},
	{results.DiskCopyEnd, results.Event, "job pass", perGuestHost, migrate},
	{results.DiskCopied, results.Bytes, "job pass", perGuestHost, migrate},
	{results.DiskToCopy, results.Bytes, "job pass", perGuestHost, migrate},
	{results.WireMigration, results.Event, "atleast client evidence format inferred limited machine multifd page postcopy server start stream tls version", once, migrate},
	{results.WireMigrationEnd, results.Event, "atleast how inferred stream", once, migrate},
	{results.WireChannel, results.Event, "atleast channel client inferred server stream", once, migrate},
	{results.WireChannelBytes, results.Bytes, "atleast channel dir inferred stream", once, migrate},
	{results.WireChannelResent, results.Bytes, "atleast channel dir inferred stream", once, migrate},
	{results.WireChannelMissing, results.Bytes, "atleast channel dir inferred stream", once, migrate},
	{results.WireChannelUndecoded, results.Bytes, "atleast channel dir inferred stream", once, migrate},
	{results.WireChannelReordered, results.One, "atleast channel dir inferred stream", once, migrate},
	{results.WireChannelLast, results.Event, "atleast channel dir inferred stream", once, migrate},
	{results.WireStage, results.Event, "atleast earliest from inferred latest provided stage stream", once, migrate},
	{results.WireRound, results.Event, "atleast earliest how inferred latest stream", once, migrate},
	{results.WireRoundBytes, results.Bytes, "atleast inferred round stream", once, migrate},
	{results.WireRoundPages, results.One, "atleast inferred kind round stream", once, migrate},
	{results.WireRoundResent, results.One, "atleast block inferred round stream", once, migrate},
	{results.WireRoundSpan, results.One, "atleast block inferred round stream", once, migrate},
	{results.WirePages, results.One, "atleast inferred kind stream", once, migrate},
	{results.WirePageBytes, results.Bytes, "atleast inferred kind method stream", once, migrate},
	{results.WirePagesTwice, results.One, "atleast inferred stream", once, migrate},
	{results.WireSyncs, results.One, "atleast inferred stream", once, migrate},
	{results.WireBlock, results.Bytes, "atleast block inferred page stream", once, migrate},
	{results.WireDevice, results.Bytes, "atleast device inferred instance stream", once, migrate},
	{results.WirePageRequests, results.One, "answer atleast inferred stream", once, migrate},
	{results.WirePageFault, results.Seconds, "atleast inferred stat stream", once, migrate},
	{results.WireMirror, results.Event, "atleast client export handshake how replies server start stream", once, migrate},
	{results.WireMirrorSize, results.Bytes, "atleast export maximum minimum preferred stream", once, migrate},
	{results.WireMirrorFirst, results.Event, "atleast export latest stream", once, migrate},
	{results.WireMirrorLast, results.Event, "atleast earliest export stream", once, migrate},
	{results.WireMirrorWrites, results.One, "atleast command export stream", once, migrate},
	{results.WireMirrorBytes, results.Bytes, "atleast command export stream", once, migrate},
	{results.WireMirrorDistinct, results.Bytes, "atleast export stream", once, migrate},
	{results.WireMirrorAgain, results.Bytes, "after atleast export stream", once, migrate},
	{results.WireMirrorOther, results.One, "atleast command export stream", once, migrate},
	{results.WireMirrorErrors, results.One, "atleast command error export stream", once, migrate},
	{results.WireMirrorUnanswered, results.One, "atleast command export stream", once, migrate},
	{results.WireMirrorLatency, results.Seconds, "atleast command export stat stream", once, migrate},
	{results.WireMirrorEncrypted, results.Event, "atleast export offset packet stream", once, migrate},
	{results.WireDamage, results.Event, "atleast channel detail dir inferred offset packet stream", once, migrate},
	{results.WireResync, results.Event, "atleast channel dir inferred offset packet skipped stream", once, migrate},
	{results.WireStageBytes, results.Bytes, "atleast inferred least most stage stream", once, migrate},
	{results.WireGap, results.Seconds, "atleast inferred periodic stream", once, migrate},
	{results.WirePlaintext, results.Bytes, "atleast cipher inferred least most stream", once, migrate},
	{results.WireUntold, results.Event, "atleast detail inferred stream what", once, migrate},
	{results.WireGuest, results.Event, "how mac", once, migrate},
	{results.WireGuestLast, results.Event, "mac port", once, migrate},
	{results.WireGuestFirst, results.Event, "mac port", once, migrate},
	{results.WireGuestAnnounce, results.Event, "kind mac port", once, migrate},
	{results.WireGuestSilence, results.Seconds, "mac next port", once, migrate},
	{results.WireGuestStale, results.Seconds, "frames mac port", once, migrate},
	{results.WireBytes, results.Bytes, "atleast bin inferred kind stream", once, migrate},
}

// Measurements are those of records, in the order of the vocabulary.
func Measurements() []Measurement { return slices.Clone(measurements) }

// Tags are the tags that its points may have, beside those of every point and of factors; Fields likewise, beside those of parts of long texts.
func (m Measurement) Tags() []string {
	tags := []string{results.AttrGuest}
	for a := range strings.FieldsSeq(m.Attributes) {
		if attributes[a].form == asTag {
			tags = append(tags, a)
		}
	}
	slices.Sort(tags)
	return tags
}

// Fields are those that its points may have. Of an attribute that is a number, the field of text holds what is none.
func (m Measurement) Fields() []string {
	value := valueFields[m.Unit]
	fields := []string{fieldTrial, fieldAttempt, fieldShift, value}
	if m.Unit == results.Event {
		fields = append(fields, fieldEvent)
	}
	if m.Name == results.BenchmarkResult {
		fields = append(fields, valueFields[results.Seconds])
	}
	for a := range strings.FieldsSeq(m.Attributes) {
		switch d := describe(a); d.form {
		case asTag:
		case asText:
			fields = append(fields, string(d.text))
		default:
			fields = append(fields, string(d.number), string(d.text))
		}
	}
	return fields
}
