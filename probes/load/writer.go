package load

import (
	"fmt"
	"slices"
	"sync"
	"time"
	"virtscope/results"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold µs with three significant digits, up to an hour; what is longer counts as an hour there, and exactly in
// the record's value.
const (
	longest = int64(time.Hour / time.Microsecond)
	digits  = 3
)

// A writer turns bins into records on a goroutine of its own: to encode a histogram takes longer than the engine may wait.
type writer struct {
	conf Config
	rec  results.Recorder
	hist *hdrhistogram.Histogram

	mu    sync.Mutex
	bins  []*due
	more  chan struct{} // holds one: there are bins
	ended chan struct{}
	err   error // valid after ended
}

func newWriter(c Config, rec results.Recorder) *writer {
	w := &writer{
		conf: c, rec: rec, hist: hdrhistogram.New(1, longest, digits),
		more: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go w.run()
	return w
}

// put hands a bin over; it never waits.
func (w *writer) put(d *due) {
	w.mu.Lock()
	w.bins = append(w.bins, d)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// close waits until all was recorded. No put may follow.
func (w *writer) close() error {
	close(w.more)
	<-w.ended
	return w.err
}

func (w *writer) run() {
	defer close(w.ended)
	for open := true; open; {
		_, open = <-w.more
		w.mu.Lock()
		bins := w.bins
		w.bins = nil
		w.mu.Unlock()
		for _, d := range bins {
			if err := w.write(d); err != nil && w.err == nil {
				w.err = err
			}
		}
	}
}

func (w *writer) write(d *due) error {
	r := results.Record{Time: d.at, Host: w.conf.Host, Source: results.SourceLoad, Name: results.LoadRequests, Unit: results.One}
	for _, o := range []struct {
		name string
		n    int
	}{{"ok", len(d.latencies)}, {"failed", d.failed}, {"pending", d.pending}} {
		if o.n == 0 {
			continue
		}
		r.Value = float64(o.n)
		r.Attrs = map[string]string{"outcome": o.name, "kind": w.conf.Kind, "bin": inSeconds(w.conf.Bin)}
		w.rec.Record(r)
	}
	if len(d.latencies) == 0 {
		return nil
	}
	encoded, err := w.encode(d.latencies)
	if err != nil {
		return fmt.Errorf("encode latencies: %w", err)
	}
	r.Name, r.Value, r.Unit = results.LoadLatency, time.Duration(slices.Max(d.latencies)).Seconds(), results.Seconds
	r.Attrs = map[string]string{
		"histogram": encoded, "count": d.count(), "kind": w.conf.Kind, "bin": inSeconds(w.conf.Bin),
		"late": inSeconds(time.Duration(d.late)),
	}
	w.rec.Record(r)
	return nil
}

func (w *writer) encode(latencies []int64) (string, error) {
	w.hist.Reset()
	for _, l := range latencies {
		if err := w.hist.RecordValue(min(longest, (l+500)/1000)); err != nil {
			return "", err
		}
	}
	b, err := w.hist.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(b), err
}
