package timelinetest

import (
	"maps"
	"slices"
	"strconv"
	"virtscope/results"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// loadBin is the width of the load clients' bins.
const loadBin = int64(100e6)

// What the clients ask.
const (
	every    = int64(1e6)   // a request
	takes    = int64(5e5)   // an undisturbed answer; each tenth takes four times as long
	datagram = int64(20e6)  // one of 1200 B
	buffered = int64(200e6) // the player's buffer
)

// serve is two clients from the warm-up on. A request that comes while the guest does not run is answered once it runs. Of a
// stream, what is due then is lost, and the player stands still until its buffer is full again.
func (w *world) serve() {
	w.ask()
	w.play()
}

func (w *world) load(t int64, kind, name string, v float64, u results.Unit, attrs ...string) {
	w.add(t, "client", results.SourceLoad, name, v, u, append([]string{"kind", kind, "bin", w.binAt(t)}, attrs...)...)
}

// binAt is the width of the bin that begins at t: the last is as long as the clients ran.
func (w *world) binAt(t int64) string {
	return strconv.FormatFloat(float64(min(loadBin, w.end-t/loadBin*loadBin))/1e9, 'g', -1, 64)
}

func (w *world) ask() {
	w.load(int64(warmUp), "kv", results.LoadInfo, 0, results.Event, "rate", "1000", "arrivals", "fixed")
	answers, pending, due := map[int64]int{}, map[int64]int{}, map[int64]*hdrhistogram.Histogram{}
	for t := int64(warmUp); t < w.end; t += every {
		needs := takes
		if t/every%10 == 0 {
			needs *= 4
		}
		back := w.runs(t) + needs
		at := t / loadBin * loadBin
		if back >= w.end {
			pending[at]++
			continue
		}
		answers[back/loadBin*loadBin]++
		if due[at] == nil {
			due[at] = hdrhistogram.New(1, 3_600_000_000, 3)
		}
		_ = due[at].RecordValue((back - t) / 1000) // within its range
	}
	for t := int64(warmUp) / loadBin * loadBin; t < w.end; t += loadBin {
		w.load(t, "kv", results.LoadAnswers, float64(answers[t]), results.One)
		if n := pending[t]; n > 0 {
			w.load(t, "kv", results.LoadRequests, float64(n), results.One, "outcome", "pending")
		}
	}
	for _, t := range slices.Sorted(maps.Keys(due)) {
		h := due[t]
		b, _ := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // into memory
		n := strconv.FormatInt(h.TotalCount(), 10)
		w.load(t, "kv", results.LoadRequests, float64(h.TotalCount()), results.One, "outcome", "ok")
		w.load(t, "kv", results.LoadLatency, float64(h.Max())/1e6, results.Seconds, "histogram", string(b), "count", n, "late", "0")
	}
}

func (w *world) play() {
	w.load(int64(warmUp), "stream", results.LoadInfo, 0, results.Event, "rate", strconv.FormatInt(1200*1e9/datagram, 10))
	got, lost, all := map[int64]int{}, 0, 0
	for t := int64(warmUp); t < w.end; t += datagram {
		if w.runs(t) != t {
			lost++
			continue
		}
		if lost > 0 {
			w.load(t, "stream", results.StreamLost, float64(lost), results.One)
			if missed := int64(lost) * datagram; missed > buffered {
				w.load(t-missed+buffered, "stream", results.StreamStall, float64(missed)/1e9, results.Seconds, "buffer", "0.2")
			}
			lost = 0
		}
		got[t/loadBin*loadBin]++
		all++
	}
	if missed := int64(lost) * datagram; missed > buffered {
		w.load(w.end-missed+buffered, "stream", results.StreamStall, float64(missed-buffered)/1e9, results.Seconds, "buffer", "0.2", "open", "true")
	}
	for t := int64(warmUp) / loadBin * loadBin; t < w.end; t += loadBin {
		w.load(t, "stream", results.LoadBytes, float64(1200*got[t]), results.Bytes)
	}
	w.load(w.end, "stream", results.StreamReceived, float64(all), results.One, "late", "0", "duplicate", "0")
}
