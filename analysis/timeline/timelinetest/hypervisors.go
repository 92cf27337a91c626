package timelinetest

import (
	"math"
	"strconv"
	"virtscope/results"
)

// plan sets the edges of a migration that is not plain pre-copy. The order of the events is that of recorded QEMU 10 runs.
func (w *world) plan() {
	w.moved = !w.GoneFor
	from := w.stopped.from
	switch w.Algorithm {
	case results.AlgorithmPostCopy: // it synchronises once, and stops the guest
		from = int64(action) + 14_100_000
	case results.AlgorithmStopAndCopy:
		from = int64(action) + 500_000
	case results.AlgorithmBackgroundSnapshot:
		from, w.moved = int64(action)+20e6, false
	}
	if !w.GoneFor {
		w.stopped = span{from, from + int64(w.Outage)}
	}
	if w.Cancel > 0 || w.Kill > 0 {
		w.moved = false
	}
	w.first = w.passes()[0]
	w.done = w.copied()
	switch w.Algorithm {
	case results.AlgorithmPostCopy, results.AlgorithmHybrid, results.AlgorithmBackgroundSnapshot:
		w.done = w.stopped.to + int64(w.Post)
	}
	if w.Algorithm == results.AlgorithmPostCopy {
		w.first = w.copied() // nothing is sent before
	}
	if w.GoneFor {
		w.done = w.stopped.from + 300e6
		return
	}
	if t := int64(action + w.Cancel + w.Kill); w.Cancel+w.Kill > 0 && t < w.done {
		w.done = t
		if t < w.stopped.from { // the guest is never stopped
			w.stopped = span{t, t}
		}
		w.ended = max(t, w.stopped.to) + 30e6
		w.end = w.ended + int64(quiet)
		return
	}
	w.ended = max(w.stopped.to, w.done) + 12e6
	w.end = w.ended + int64(quiet)
}

// attrs are what the action tells of itself.
func (w *world) attrs() []string {
	if w.Algorithm == "" {
		return nil
	}
	list := []string{results.AttrAlgorithm, w.Algorithm}
	if w.Client != "" {
		list = append(list, results.AttrClient, w.Client)
	}
	if w.Cancel > 0 {
		list = append(list, results.AttrCancel, "true")
	}
	if w.Kill > 0 {
		list = append(list, results.AttrKillDestination, "true")
	}
	return list
}

// purpose is what the runner does beside the migration.
func (w *world) purpose() {
	runner := func(t int64, name string, attrs ...string) {
		w.add(t, "controller", results.SourceRunner, name, 0, results.Event, attrs...)
	}
	if w.Cancel > 0 {
		runner(int64(action+w.Cancel), results.Fault, "kind", results.FaultCancel)
	}
	if w.Held {
		w.add(w.stopped.from-200_000, "src", results.SourceRunner, results.Fault, 0, results.Event, "kind", results.FaultStopGuest)
	}
	if w.Kill > 0 {
		runner(int64(action+w.Kill), results.Fault, "kind", results.FaultKillDestination)
	}
	if w.LinkDown.For > 0 {
		at := int64(action + w.LinkDown.At)
		runner(at, results.LinkDown, "link", "migration-link", "host", "src")
		runner(at+int64(w.LinkDown.For), results.LinkUp, "link", "migration-link", "host", "src")
	}
}

// passes is when each round begins: round 1 takes most of the time, each further one a third of the one before.
func (w *world) passes() []int64 {
	rounds := max(1, w.Rounds)
	if w.Algorithm == results.AlgorithmPostCopy {
		rounds = 1
	}
	begin, end := int64(action)+14e6, w.stopped.from
	if w.Algorithm == results.AlgorithmStopAndCopy || w.Algorithm == results.AlgorithmBackgroundSnapshot {
		return []int64{w.stopped.from + 2e6}
	}
	if w.stopped.from == w.stopped.to && (w.Cancel > 0 || w.Kill > 0) {
		end = int64(stop) // it would have stopped then
	}
	var sum float64
	for i := range rounds {
		sum += math.Pow(3, -float64(i))
	}
	at, list := float64(begin), []int64{}
	for i := range rounds {
		list = append(list, int64(at)/1000*1000)
		at += float64(end-begin) * math.Pow(3, -float64(i)) / sum
	}
	return list
}

// edges are when segments of the copy begin, and when the last one ends: rounds, then what is sent after the stop.
func (w *world) edges() []int64 {
	var list []int64
	for _, t := range w.passes() {
		if t < w.done {
			list = append(list, t)
		}
	}
	if w.stopped.from > w.first && w.stopped.from < w.done && w.Algorithm != results.AlgorithmPostCopy {
		list = append(list, w.roundsEnd())
	}
	return append(list, w.done)
}

// roundsEnd is when the last round is over: when the hypervisor stops the guest, or finds it stopped.
func (w *world) roundsEnd() int64 {
	if w.Held {
		return w.stopped.from + (w.copied()-w.stopped.from)*3/4
	}
	return w.stopped.from
}

