package timeline

import (
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Names of the metrics of a disk. A trial without a copy of a disk, or without a workload on it, has none of them.
const (
	BytesDisk         = "bytes.disk"      // B: TCP payload of the disk's copy from source to destination at the switch, retransmissions included
	BytesDiskWire     = "bytes.disk.wire" // B: the frames that carried it
	BytesMemory       = "bytes.memory"    // B: TCP payload of memory and device state, beside that of the disk; the same as BytesPayload
	DiskCopiedBytes   = "disk.copied"     // B: of the disk that the jobs copied, as the hypervisor counts; what was copied again counts again
	DiskPasses        = "disk.passes"     // 1: passes of an incremental copy
	DiskReadyTime     = "disk.ready.time" // s: from the copy's begin until the memory could follow: the mirror was ready, or the passes had done enough
	DiskCopyTime      = "disk.copy.time"  // s: from the copy's begin until the destination's disk was complete
	DiskStall         = "disk.stall"      // s: the longest write of the guest, in real time; see diskStall
	DiskComparedBytes = "disk.compared"   // B: of the disk, compared at both ends afterwards
	DiskDiffering     = "disk.differs"    // B: that differ between both ends
	DiskWrittenAfter  = "disk.written"    // B: that the guest wrote at the destination: as much may differ
	DiskVerifiedBytes = "disk.verified"   // B: of blocks that the workload wrote, read back by the guest and found intact
	DiskCorruptPages  = "disk.corrupt"    // 1: pages of 4 KiB of such blocks that are wrong
)

// measureDisk adds the metrics of the disk.
func (t *Timeline) measureDisk(x *index, obs observation, add func(string, quantity.Quantity)) {
	if begins := x.byName[results.DiskCopyBegin]; len(begins) > 0 {
		add(BytesDisk, x.readFlowOf(results.FlowDisk, results.FlowPayload, "forward").sum())
		add(BytesDiskWire, x.readFlowOf(results.FlowDisk, results.FlowBytes, "forward").sum())
		add(BytesMemory, x.readFlow(results.FlowPayload, "forward").sum())
		t.measureDiskCopy(x, begins, add)
	}
	if x.diskLoad() {
		stall, floor := x.diskStall(obs, t.Outage(Downtime).Quantity)
		add(DiskStall, stall)
		add(DiskStall+FloorSuffix, floor)
	}
	x.measureDiskVerified(add)
	if len(x.byName[results.DiskCompared]) == 0 {
		return
	}
	for _, m := range []struct{ name, record string }{
		{DiskComparedBytes, results.DiskCompared}, {DiskDiffering, results.DiskDiffers}, {DiskWrittenAfter, results.DiskWritten},
	} {
		add(m.name, x.total(m.record, results.Bytes, "the comparison of the disks did not say"))
	}
}

// measureDiskVerified adds what the guest found when it read back what it had written, where it did.
func (x *index) measureDiskVerified(add func(string, quantity.Quantity)) {
	if len(x.byName[results.DiskVerified])+len(x.byName[results.DiskCorrupt]) == 0 {
		return
	}
	const why = "the guest did not say"
	add(DiskVerifiedBytes, x.total(results.DiskVerified, results.Bytes, why))
	add(DiskCorruptPages, x.total(results.DiskCorrupt, results.One, why))
}

func (t *Timeline) measureDiskCopy(x *index, begins []results.Record, add func(string, quantity.Quantity)) {
	begin, ends := x.edge(begins[0]), x.byName[results.DiskCopyEnd]
	const unfinished = "the copy of the disk did not end"
	copied := x.diskCopied()
	if len(ends) == 0 && copied.Known {
		copied = quantity.AtLeast(copied.Value, results.Bytes, unfinished)
	}
	add(DiskCopiedBytes, copied)
	if begins[0].Attrs["job"] == "backup" {
		add(DiskPasses, quantity.Exactly(float64(len(x.byName[results.DiskCopyReady])), results.One))
	}
	spent := quantity.AtLeast(max(0, seconds(t.ActionEnd.Time-begin.Time)), results.Seconds, unfinished)
	add(DiskReadyTime, x.diskReady(begin))
	if len(ends) > 0 {
		spent = between(begin, x.edge(ends[len(ends)-1]))
	}
	add(DiskCopyTime, spent)
}

// diskReady ends with the last job or pass that was done before the memory's migration began.
func (x *index) diskReady(begin Edge) quantity.Quantity {
	ready := x.byName[results.DiskCopyReady]
	if len(ready) == 0 {
		return quantity.Unknown(results.Seconds, "the copy of the disk was never as far")
	}
	last := ready[0]
	for _, s := range x.byName[results.MigrationStatus] {
		if s.Time < begin.Time {
			continue
		}
		for _, r := range ready {
			if r.Time <= s.Time {
				last = r
			}
		}
		break
	}
	return between(begin, x.edge(last))
}

// diskCopied sums up how far each job came.
func (x *index) diskCopied() quantity.Quantity {
	type job struct{ kind, pass string }
	far := map[job]float64{}
	for _, r := range x.byName[results.DiskCopied] {
		j := job{r.Attrs["job"], r.Attrs["pass"]}
		far[j] = max(far[j], r.Value)
	}
	if len(far) == 0 {
		return quantity.Unknown(results.Bytes, "the hypervisor did not say how much of the disk it copied")
	}
	var sum float64
	for _, v := range far {
		sum += v
	}
	return quantity.Exactly(sum, results.Bytes)
}

// diskLoad reports whether the guest's workload wrote a disk and said how long that took.
func (x *index) diskLoad() bool {
	return len(x.byName[results.GuestDiskTimes])+len(x.byName[results.GuestDiskStall]) > 0 ||
		slices.ContainsFunc(x.byName[results.GuestWork], isDiskWork)
}

func isDiskWork(r results.Record) bool { return r.Attrs["kind"] == "disk" }
