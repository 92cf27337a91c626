package timelinetest

import (
	"strconv"
	"virtscope/results"
)

// mirror is the copy of a disk of 64 MiB that begins with the action, and the guest's writes to it: 100 a second of 4 KiB, of
// 3 ms each. One is under way when the guest stops, and takes 120 ms of its time.
func (w *world) mirror() {
	const qmp, size = results.SourceQMP, 64 << 20
	begin := int64(action) + 1e6
	job := []string{"job", "mirror"}
	w.add(begin, "src", qmp, results.DiskCopyBegin, 0, results.Event, job...)
	for i := range int64(4) {
		w.add(begin+i*100e6, "src", qmp, results.DiskCopied, float64((i+1)*size/4), results.Bytes, job...)
		for name, v := range map[string]float64{results.FlowPayload: size / 4, results.FlowBytes: size / 4 * 1.04} {
			w.add(begin+i*100e6, "switch", results.SourceCaptureSwitch, name, v, results.Bytes, "flow", results.FlowDisk, "dir", "forward", "bin", "0.1")
		}
	}
	w.add(begin+400e6, "src", qmp, results.DiskCopyReady, 0, results.Event, job...)
	w.add(w.stopped.from+5e6, "src", qmp, results.DiskCopyEnd, 0, results.Event, job...)
	w.writes()
	w.add(w.end+20e6, "controller", results.SourceRunner, results.DiskCompared, size, results.Bytes)
	w.add(w.end+20e6, "controller", results.SourceRunner, results.DiskDiffers, 8<<10, results.Bytes)
	w.add(w.end+20e6, "controller", results.SourceRunner, results.DiskWritten, 400<<10, results.Bytes)
}

// writes are the guest's reports, one for each tenth of a second in which it runs. Its counts: entry i is of writes below 2^i µs.
func (w *world) writes() {
	const guest, long = results.SourceGuest, int64(120e6)
	said := func(t int64) string { return strconv.FormatInt(w.mono(t), 10) }
	began, ended := w.stopped.from-60e6, w.stopped.to+long-60e6
	n := 0
	for t := int64(warmUp); t < w.end; t += 100e6 {
		if w.runs(t) != t {
			continue
		}
		longest, counts := 0.003, "0,0,0,0,0,0,0,0,0,0,0,0,10"
		switch {
		case t > began && t <= ended:
			longest, counts = 0, "0"
		case t > ended && t <= ended+100e6:
			longest, counts = float64(long)/1e9, "0,0,0,0,0,0,0,0,0,0,0,0,2,0,0,0,0,1"
			n += 3
			w.add(ended+200_000, "controller", guest, results.GuestDiskStall, longest, results.Seconds, "mono", said(ended))
		default:
			n += 10
		}
		w.add(t+200_000, "controller", guest, results.GuestDiskTimes, longest, results.Seconds, "mono", said(t), "counts", counts)
		w.add(t+200_000, "controller", guest, results.GuestWork, float64(n), results.One, "kind", "disk", "bytes", strconv.Itoa(n*4096), "late", "0", "mono", said(t))
	}
}
