package timelinetest

import (
	"math"
	"strconv"
	"virtscope/results"
)

// Pages of every migration, as the hypervisor counts them.
const (
	normalPages = 21000
	zeroPages   = 44000
)

// pages are how many of each kind were sent by t: those that are not zero evenly, the zero ones all in the first segment.
func (w *world) pages(t int64) (normal, zero float64) {
	share := func(end int64) float64 { return max(0, min(1, float64(t-w.first)/float64(max(1, end-w.first)))) }
	return math.Floor(normalPages * share(w.done)), math.Floor(zeroPages * share(w.edges()[1]))
}

// copied is when what the destination needs to run was sent.
func (w *world) copied() int64 { return w.stopped.to - (w.stopped.to-w.stopped.from)/4 }

// toFile reports whether the migration leaves no packets.
func (w *world) toFile() bool {
	return w.Algorithm == results.AlgorithmMappedRAM || w.Algorithm == results.AlgorithmBackgroundSnapshot
}

// postCopy reports whether memory passes after the guest runs at the destination.
func (w *world) postCopy() bool {
	return w.Algorithm == results.AlgorithmPostCopy || w.Algorithm == results.AlgorithmHybrid
}

func (w *world) tell(t int64, name string, v float64, u results.Unit, attrs ...string) {
	w.add(t, "switch", results.SourceWire, name, v, u, append(attrs, "stream", "1")...)
}

func within(early, late int64) []string {
	return []string{"earliest", strconv.FormatInt(origin+early, 10), "latest", strconv.FormatInt(origin+late, 10)}
}

func (w *world) stage(t int64, name string, attrs ...string) {
	w.tell(t, results.WireStage, 0, results.Event, append(attrs, "stage", name)...)
}

// wire is what decoding the migration's packets shows: rounds and edges within bounds that hold the hypervisor's events, and
// the pages themselves.
func (w *world) wire() {
	tell, stage := w.tell, w.stage
	begin := int64(action) + 9e6
	tell(begin, results.WireMigration, 0, results.Event, "format", "qemu", "start", "header", "machine", "pc-q35-10.0", "client", "10.9.0.1:44102", "server", "10.9.0.2:4444")
	stage(begin, results.StageSetup)
	var begins []int64
	how := "start"
	for i, t := range w.passes() {
		if t >= w.done || w.Algorithm == results.AlgorithmPostCopy {
			break
		}
		if i == 0 {
			stage(t+200_000, results.StagePreCopy)
		}
		tell(t+200_000, results.WireRound, float64(i+1), results.Event, append(within(t-1e6, t+2e6), "how", how)...)
		begins, how = append(begins, t), "again"
	}
	copied, run := w.copied(), w.stopped.to
	stop := w.roundsEnd()
	n := float64(len(begins) + 1)
	switch {
	case !w.moved && !w.GoneFor:
		tell(w.done+2e6, results.WireMigrationEnd, 0, results.Event, "how", "reset")
		return
	case w.Algorithm == results.AlgorithmStopAndCopy: // the stop before it all leaves no trace
		stop = w.done - 1e6
		stage(stop, results.StageStopCopy, within(stop-700_000, stop)...)
	case w.postCopy():
		stage(stop+300_000, results.StageStopCopy, within(stop-700_000, stop+300_000)...)
		tell(copied, results.WireRound, n, results.Event, append(within(stop-700_000, copied), "how", "postcopy")...)
		begins = append(begins, max(w.first, stop+300_000))
	default:
		stage(stop+300_000, results.StageStopCopy, within(stop-700_000, stop+300_000)...)
		tell(stop+300_000, results.WireRound, n, results.Event, append(within(stop-700_000, stop+300_000), "how", "final")...)
		begins = append(begins, stop+300_000) // nothing passes between the stop and the synchronisation
	}
	if w.GoneFor {
		tell(w.ended-5e6, results.WireMigrationEnd, 0, results.Event, "how", "reset")
		return
	}
	w.wireSums(tell, begins, w.done)
	switch {
	case w.postCopy():
		stage((stop+copied)/2, results.StageDeviceState)
		stage(copied, results.StagePostCopy)
		w.faults()
	default:
		stage(copied, results.StageDeviceState)
		stage(copied+2e6, results.StageSwitchOver)
	}
	stage(run+400_000, results.StageRunning, append(within(copied+2e6, run+400_000), "from", "return path")...)
	stage(w.ended-1e6, results.StageDone)
	tell(w.ended-1e6, results.WireMigrationEnd, 0, results.Event, "how", "complete")
}

// faults are the pages that post-copy asks for.
func (w *world) faults() {
	tell := func(name string, v float64, u results.Unit, attrs ...string) { w.tell(w.done, name, v, u, attrs...) }
	tell(results.WirePageRequests, requests, results.One)
	tell(results.WirePageRequests, requests-4, results.One, "answer", "sent")
	tell(results.WirePageRequests, 4, results.One, "answer", "crossed")
	tell(results.WirePageFault, requests-4, results.One, "stat", "count")
	for stat, v := range map[string]float64{"min": 20e-6, "p50": 30e-6, "p90": 370e-6, "p99": 1.31e-3, "max": 1.32e-3, "mean": 218e-6} {
		tell(results.WirePageFault, v, results.Seconds, "stat", stat)
	}
}

func (w *world) wireSums(tell func(int64, string, float64, results.Unit, ...string), begins []int64, copied int64) {
	for i, t := range begins {
		end := copied
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		round := strconv.Itoa(i + 1)
		n0, z0 := w.pages(t)
		n1, z1 := w.pages(end)
		tell(end, results.WireRoundBytes, math.Round(w.sentBetween(t, end)), results.Bytes, "round", round)
		for kind, v := range map[string]float64{results.PageNormal: n1 - n0, results.PageZero: z1 - z0} {
			if v > 0 {
				tell(end, results.WireRoundPages, v, results.One, "round", round, "kind", kind)
			}
		}
		tell(end, results.WireRoundSpan, n1-n0+z1-z0, results.One, "round", round)
		tell(end, results.WireRoundResent, n1-n0, results.One, "round", round)
	}
	done := w.ended - 1e6
	tell(done, results.WirePages, normalPages, results.One, "kind", results.PageNormal)
	tell(done, results.WirePages, zeroPages, results.One, "kind", results.PageZero)
	tell(done, results.WirePageBytes, normalPages*4105, results.Bytes, "kind", results.PageNormal)
	if w.Algorithm == "" {
		tell(done, results.WireSyncs, float64(len(begins)), results.One)
	} else {
		tell(done, results.WireSyncs, float64(max(1, len(begins)-1)), results.One, "atleast", "true")
	}
	bytes := math.Round(w.sentBetween(begins[0], copied))
	tell(begins[0], results.WireChannel, 0, results.Event, "channel", "main")
	tell(done, results.WireChannelBytes, bytes+31000, results.Bytes, "channel", "main", "dir", "forward")
	tell(done, results.WireChannelMissing, 0, results.Bytes, "channel", "main", "dir", "forward")
}