// sentBetween is what was sent from a to b, in B: at the link's rate, except while post-copy is paused.
func (w *world) sentBetween(a, b int64) float64 {
	length := func(from, to int64) int64 { return max(0, min(b, to)-max(a, from)) }
	sent := length(w.first, w.done)
	if w.Paused.For > 0 {
		at := w.stopped.to + int64(w.Paused.At)
		sent -= length(at, at+int64(w.Paused.For))
	}
	return w.Rate * float64(sent) / 1e9
}

// left is what is to be sent at t: what the segment under way sends until its end, as if nothing else were dirtied.
func (w *world) left(t int64) float64 {
	edges := w.edges()
	for i := 1; i < len(edges); i++ {
		if t < edges[i] {
			return w.sentBetween(max(t, edges[i-1]), edges[i])
		}
	}
	return 0
}

// hypervisors say what QEMU says: stamps cut to µs.
func (w *world) hypervisors() {
	say := w.say
	say(250e6, "src", results.VMResume, 0) // the boot
	setup := int64(action) + 1e6
	say(setup, "src", results.MigrationStatus, 0, "status", "setup")
	switch w.Algorithm {
	case results.AlgorithmStopAndCopy:
		w.sayStopped()
		return
	case results.AlgorithmBackgroundSnapshot:
		w.saySnapshot()
		return
	}
	if w.Algorithm != results.AlgorithmMappedRAM {
		say(setup+1e6, "dst", results.MigrationStatus, 0, "status", "active")
	}
	for i, t := range w.passes() {
		if t < w.done {
			w.sync(t, i+1)
		}
	}
	say(w.passes()[0]+50_000, "src", results.MigrationStatus, 0, "status", "active")
	switch {
	case w.stopped.from == w.stopped.to && w.Cancel > 0:
		say(w.done+400_000, "src", results.MigrationStatus, 0, "status", "cancelling")
		say(w.done+1_400_000, "src", results.MigrationStatus, 0, "status", "cancelled")
		say(w.done+26e6, "dst", results.MigrationStatus, 0, "status", "failed")
		return
	case w.stopped.from == w.stopped.to && w.Kill > 0:
		say(w.done+8e6, "src", results.MigrationStatus, 0, "status", "failed")
		return
	}
	w.sayMoved()
}

func (w *world) say(t int64, host, name string, v float64, attrs ...string) {
	w.add(t/1000*1000, host, results.SourceQMP, name, v, results.Event, attrs...)
}

// sync is synchronisation n, and the answer to what it led to ask.
func (w *world) sync(t int64, n int) {
	w.say(t, "src", results.PreCopyRound, float64(n))
	w.counters(t+700_000, "trigger", "pass", "round", strconv.Itoa(n))
}

// counters are those of the moment of the answer. Once all is copied, nothing is left and no rate is told.
func (w *world) counters(t int64, attrs ...string) {
	const qmp = results.SourceQMP
	t = w.answers(t)
	left, rate := w.left(t), 0.0
	if t < w.done {
		rate = dirtied
	}
	w.add(t, "src", qmp, results.MigrationTransferred, w.sentBetween(w.first, t), results.Bytes, attrs...)
	w.add(t, "src", qmp, results.MigrationRemaining, left, results.Bytes, attrs...)
	w.add(t, "src", qmp, results.MigrationDirtyRate, rate, results.BytesPerSecond, attrs...)
	normal, zero := w.pages(t)
	w.add(t, "src", qmp, results.MigrationPages, normal, results.One, append(attrs, "kind", "normal")...)
	w.add(t, "src", qmp, results.MigrationPages, zero, results.One, append(attrs, "kind", "zero")...)
}

// sayMoved is from the guest's stop on: one synchronisation after STOP. In pre-copy the source is done before the destination
// runs the guest; in post-copy it goes on.
func (w *world) sayMoved() {
	say, stop, run := w.say, w.stopped.from, w.stopped.to
	n := len(w.passes())
	say(stop, "src", results.VMStop, 0)
	if w.GoneFor {
		say(stop+300e6, "src", results.MigrationStatus, 0, "status", "failed")
		return
	}
	if w.Algorithm != "" {
		say(stop+20_000, "src", results.MigrationStatus, 0, "status", "device")
	}
	over := w.roundsEnd()
	say(over+300_000, "src", results.PreCopyRound, float64(n+1))
	w.counters(over+900_000, "trigger", "pass", "round", strconv.Itoa(n+1))
	switch {
	case w.Kill > 0: // while the guest was stopped: it runs on at the source
		say(w.done+8e6, "src", results.MigrationStatus, 0, "status", "failed")
		say(run, "src", results.VMResume, 0)
		return
	case w.Algorithm == results.AlgorithmPostCopy, w.Algorithm == results.AlgorithmHybrid:
		w.sayPostCopy()
	default:
		say(w.done, "src", results.MigrationStatus, 0, "status", "completed")
		say(run, "dst", results.VMResume, 0)
		say(run+200_000, "dst", results.MigrationStatus, 0, "status", "completed")
	}
	w.final(n + 1)
}

