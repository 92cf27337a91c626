package timeline

import (
	"math"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A bin is the payload that crossed the switch within [from, to).
type bin struct {
	from, to int64
	bytes    float64
}

// A flow is one direction of a flow's connections at the switch, in bins.
type flow struct {
	bins []bin
	why  string // why there are none
}

// maxBin bounds the length of a bin that is believed, in s.
const maxBin = 3600

// readFlow collects the bins of one direction ("forward", "reverse") of memory and device state. Bins hold FlowPayload or
// FlowBytes.
func (x *index) readFlow(name, dir string) flow {
	return x.readFlowOf(results.FlowMigration, name, dir)
}

// flowWords name the flows for reading.
var flowWords = map[string]string{
	results.FlowMigration: "the migration", results.FlowDisk: "the disk's copy", results.FlowClient: "the client and the guest",
}

// readFlowOf is readFlow for any flow.
func (x *index) readFlowOf(which, name, dir string) flow {
	var f flow
	for _, r := range x.byName[name] {
		if r.Source != results.SourceCaptureSwitch || r.Attrs["flow"] != which || r.Attrs["dir"] != dir {
			continue
		}
		length, err := strconv.ParseFloat(r.Attrs["bin"], 64)
		if err != nil || !(length > 0 && length <= maxBin) || r.Value < 0 {
			return flow{why: "a bin of the capture makes no sense: length " + strconv.Quote(r.Attrs["bin"]) + " s"}
		}
		f.bins = append(f.bins, bin{r.Time, r.Time + max(1, int64(math.Round(length*1e9))), r.Value})
	}
	if len(f.bins) > 0 {
		return f
	}
	f.why = "the capture at the switch saw no frame of " + flowWords[which]
	if !x.captured() {
		f.why = "there was no capture at the switch"
	}
	return f
}

// captured reports whether a capture ran at the switch.
func (x *index) captured() bool {
	for _, name := range []string{results.CaptureFrames, results.GuestFrame, results.FlowBytes} {
		for _, r := range x.byName[name] {
			if r.Source == results.SourceCaptureSwitch {
				return true
			}
		}
	}
	return false
}

// sum is all bytes of the flow.
func (f flow) sum() quantity.Quantity {
	if f.why != "" {
		return quantity.Unknown(results.Bytes, f.why)
	}
	var total float64
	for _, b := range f.bins {
		total += b.bytes
	}
	return quantity.Exactly(total, results.Bytes)
}

// during is what crossed between two edges. A bin that an edge cuts counts by the share that lies inside; the truth is
// between none and all of it. An edge's own error moves it to other bins, too.
func (f flow) during(a, b Edge) quantity.Quantity {
	if f.why != "" {
		return quantity.Unknown(results.Bytes, f.why)
	}
	var value, low, high float64
	for _, c := range f.bins {
		inside := min(c.to, b.Time) - max(c.from, a.Time)
		if inside > 0 {
			value += c.bytes * float64(inside) / float64(c.to-c.from)
		}
		if c.from >= a.Time+int64(a.Bound()) && c.to <= b.Time-int64(b.Bound()) {
			low += c.bytes
		}
		if c.to > a.Time-int64(a.Bound()) && c.from < b.Time+int64(b.Bound()) {
			high += c.bytes
		}
	}
	return quantity.Within(value, low, high, results.Bytes)
}
