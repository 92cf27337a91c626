package timelinetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
	"virtscope/results"
)

// A Keep is a trial in which a guest is saved periodically, and may fail and come back.
type Keep struct {
	Seed     uint64
	Recover  bool // the action is recover; else it is checkpoint
	Count    int  // of checkpoints, of the action checkpoint
	Period   time.Duration
	Live     bool   // the guest stops for 4 ms alone
	Disk     string // incremental, full or "" for none
	Restore  bool   // of the action checkpoint: the guest is killed at the end and comes back
	Refuse   bool   // of the action checkpoint: the last one is damaged, and its restore is refused
	Failures int    // of the action recover
	Every    time.Duration
	Kind     string        // of the failures; "" is kill-guest
	Alarms   int           // false ones at the end
	For      time.Duration // of the action recover without failures
	Slow     float64       // share of its speed that the workload loses in the action
	Unsaid   bool          // nobody says how the guest came back
}

// KeepTruth is what really happened, in s.
type KeepTruth struct {
	Downtimes []float64 // of each checkpoint
	Totals    []float64
	Detection []float64 // of each failure: from its effect
	Recovery  []float64 // until the guest answered
	Lost      []float64 // of the guest's own time
	Work      []float64 // B of its counter
	Downs     []float64 // from the effect until the guest ran
}

// A life is a stretch for which the guest ran: its clock shows mono at from.
type life struct {
	from, to int64
	mono     int64
}

// keeper makes a Keep.
type keeper struct {
	*world
	k       Keep
	t       int64 // now
	lives   []life
	monoNow int64   // the guest's clock, while it stands
	saved   int64   // its clock in the last checkpoint
	work    float64 // B/s
	truth   KeepTruth
	n       int
}

// Make returns the outcome, the records in no order, and the truth.
func (k Keep) Make() (results.Outcome, []results.Record, KeepTruth) {
	w := &world{Scenario: Scenario{Seed: k.Seed, Jitter: 300 * time.Microsecond}, rng: rand.New(rand.NewPCG(k.Seed, 11))}
	m := &keeper{world: w, k: k, t: int64(action), work: dirtied}
	m.lives = []life{{from: 300e6, to: math.MaxInt64, mono: 10e9}}
	if k.Recover {
		m.recover()
	} else {
		m.save()
	}
	w.ended = m.t + 5e6
	w.end = w.ended + int64(quiet)
	name, attrs := "checkpoint", []string{"mode", "stop", "format", "stream"}
	if k.Recover {
		name, attrs = "recover", []string{"period", strconv.FormatFloat(k.Period.Seconds(), 'g', -1, 64), "failures", strconv.Itoa(k.Failures), "mode", "stop"}
	}
	w.frame(name, int64(action), attrs)
	m.observe()
	w.rng.Shuffle(len(w.records), func(i, j int) { w.records[i], w.records[j] = w.records[j], w.records[i] })
	return w.outcome(), w.records, m.truth
}

func (m *keeper) runner(t int64, name string, attrs ...string) {
	m.add(t, "controller", results.SourceRunner, name, 0, results.Event, attrs...)
}

func (m *keeper) qmp(t int64, name string, attrs ...string) {
	m.add(t, "src", results.SourceQMP, name, 0, results.Event, attrs...)
}

// stop ends the guest's run at t, and start begins one there.
func (m *keeper) stop(t int64) {
	l := &m.lives[len(m.lives)-1]
	l.to = t
	m.monoNow = l.mono + t - l.from
}

func (m *keeper) start(t, mono int64) {
	m.lives = append(m.lives, life{from: t, to: math.MaxInt64, mono: mono})
}

// save is the action checkpoint.
func (m *keeper) save() {
	for range m.k.Count {
		began := m.t
		m.checkpoint()
		m.t = max(m.t, began+int64(m.k.Period))
	}
	id := m.id()
	switch {
	case m.k.Refuse:
		m.runner(m.t+1e6, results.CheckpointDamaged, "checkpoint", id, "kind", "flip", "file", "memory", "offset", "4096")
		m.runner(m.t+9e6, results.CheckpointRefused, "checkpoint", id, "error", "memory: SHA-256 differs from its manifest's")
		m.t += 10e6
	case m.k.Restore:
		m.add(m.t+5e6, "controller", results.SourceRunner, results.CheckpointVerified, 12<<20, results.Bytes, "checkpoint", id)
		m.runner(m.t+10e6, results.Fault, "kind", results.FaultKillGuest, "host", "src", "bound", "0.002")
		m.t += 12e6
		m.stop(m.t)
		m.back(m.t, m.t+3e6)
	}
}

func (m *keeper) id() string { return fmt.Sprintf("guest-%03d", m.n) }