func (w *world) sayPostCopy() {
	say, run := w.say, w.stopped.to
	status := func(t int64, host, status string) { say(t, host, results.MigrationStatus, 0, "status", status) }
	active := run - (w.stopped.to-w.stopped.from)/4
	status(active, "src", "postcopy-active")
	status(active+300_000, "dst", "postcopy-active")
	say(run, "dst", results.VMResume, 0)
	if p := w.Paused; p.For > 0 {
		at := run + int64(p.At)
		back := at + int64(p.For)
		status(at-1e6, "dst", "postcopy-paused")
		status(at, "src", "postcopy-paused")
		status(back-40e6, "src", "postcopy-recover-setup")
		status(back-39e6, "dst", "postcopy-recover")
		status(back-39e6, "src", "postcopy-recover")
		status(back-100_000, "dst", "postcopy-active")
		status(back, "src", "postcopy-active")
	}
	status(w.done-300_000, "dst", "completed")
	status(w.done, "src", "completed")
}

// sayStopped: "stop" comes before the migration, and "cont" after it.
func (w *world) sayStopped() {
	say := w.say
	say(w.stopped.from, "src", results.VMStop, 0)
	w.sync(w.first, 1)
	say(w.first+50_000, "src", results.MigrationStatus, 0, "status", "active")
	w.sync(w.done-6e6, 2)
	say(w.done-5_500_000, "src", results.MigrationStatus, 0, "status", "device")
	w.sync(w.done-700_000, 3)
	say(w.done, "src", results.MigrationStatus, 0, "status", "completed")
	say(w.done+5e6, "dst", results.MigrationStatus, 0, "status", "completed")
	say(w.stopped.to, "dst", results.VMResume, 0)
	w.final(3)
}

// saySnapshot: the guest stops for its device state, and runs on.
func (w *world) saySnapshot() {
	say := w.say
	say(w.stopped.from-300_000, "src", results.MigrationStatus, 0, "status", "active")
	say(w.stopped.from, "src", results.VMStop, 0)
	say(w.stopped.to, "src", results.VMResume, 0)
	say(w.done, "src", results.MigrationStatus, 0, "status", "completed")
	w.final(0)
}

// final is what is asked for when all is over.
func (w *world) final(syncs int) {
	const qmp = results.SourceQMP
	at := w.ended - 1e6
	final := []string{"trigger", "final"}
	w.counters(at, final...)
	w.add(at, "src", qmp, results.MigrationTotal, 256<<20, results.Bytes, final...)
	w.add(at, "src", qmp, results.MigrationSyncCount, float64(syncs), results.One, final...)
	w.add(at, "src", qmp, results.ReportedDowntime, float64((w.copied()-w.stopped.from)/1e6)/1e3, results.Seconds, final...)
	w.add(at, "src", qmp, results.ReportedTotalTime, float64((w.done-int64(action))/1e6)/1e3, results.Seconds, final...)
	w.add(w.end+20e6, "controller", results.SourceGuest, results.MemoryVerified, 16<<20, results.Bytes)
	w.add(w.end+20e6, "controller", results.SourceGuest, results.MemoryCorrupt, 0, results.One)
	if w.Algorithm == "" {
		return
	}
	w.finalOf(at)
}

// finalOf are the counters that only some algorithms have.
func (w *world) finalOf(at int64) {
	add := func(name string, v float64, u results.Unit) {
		w.add(at, "src", results.SourceQMP, name, v, u, "trigger", "final")
	}
	all := w.sentBetween(w.first, w.done)
	before := min(all, w.sentBetween(w.first, max(w.first, w.stopped.from)))
	add(results.MigrationPrecopyBytes, before, results.Bytes)
	switch w.Algorithm {
	case results.AlgorithmPostCopy, results.AlgorithmHybrid:
		add(results.MigrationDowntimeBytes, 0, results.Bytes)
		add(results.MigrationPostcopyBytes, all-before, results.Bytes)
		add(results.MigrationPageRequests, requests, results.One)
		return
	case results.AlgorithmXBZRLE:
		add(results.MigrationXBZRLEBytes, 3<<20, results.Bytes)
		add(results.MigrationXBZRLEPages, 3000, results.One)
		add(results.MigrationXBZRLEMisses, 1000, results.One)
		add(results.MigrationXBZRLEOverflow, 60, results.One)
	case results.AlgorithmAutoConverge:
		w.add(w.first+500e6, "src", results.SourceQMP, results.MigrationThrottle, 0.5, results.One, "trigger", "poll")
		add(results.MigrationThrottle, 0.4, results.One)
	}
	add(results.MigrationDowntimeBytes, all-before, results.Bytes)
}

// requests is how many pages post-copy asks for.
const requests = 14
