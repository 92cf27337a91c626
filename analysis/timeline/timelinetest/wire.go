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

// pages are how many of each kind were sent by t: those that are not zero evenly, the zero ones all in round 1.
func (w *world) pages(t int64) (normal, zero float64) {
	passes := w.passes()
	until := w.stopped.from
	if len(passes) > 1 {
		until = passes[1]
	}
	share := func(end int64) float64 { return max(0, min(1, float64(t-passes[0])/float64(end-passes[0]))) }
	return math.Floor(normalPages * share(w.copied())), math.Floor(zeroPages * share(until))
}

// copied is when the last of memory was sent.
func (w *world) copied() int64 { return w.stopped.to - (w.stopped.to-w.stopped.from)/4 }

// wire is what decoding the migration's packets shows: rounds and edges within bounds that hold the hypervisor's events, and
// the pages themselves.
func (w *world) wire() {
	tell := func(t int64, name string, v float64, u results.Unit, attrs ...string) {
		w.add(t, "switch", results.SourceWire, name, v, u, append(attrs, "stream", "1")...)
	}
	between := func(early, late int64) []string {
		return []string{"earliest", strconv.FormatInt(origin+early, 10), "latest", strconv.FormatInt(origin+late, 10)}
	}
	stage := func(t int64, name string, attrs ...string) {
		tell(t, results.WireStage, 0, results.Event, append(attrs, "stage", name)...)
	}
	passes := w.passes()
	begin := int64(action) + 9e6
	tell(begin, results.WireMigration, 0, results.Event, "format", "qemu", "start", "header", "machine", "pc-q35-10.0", "client", "10.9.0.1:44102", "server", "10.9.0.2:4444")
	stage(begin, results.StageSetup)
	stage(passes[0]+200_000, results.StagePreCopy)
	how := "start"
	for i, t := range passes {
		tell(t+200_000, results.WireRound, float64(i+1), results.Event, append(between(t-1e6, t+2e6), "how", how)...)
		how = "again"
	}
	stop := w.stopped.from
	stage(stop+300_000, results.StageStopCopy, between(stop-700_000, stop+300_000)...)
	tell(stop+300_000, results.WireRound, float64(len(passes)+1), results.Event, append(between(stop-700_000, stop+300_000), "how", "final")...)
	if w.GoneFor {
		tell(w.ended-5e6, results.WireMigrationEnd, 0, results.Event, "how", "reset")
		return
	}
	copied := w.copied()
	w.wireSums(tell, append(passes, stop+300_000), copied) // nothing passes between the stop and the synchronisation
	stage(copied, results.StageDeviceState)
	stage(copied+2e6, results.StageSwitchOver)
	stage(w.stopped.to+400_000, results.StageRunning, append(between(copied+2e6, w.stopped.to+400_000), "from", "return path")...)
	stage(w.ended-1e6, results.StageDone)
	tell(w.ended-1e6, results.WireMigrationEnd, 0, results.Event, "how", "complete")
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
		tell(end, results.WireRoundBytes, math.Round(w.Rate*float64(end-t)/1e9), results.Bytes, "round", round)
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
	tell(done, results.WireSyncs, float64(len(begins)), results.One)
	bytes := math.Round(w.Rate * float64(copied-begins[0]) / 1e9)
	tell(begins[0], results.WireChannel, 0, results.Event, "channel", "main")
	tell(done, results.WireChannelBytes, bytes+31000, results.Bytes, "channel", "main", "dir", "forward")
	tell(done, results.WireChannelMissing, 0, results.Bytes, "channel", "main", "dir", "forward")
}