// checkpoint takes one from now on, and leaves now at its end.
func (m *keeper) checkpoint() {
	m.n++
	some := func(ms float64) int64 { return int64(ms*1e6) + m.rng.Int64N(int64(ms*1e5)+1) }
	began, t := m.t, m.t
	kind := m.k.Disk
	if kind == "incremental" && m.n == 1 {
		kind = "full"
	}
	if kind == "" {
		kind = "none"
	}
	mode := map[bool]string{false: "stop", true: "live"}[m.k.Live]
	m.runner(t, results.CheckpointBegin, "checkpoint", m.id(), "mode", mode, "format", "stream", "to", "disk", "compression", "zstd", "disk", kind, "n", strconv.Itoa(m.n))
	t += some(2)
	var stopped, ran int64
	halt := func(length int64) {
		m.qmp(t, results.CheckpointFreeze)
		stopped = t + some(1)
		m.qmp(stopped, results.VMStop)
		m.stop(stopped)
		m.saved = m.monoNow
		t = stopped + length
	}
	thaw := func() {
		m.qmp(t, results.CheckpointThaw)
		ran = t + some(1)
		m.qmp(ran, results.VMResume)
		m.start(ran, m.monoNow)
		t = ran
	}
	if m.k.Live {
		m.qmp(t, results.CheckpointDump)
		t += some(1)
		halt(4e6)
		thaw()
		t += some(150)
		m.qmp(t, results.CheckpointDumped, "bytes", "50331648")
	} else {
		halt(some(1))
		m.qmp(t, results.CheckpointDump)
		t += some(120)
		m.qmp(t, results.CheckpointDumped, "bytes", "50331648")
	}
	if kind != "none" {
		size := map[string]int64{"full": 32 << 20, "incremental": 2 << 20}[kind]
		t += some(1)
		m.qmp(t, results.CheckpointDisk)
		t += some(float64(size) / (1 << 20))
		m.qmp(t, results.CheckpointDiskDone, "bytes", strconv.FormatInt(size, 10))
	}
	if !m.k.Live {
		t += some(1)
		thaw()
	}
	t += some(20)
	m.runner(t, results.CheckpointWritten, "checkpoint", m.id(), "bytes", "12582912", "raw", "50331648")
	t += some(8)
	m.runner(t, results.CheckpointSynced, "checkpoint", m.id())
	t += some(1)
	m.runner(t, results.CheckpointEnd, "checkpoint", m.id())
	m.truth.Downtimes = append(m.truth.Downtimes, float64(ran-stopped)/1e9)
	m.truth.Totals = append(m.truth.Totals, float64(t-began)/1e9)
	m.t = t
}

// back brings the guest back from the last checkpoint: it was lost at one time, and the restart begins at another.
func (m *keeper) back(lost, begin int64, attrs ...string) {
	attrs = append(attrs, "host", "src", "checkpoint", m.id())
	m.truth.Lost = append(m.truth.Lost, float64(m.monoNow-m.saved)/1e9)
	m.truth.Work = append(m.truth.Work, float64(m.monoNow-m.saved)/1e9*m.work)
	t := begin
	m.runner(t, results.RestartBegin, attrs...)
	step := func(ms int64, name string, attrs ...string) {
		t += ms*1e6 + m.rng.Int64N(1e6)
		m.qmp(t, name, attrs...)
	}
	step(25, results.BootSpawn, "pid", "300")
	step(30, results.BootMonitor)
	step(4, results.RestoreBegin, "format", "stream")
	step(80, results.RestoreEnd, "bytes", "50331648")
	step(2, results.VMResume)
	m.start(t, m.saved)
	m.truth.Downs = append(m.truth.Downs, float64(t-lost)/1e9)
	if !m.k.Unsaid {
		spoke := t + 6e6
		mono := m.saved + 6e6
		m.add(spoke+200_000+m.late(), "controller", results.SourceGuest, results.GuestRestored, float64(mono)/1e9, results.Seconds,
			append([]string{"mono", strconv.FormatInt(mono, 10), "work", strconv.FormatFloat(math.Round(float64(mono)/1e9*m.work), 'f', 0, 64), "unit", "B"}, attrs...)...)
	}
	t += 15e6
	m.runner(t, results.RestartEnd, attrs...)
	m.truth.Recovery = append(m.truth.Recovery, float64(t-lost)/1e9)
	m.t = t
}

// recover is the action recover: checkpoints by the period, failures every so often after the guest is back.
func (m *keeper) recover() {
	next := m.t
	for f := 1; f <= m.k.Failures; f++ {
		fails := m.t + int64(m.k.Every) + m.rng.Int64N(100e6)
		for m.n == 0 || next+200e6 < fails {
			m.t = max(m.t, next)
			m.checkpoint()
			next += int64(m.k.Period)
		}
		m.fail(f, max(m.t+5e6, fails))
		next = m.t + int64(m.k.Period)
	}
	for range m.k.Alarms {
		m.t += 300e6
		m.stop(m.t + 1e6)
		m.runner(m.t, results.FailureDetected, "by", "heartbeat", "silent", "0.4", "false", "true")
		m.back(m.t+1e6, m.t+2e6, "false", "true")
		m.truth.Recovery, m.truth.Lost, m.truth.Downs, m.truth.Work = cut(m.truth.Recovery), cut(m.truth.Lost), cut(m.truth.Downs), cut(m.truth.Work)
	}
	for end := int64(action) + int64(m.k.For); next < end; next += int64(m.k.Period) {
		m.t = max(m.t, next)
		m.checkpoint()
	}
	m.t = max(m.t, int64(action)+int64(m.k.For))
}

