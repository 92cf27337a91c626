package degradation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Kinds of load that are not requests.
const (
	kindStream = "stream"
	kindBulk   = "bulk"
)

// loadTail is how long before the end of the span a client may end, in ns: all probes are stopped there.
const loadTail = int64(100e6)

// longestBin bounds the width that is believed of a bin, in s.
const longestBin = 3600

// A client is the records of one load client.
type client struct {
	kind    string
	rate    float64 // what was asked: 1/s or B/s; 0 if none
	answers []bin
	bytes   []bin
	due     map[int64]*requests // by the bin's begin
	streams []results.Record
	unread  int     // records that make no sense
	breaks  []int64 // when connections broke
}

// loads finds the load clients.
func loads(records []results.Record, w Windows) ([]Service, error) {
	clients := map[string]*client{}
	for _, r := range records {
		if r.Source != results.SourceLoad {
			continue
		}
		c := clients[r.Attrs["kind"]]
		if c == nil {
			c = &client{kind: r.Attrs["kind"], due: map[int64]*requests{}}
		}
		if c.take(r) {
			clients[r.Attrs["kind"]] = c
		}
	}
	var list []Service
	for _, kind := range slices.Sorted(maps.Keys(clients)) {
		name := "load"
		if len(clients) > 1 {
			name += "." + kind
		}
		list = append(list, clients[kind].service(name, w))
	}
	return list, nil
}

// take reads a record; it is false if it is none of a client's.
func (c *client) take(r results.Record) bool {
	switch r.Name {
	case results.LoadInfo:
		c.rate, _ = number(r.Attrs["rate"])
		return true
	case results.LoadReconnect:
		c.breaks = append(c.breaks, r.Time)
		return true
	case results.StreamLost, results.StreamStall, results.StreamReceived:
		c.streams = append(c.streams, r)
		return true
	case results.LoadAnswers, results.LoadBytes, results.LoadRequests, results.LoadLatency:
	default:
		return false
	}
	width, ok := number(r.Attrs["bin"])
	if !ok || width <= 0 || width > longestBin || r.Value < 0 {
		c.unread++
		return true
	}
	b := bin{from: r.Time, to: r.Time + int64(width*1e9+0.5), done: r.Value}
	switch r.Name {
	case results.LoadAnswers:
		c.answers = append(c.answers, b)
	case results.LoadBytes:
		c.bytes = append(c.bytes, b)
	default:
		c.takeRequests(r, b)
	}
	return true
}

func (c *client) takeRequests(r results.Record, b bin) {
	q := c.due[b.from]
	if q == nil {
		q = &requests{bin: bin{from: b.from, to: b.to}}
		c.due[b.from] = q
	}
	n := int64(r.Value)
	switch {
	case r.Name == results.LoadLatency:
		h, err := hdrhistogram.Decode([]byte(r.Attrs["histogram"]))
		if err != nil || h.Min() < 0 {
			c.unread++
			return
		}
		q.hist, q.longest = h, r.Value
		q.late, _ = number(r.Attrs["late"])
	case r.Attrs["outcome"] == "ok":
		q.ok += n
	case r.Attrs["outcome"] == "failed":
		q.failed += n
	case r.Attrs["outcome"] == "pending":
		q.pending += n
	default:
		c.unread++
	}
}

func number(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && v >= 0 && v < 1e15
}

// service measures one client.
func (c *client) service(name string, w Windows) Service {
	s := Service{Name: name, Kind: c.kind, Unit: PerSecond}
	t := &track{bins: c.answers, asks: true, unit: PerSecond, w: w}
	if c.kind == kindStream || c.kind == kindBulk {
		t.bins, t.asks, t.unit, s.Unit = c.bytes, false, results.BytesPerSecond, results.BytesPerSecond
	}
	sortBins(t.bins)
	due := slices.SortedFunc(maps.Values(c.due), func(a, b *requests) int { return int(min(1, max(-1, a.from-b.from))) })
	if t.asks {
		for i, b := range t.bins {
			if q := c.due[b.from]; q != nil {
				t.bins[i].want = float64(q.due())
			}
		}
		t.bins = widen(t.bins, w)
	}
	s.measure(t, loadTail)
	if t.asks {
		s.latencies(due, w)
	}
	s.KeptUp = c.keptUp(t)
	if c.kind == kindStream {
		s.Stream = c.stream(w)
	}
	s.Series = series(t, due)
	s.warnKeptUp()
	s.warnStream()
	c.warn(&s, due, w)
	return s
}

