package timelinetest

import (
	"math"
	"strconv"
	"virtscope/results"
)

// agent is what the guest says of itself, as its agent does: a ticker that looks at the clock at each multiple of a
// millisecond.
func (w *world) agent() {
	const guest = results.SourceGuest
	w.add(200e6, "controller", guest, results.GuestTickInfo, 0.001, results.Seconds, "threshold", "0.003")
	last, nextBeat, seq := int64(0), beat, 0
	until := w.end // or until it is heard again, if that is within the time in which results are collected
	for _, p := range w.spans(w.Stuck) {
		if p.from < w.end && p.to > w.end && p.to < w.end+5e9 {
			until = max(until, p.to+300e6)
		}
	}
	for due := int64(300e6); ; {
		t := w.ticks(w.host(due)) + w.rng.Int64N(40_000)
		t = w.ticks(t)
		if t > until {
			return
		}
		now := w.mono(t)
		arrives := t + 80_000 + w.late()
		at := strconv.FormatInt(now, 10)
		if last != 0 && now-last > threshold {
			w.add(arrives, "controller", guest, results.GuestTickMiss, float64(now-last)/1e9, results.Seconds, "mono", at)
		}
		if now >= nextBeat {
			seq++
			w.add(arrives, "controller", guest, results.GuestHeartbeat, float64(now)/1e9, results.Seconds, "seq", strconv.Itoa(seq), "mono", at)
			nextBeat = now - now%beat + beat
			if seq%5 == 0 {
				wrote := float64(now) / 1e9 * dirtied
				w.add(arrives, "controller", guest, results.GuestDirtied, math.Round(wrote), results.Bytes, "mono", at)
				if w.Asked > 0 {
					w.add(arrives, "controller", guest, results.GuestAsked, math.Round(float64(now)/1e9*w.Asked), results.Bytes, "mono", at)
				}
			}
		}
		last = now
		due = now - now%tick + tick
	}
}

// echo sends probes; the answers are the guest's frames at the switch.
func (w *world) echo() {
	const echo = results.SourceEcho
	const half = int64(60_000) // least way from the client to the guest, or back
	w.add(int64(warmUp), "client", echo, results.EchoInterval, w.Interval.Seconds(), results.Seconds)
	phase := w.rng.Int64N(int64(w.Interval))
	seq := 0
	for sent := int64(warmUp) + phase; sent < w.end; sent += int64(w.Interval) {
		seq++
		number := strconv.Itoa(seq)
		there := sent + half + w.late()
		lost := there >= w.stopped.from && there < w.stopped.to && !w.Buffered
		wakes := w.runs(there)
		if lost || wakes > w.end {
			w.add(sent, "client", echo, results.EchoLost, 0, results.Event, "seq", number)
			continue
		}
		port := "src"
		if wakes >= w.stopped.to && w.moved {
			port = "dst"
		}
		back := wakes + half + w.late()
		w.add(sent, "client", echo, results.EchoRTT, float64(back-sent)/1e9, results.Seconds, "seq", number)
		if w.Capture {
			w.add(wakes+half/2, "switch", results.SourceCaptureSwitch, results.GuestFrame, 106, results.Bytes, "port", port)
		}
	}
	if !w.Capture {
		return
	}
	w.add(w.end+1e6, "switch", results.SourceCaptureSwitch, results.CaptureFrames, float64(seq), results.One)
	w.add(w.end+1e6, "switch", results.SourceCaptureSwitch, results.CaptureDropped, 0, results.One)
	if w.GoneFor || !w.moved {
		return
	}
	// The hypervisor's own announcements: some come before the guest answers anything.
	for _, after := range []int64{-1_000_000, 49e6, 149e6, 249e6} {
		t := w.stopped.to + after
		w.add(t, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, results.Bytes, "port", "dst")
		w.add(t, "switch", results.SourceCaptureSwitch, results.GuestAnnounce, 0, results.Event, "port", "dst", "kind", "rarp")
	}
	spoke := w.runs(w.stopped.to + 2e6)
	w.add(spoke, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, results.Bytes, "port", "dst")
	w.add(spoke, "switch", results.SourceCaptureSwitch, results.GuestAnnounce, 0, results.Event, "port", "dst", "kind", "garp")
}

// flow is the migration's payload at a constant rate from round 1 until all is copied, in bins.
func (w *world) flow() {
	length := int64(w.Bin)
	bin := strconv.FormatFloat(w.Bin.Seconds(), 'g', -1, 64)
	for t := w.first / length * length; t < w.done; t += length {
		bytes := math.Round(w.sentBetween(t, t+length))
		if bytes == 0 {
			continue
		}
		for _, f := range []struct {
			name, dir string
			v         float64
		}{
			{results.FlowPayload, "forward", bytes},
			{results.FlowBytes, "forward", math.Round(bytes * 1.045)},
			{results.FlowBytes, "reverse", math.Round(bytes * 0.01)},
		} {
			w.add(t, "switch", results.SourceCaptureSwitch, f.name, f.v, results.Bytes, "flow", "migration", "dir", f.dir, "bin", bin)
		}
	}
}

// usage samples two processes, their threads and the machine every 100 ms.
func (w *world) usage() {
	const usage = results.SourceUsage
	w.add(300e6, "controller", usage, results.HostCPUs, 2, results.One)
	busy := func(t, from, to int64, share float64) float64 {
		return math.Floor(100*share*float64(max(0, min(t, to)-from))/1e9) / 100
	}
	first := w.first
	for t := int64(300e6); t < w.end; t += 100e6 {
		guest := busy(t, 0, w.stopped.from, 0.4)
		moved := busy(t, w.stopped.to, w.end, 0.4)
		until := max(w.stopped.to, w.done)
		sender := busy(t, first, until, 0.3)
		receiver := busy(t, first, until, 0.2)
		w.add(t, "controller", usage, results.ProcessCPU, guest+sender, results.Seconds, "process", "source", "pid", "100")
		w.add(t, "controller", usage, results.ProcessCPU, moved+receiver, results.Seconds, "process", "destination", "pid", "200")
		w.add(t, "controller", usage, results.ThreadCPU, guest, results.Seconds, "process", "source", "pid", "100", "thread", "CPU 0/TCG", "tid", "101")
		w.add(t, "controller", usage, results.ThreadCPU, moved, results.Seconds, "process", "destination", "pid", "200", "thread", "CPU 0/TCG", "tid", "201")
		if t > first && t < until {
			w.add(t, "controller", usage, results.ThreadCPU, sender, results.Seconds, "process", "source", "pid", "100", "thread", "mig/src/main", "tid", "102")
		}
		all := guest + moved + sender + receiver
		w.add(t, "controller", usage, results.HostCPU, all*0.8, results.Seconds, "mode", "user")
		w.add(t, "controller", usage, results.HostCPU, all*0.3, results.Seconds, "mode", "system")
		w.add(t, "controller", usage, results.HostCPU, 2*float64(t)/1e9-all*1.1, results.Seconds, "mode", "idle")
	}
	for _, p := range []string{usage, results.SourceEcho} {
		w.add(w.end, "controller", p, results.ProbeCPU, 0.03, results.Seconds)
		w.add(w.end, "controller", p, results.ProbeWall, 6, results.Seconds)
	}
}