func cut(list []float64) []float64 { return list[:len(list)-1] }

// fail injects the n-th failure.
func (m *keeper) fail(n int, at int64) {
	number := strconv.Itoa(n)
	kind := m.k.Kind
	if kind == "" {
		kind = results.FaultKillGuest
	}
	m.runner(at, results.FailureInjected, "n", number, "kind", kind, "host", "src", "bound", "0.003")
	lost := at + 2e6
	if kind == results.FaultCutLink {
		m.runner(lost, results.LinkDown, "link", "link", "host", "src")
	} else {
		m.runner(lost+300_000, results.FailureEffective, "n", number)
	}
	detected := lost + 250e6 + m.rng.Int64N(20e6)
	m.stop(lost)
	m.runner(detected, results.FailureDetected, "n", number, "by", "heartbeat", "silent", "0.25")
	m.truth.Detection = append(m.truth.Detection, float64(detected-lost)/1e9)
	m.back(lost, detected+2e6, "n", number)
}

// observe is what the guest, a client and a capture saw.
func (m *keeper) observe() {
	const guest = results.SourceGuest
	m.add(200e6, "controller", guest, results.GuestTickInfo, 0.001, results.Seconds, "threshold", "0.003")
	seq := 0
	for _, l := range m.lives {
		to := min(l.to, m.end)
		for at := l.from + 3e6; at < to; at += 20e6 {
			mono := l.mono + at - l.from
			arrives := at + 80_000 + m.late()
			if arrives > l.to && m.lost(l.to) {
				break
			}
			seq++
			m.add(arrives, "controller", guest, results.GuestHeartbeat, float64(mono)/1e9, results.Seconds, "seq", strconv.Itoa(seq), "mono", strconv.FormatInt(mono, 10))
			if seq%5 == 0 {
				wrote := m.wrote(at, mono)
				m.add(arrives, "controller", guest, results.GuestDirtied, math.Round(wrote), results.Bytes, "mono", strconv.FormatInt(mono, 10))
			}
		}
	}
	m.add(m.end+2e6, "controller", guest, results.MemoryVerified, 64<<20, results.Bytes)
	m.add(m.end+2e6, "controller", guest, results.MemoryCorrupt, 0, results.One)
	m.probe()
}

// wrote is the workload's counter: it loses Slow of its speed from the action's begin on.
func (m *keeper) wrote(at, mono int64) float64 {
	if m.k.Slow == 0 {
		return float64(mono) / 1e9 * m.work
	}
	before := float64(10e9+int64(action)-300e6) / 1e9 // the guest's clock when the action began
	now := float64(mono) / 1e9
	if at < int64(action) {
		return now * m.work
	}
	return (before + (now-before)*(1-m.k.Slow)) * m.work
}

// lost reports whether the guest failed at t, rather than stood still.
func (m *keeper) lost(t int64) bool {
	for i, l := range m.lives {
		if l.to == t && i+1 < len(m.lives) {
			return m.lives[i+1].mono != l.mono+l.to-l.from
		}
	}
	return false
}

// runs reports whether the guest runs at t.
func (m *keeper) runsAt(t int64) bool {
	for _, l := range m.lives {
		if t >= l.from && t < l.to {
			return true
		}
	}
	return false
}

// probe is the echo client, whose answers are the guest's frames.
func (m *keeper) probe() {
	const interval = int64(4e6)
	m.add(int64(warmUp), "client", results.SourceEcho, results.EchoInterval, float64(interval)/1e9, results.Seconds)
	seq := 0
	for sent := int64(warmUp) + m.rng.Int64N(interval); sent < m.end; sent += interval {
		seq++
		there := sent + 60_000 + m.late()
		if !m.runsAt(there) {
			m.add(sent, "client", results.SourceEcho, results.EchoLost, 0, results.Event, "seq", strconv.Itoa(seq))
			continue
		}
		back := there + 60_000 + m.late()
		m.add(sent, "client", results.SourceEcho, results.EchoRTT, float64(back-sent)/1e9, results.Seconds, "seq", strconv.Itoa(seq))
		m.add(there+30_000, "switch", results.SourceCaptureSwitch, results.GuestFrame, 106, results.Bytes, "port", "src")
	}
	m.add(m.end+1e6, "switch", results.SourceCaptureSwitch, results.CaptureFrames, float64(seq), results.One)
	m.add(m.end+1e6, "switch", results.SourceCaptureSwitch, results.CaptureDropped, 0, results.One)
}