// measure fills in what all services have. Tail is for how long nothing may be known at the end of the span without that
// being a hole, in ns.
func (s *Service) measure(t *track, tail int64) {
	t.prepare()
	t.trim(tail)
	if len(t.bins) > 0 {
		s.Bin = seconds(t.bins[0].to - t.bins[0].from)
		if n := len(t.bins) / 2; n > 0 {
			s.Bin = seconds(t.bins[n].to - t.bins[n].from) // those at the ends may be narrower
		}
	}
	s.Baseline.Throughput = t.level(t.w.inBaseline, "no bin lies in the baseline")
	s.Action.Throughput = t.level(t.w.inAction, "no bin lies in the action")
	s.After.Throughput = t.level(t.w.inAfter, "no bin lies in the time after the action")
	s.Noise = t.noise()
	s.Below90, s.Below50, s.Below10 = t.below(0.9), t.below(0.5), t.below(0.1)
	s.Lost, s.LostFloor = t.lost(), t.lostFloor()
	s.Recovery = t.recovery()
}

func (s *Service) latencies(due []*requests, w Windows) {
	var before, in, after pool
	for _, q := range due {
		switch {
		case w.inBaseline(q.bin):
			before.add(q)
		case w.inAction(q.bin):
			in.add(q)
		case w.inAfter(q.bin):
			after.add(q)
		}
	}
	s.Baseline.Latency = before.latency("no request was due in the baseline")
	s.Action.Latency = in.latency("no request was due in the action")
	s.After.Latency = after.latency("no request was due in the time after the action")
	q := latencyRecovery(due, w, s.Baseline.Latency.P99)
	s.RecoveryLatency = &q
}

// keptUp is what was done in the baseline of what was asked for.
func (c *client) keptUp(t *track) quantity.Quantity {
	switch {
	case c.kind == kindBulk:
		return quantity.Unknown(results.One, "bulk asks for no rate")
	case t.why != "":
		return quantity.Unknown(results.One, t.why)
	case t.asks:
		return quantity.Exactly(t.base, results.One)
	case c.rate <= 0:
		return quantity.Unknown(results.One, "the rate that was asked for was not recorded")
	}
	return quantity.Exactly(t.base/c.rate, results.One)
}

// keptUpAt is the share of what was asked that makes a guest keep up.
const keptUpAt = 0.95

func (s *Service) warnKeptUp() {
	if s.KeptUp.Known && s.KeptUp.Value < keptUpAt {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: the guest could not keep up: in the baseline it achieved %.0f %% of what was asked of it", s.Name, 100*s.KeptUp.Value))
	}
}

// broken counts what broke until the observation ended: what came after is the workload's own end.
func broken(at []int64, w Windows) (n int) {
	for _, t := range at {
		if t <= w.span().To {
			n++
		}
	}
	return n
}

func (c *client) warn(s *Service, due []*requests, w Windows) {
	if c.unread > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d records could not be read and are left out", s.Name, c.unread))
	}
	if n := broken(c.breaks, w); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d connections broke and were made anew: their requests failed", s.Name, n))
	}
	late := 0.0
	for _, q := range due {
		late = max(late, q.late)
	}
	if late > lateLimit {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: the client itself was up to %s late: that is part of the latencies", s.Name, quantity.Duration(late)))
	}
}

// lateLimit is from which lateness of the client on a reader must know, in s.
const lateLimit = 0.01
