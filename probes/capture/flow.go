package capture

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
)

// A FlowSpec says which TCP connections are the flow: those of the client Src to the ports of the server
// Dst. Several connections are summed.
type FlowSpec struct {
	Name  string // attribute flow; empty is "migration"
	Src   netip.Addr
	Dst   netip.Addr
	Ports []uint16 // TCP ports of Dst
}

// window is how many bins are kept open, so that frames that come a little out of order (each CPU stamps
// its own) still find theirs.
const window = 64

// flow sums one flow's frames into bins that start at whole multiples of their width since the Unix epoch.
type flow struct {
	spec  FlowSpec
	width int64 // ns
	emit  func(results.Record)
	ways  [2]way // forward, reverse
}

// A way is one direction of a flow.
type way struct {
	attrs map[string]string
	bins  [window]bin // bin n lies at n modulo window
	last  int64       // the newest bin's number
}

type bin struct {
	number         int64 // start divided by width
	frames         int64
	bytes, payload int64
}

func newFlow(spec FlowSpec, width time.Duration, emit func(results.Record)) *flow {
	if spec.Name == "" {
		spec.Name = "migration"
	}
	f := &flow{spec: spec, width: int64(width), emit: emit}
	for i, dir := range []string{"forward", "reverse"} {
		f.ways[i].attrs = map[string]string{
			"flow": spec.Name, "dir": dir, "bin": strconv.FormatFloat(width.Seconds(), 'g', -1, 64),
		}
	}
	return f
}

// add counts a TCP segment if it belongs to the flow.
func (f *flow) add(src, dst netip.AddrPort, at int64, bytes, payload int) {
	switch {
	case src.Addr() == f.spec.Src && dst.Addr() == f.spec.Dst && slices.Contains(f.spec.Ports, dst.Port()):
		f.count(&f.ways[0], at, bytes, payload)
	case src.Addr() == f.spec.Dst && dst.Addr() == f.spec.Src && slices.Contains(f.spec.Ports, src.Port()):
		f.count(&f.ways[1], at, bytes, payload)
	}
}

func (f *flow) count(w *way, at int64, bytes, payload int) {
	number := at / f.width
	if number > w.last {
		f.flush(w, number-window)
		w.last = number
	}
	if number <= w.last-window {
		// Older than the window: a record of its own, which is exact though its bin has two then.
		f.record(w, bin{number: number, frames: 1, bytes: int64(bytes), payload: int64(payload)})
		return
	}
	b := &w.bins[number%window]
	b.number = number
	b.frames++
	b.bytes += int64(bytes)
	b.payload += int64(payload)
}

// flush records the bins up to number upTo, in order, and empties them.
func (f *flow) flush(w *way, upTo int64) {
	for n := max(w.last-window+1, 0); n <= min(upTo, w.last); n++ {
		b := &w.bins[n%window]
		if b.frames > 0 {
			f.record(w, *b)
			*b = bin{}
		}
	}
}

// end records all that is left.
func (f *flow) end() {
	for i := range f.ways {
		f.flush(&f.ways[i], f.ways[i].last)
	}
}

func (f *flow) record(w *way, b bin) {
	r := results.Record{Time: b.number * f.width, Name: results.FlowBytes, Value: float64(b.bytes), Unit: results.Bytes, Attrs: w.attrs}
	f.emit(r)
	if b.payload > 0 {
		r.Name, r.Value = results.FlowPayload, float64(b.payload)
		f.emit(r)
	}
}
