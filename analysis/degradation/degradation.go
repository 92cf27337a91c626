// Package degradation tells by how much the services of a guest were worse in and after an action than before it: the
// loads of clients outside (load), and the work inside (work.dirty, work.disk …).
//
//  1. A service is read as bins of time in which so much was done (load.go, work.go, counter.go).
//  2. Its ratio in a bin is what was done there, as a share of what the undisturbed baseline would have done. Of requests
//     it is the share of those due that were answered, over the same share in the baseline: that they arrive at random is
//     no degradation. Time below a share of the baseline, lost seconds and the time to full speed follow (throughput.go).
//  3. Latencies are merged histograms, never means of percentiles (latency.go).
//  4. Streams have stalls and losses (stream.go), disks have the latency of their writes (disk.go).
//
// Degradation is counted over the span: from when the action began to the end of the time after it. A bin that lies across
// the edge of a window belongs to the action; the baseline and the time after hold whole bins alone.
package degradation

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Window is a span of time in ns on the controller's clock, From until before To. The zero value is none.
type Window struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Windows are the times that are held against each other. Action follows Baseline, and After follows Action.
type Windows struct {
	Baseline Window `json:"baseline"` // the undisturbed guest; none if there was none
	Action   Window `json:"action"`
	After    Window `json:"after"` // the quiet time after it; none if there was none
	// Stop and Resume are when the guest stopped and ran again; 0 if not known.
	Stop   int64 `json:"stop,omitempty"`
	Resume int64 `json:"resume,omitempty"`
}

func (w Window) length() int64          { return max(0, w.To-w.From) }
func (w Window) overlap(b bin) int64    { return max(0, min(w.To, b.to)-max(w.From, b.from)) }
func (w Window) encloses(b bin) bool    { return w.From <= b.from && b.to <= w.To }
func (w Windows) span() Window          { return Window{w.Action.From, max(w.Action.To, w.After.To)} }
func (w Windows) inBaseline(b bin) bool { return w.Baseline.length() > 0 && w.Baseline.encloses(b) }
func (w Windows) inAction(b bin) bool   { return w.Action.overlap(b) > 0 }
func (w Windows) inAfter(b bin) bool {
	return w.After.length() > 0 && w.After.encloses(b) && !w.inAction(b)
}

func (w Windows) check() error {
	for _, x := range []Window{w.Baseline, w.Action, w.After} {
		if x.From < 0 || x.To > maxTime || x.To < x.From {
			return fmt.Errorf("measure degradation: window from %d to %d ns is none", x.From, x.To)
		}
	}
	switch {
	case w.Action.length() == 0:
		return fmt.Errorf("measure degradation: the action has no duration")
	case w.Baseline.length() > 0 && w.Baseline.To > w.Action.From, w.After.length() > 0 && w.After.From < w.Action.To:
		return fmt.Errorf("measure degradation: the windows overlap")
	}
	return nil
}

// maxTime is the latest time that is believed (about 2043): differences cannot overflow.
const maxTime = 1 << 61

// A Level is how well a service did in one window.
type Level struct {
	Throughput quantity.Quantity `json:"throughput"` // in the service's Unit
	// Of requests; nil of other services.
	Latency *Latency `json:"latency,omitempty"`
}

// A Service is one load or one kind of work, before, in and after the action.
type Service struct {
	// Name is load for what a client asks (load.KIND where several do), or work.KIND for what the guest does by itself.
	Name string       `json:"name"`
	Kind string       `json:"kind"` // request, stream, bulk, kv, redis; dirty, cpu, disk, net, kv, redis
	Unit results.Unit `json:"unit"` // of throughput: 1/s or B/s
	// Bin is the width of the bins of which the throughput was told, in s.
	Bin float64 `json:"bin_s"`

	Baseline Level `json:"baseline"`
	Action   Level `json:"action"`
	After    Level `json:"after"`

	// KeptUp is what was achieved of what was asked, in the baseline; 1.
	KeptUp quantity.Quantity `json:"kept_up"`
	// Noise is the share of the baseline's own bins that are below 90 % of its mean; 1.
	Noise quantity.Quantity `json:"noise"`
	// Below90, Below50 and Below10 are the time of the span in which the service did less than that percentage of the baseline; s.
	Below90 quantity.Quantity `json:"below90"`
	Below50 quantity.Quantity `json:"below50"`
	Below10 quantity.Quantity `json:"below10"`
	// Lost is Σ max(0, 1 − ratio) · bin over the span, in s: what is made up for later is lost all the same. LostFloor is the
	// same sum over the baseline, scaled to the span's length: noise alone would lose that much.
	Lost      quantity.Quantity `json:"lost"`
	LostFloor quantity.Quantity `json:"lost_floor"`
	// Recovery is the time from Resume to the begin of the first bin from which the ratio is at least 90 % for 0.5 s; s. The
	// bounds reach from the begin of the bin before.
	Recovery quantity.Quantity `json:"recovery"`
	// RecoveryLatency is the time from Resume to the begin of the first bin from which, of the requests due in 0.5 s, at
	// most 1 % took longer than 1.5 times the baseline's p99; s. Bounds as above.
	RecoveryLatency *quantity.Quantity `json:"recovery_latency,omitempty"`

	Stream *StreamReport `json:"stream,omitempty"`
	Writes *Writes       `json:"writes,omitempty"` // of work.disk
	// Benchmark is what redis-benchmark told beside the load of kind redis; nil if it did not run.
	Benchmark *Benchmark `json:"benchmark,omitempty"`

	Series   Series   `json:"series"`
	Warnings []string `json:"warnings,omitempty"` // what a reader must know beside the numbers
}

// PerSecond is the unit of requests and operations.
const PerSecond results.Unit = "1/s"

// Build finds the services in the records of one trial, which are on the controller's clock, in any order, and are not
// changed. There are none if nothing was asked of the guest. Windows that contradict each other, and records that cannot
// be, are an error.
func Build(records []results.Record, w Windows) ([]Service, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	for i, r := range records {
		if r.Time < 0 || r.Time > maxTime || math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			return nil, fmt.Errorf("measure degradation: record %d (%s) has time %d ns and value %v", i+1, r.Name, r.Time, r.Value)
		}
	}
	services, err := loads(records, w)
	if err != nil {
		return nil, err
	}
	services = slices.Concat(services, works(records, w))
	addBenchmark(services, records, w)
	return services, nil
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
