package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"
	"virtscope/probes/capture/packet"
	"virtscope/results"
)

// A FlowSpec says which TCP connections are a flow: those of the client Src to the ports of the server
// Dst. Several connections are summed.
type FlowSpec struct {
	Name  string     // attribute flow: results.FlowMigration (which empty is, too), FlowDisk, FlowClient or another
	Src   netip.Addr // not valid: any
	Dst   netip.Addr
	Ports []uint16 // TCP ports of Dst; none looks for no flow
	// Asks and Serves are the attributes host, who asks, and server; empty is none. Flows of one name differ in them.
	Asks, Serves string
	UDP          bool          // UDP datagrams to and from these ports count, too
	Bin          time.Duration // width of its bins; 0 is that of the Config
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
	if spec.Bin > 0 {
		width = spec.Bin
	}
	f := &flow{spec: spec, width: int64(width), emit: emit}
	for i, dir := range []string{"forward", "reverse"} {
		f.ways[i].attrs = map[string]string{
			"flow": spec.name(), "dir": dir, "bin": strconv.FormatFloat(width.Seconds(), 'g', -1, 64),
		}
		if spec.Asks != "" {
			f.ways[i].attrs["host"] = spec.Asks
		}
		if spec.Serves != "" {
			f.ways[i].attrs["server"] = spec.Serves
		}
	}
	return f
}

func (s FlowSpec) name() string {
	if s.Name == "" {
		return results.FlowMigration
	}
	return s.Name
}

// serves reports whether a segment from client to server belongs to the flow.
func (s FlowSpec) serves(client, server netip.AddrPort) bool {
	return server.Addr() == s.Dst && slices.Contains(s.Ports, server.Port()) && (!s.Src.IsValid() || client.Addr() == s.Src)
}

// see counts a frame if it belongs to the flow.
func (f *flow) see(p *packet.Packet, at int64, bytes int) {
	if p.Kind == packet.TCP || p.Kind == packet.UDP && f.spec.UDP {
		f.add(p.Src, p.Dst, at, bytes, p.PayloadLength)
	}
}

// add counts a segment if it belongs to the flow.
func (f *flow) add(src, dst netip.AddrPort, at int64, bytes, payload int) {
	switch {
	case f.spec.serves(src, dst):
		f.count(&f.ways[0], at, bytes, payload)
	case f.spec.serves(dst, src):
		f.count(&f.ways[1], at, bytes, payload)
	}
}

// newFlows makes the flows of a configuration. Two of one name could not be told apart.
func newFlows(c Config, emit func(results.Record)) (flows []*flow, err error) {
	seen := map[string]bool{}
	for _, spec := range append([]FlowSpec{c.Flow}, c.Flows...) {
		if len(spec.Ports) == 0 {
			continue
		}
		if seen[spec.name()+" "+spec.Asks+" "+spec.Serves] {
			return nil, fmt.Errorf("capture on %s: two flows are named %q: name each", c.Host, spec.name())
		}
		seen[spec.name()+" "+spec.Asks+" "+spec.Serves] = true
		flows = append(flows, newFlow(spec, c.Bin, emit))
	}
	return flows, nil
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
