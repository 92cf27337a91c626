// Package streamtest makes the records of captures whose truth is known, to test what is derived from them.
package streamtest

import (
	"strconv"
	"virtscope/results"
)

// Origin is the time of the first packet, in ns since the Unix epoch.
const Origin = int64(1_790_000_000_000_000_000)

// A Tape takes records. Times are ns since Origin.
type Tape struct {
	Host    string
	Stream  string
	Records []results.Record
}

// Add appends a record; attrs are names and values.
func (t *Tape) Add(at int64, name string, v float64, u results.Unit, attrs ...string) {
	r := results.Record{Time: Origin + at, Host: t.Host, Source: results.SourceWire, Name: name, Value: v, Unit: u, Attrs: map[string]string{}}
	if t.Stream != "" {
		r.Attrs["stream"] = t.Stream
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		r.Attrs[attrs[i]] = attrs[i+1]
	}
	t.Records = append(t.Records, r)
}

// Between are the attributes of an edge that is known within bounds only, in ns since Origin.
func Between(earliest, latest int64) []string {
	return []string{"earliest", strconv.FormatInt(Origin+earliest, 10), "latest", strconv.FormatInt(Origin+latest, 10)}
}

// Stage begins a stage.
func (t *Tape) Stage(at int64, stage string, attrs ...string) {
	t.Add(at, results.WireStage, 0, results.Event, append([]string{"stage", stage}, attrs...)...)
}

// Round begins a round and records its sums: normal, zero and distinct pages, and those of them that were sent before.
func (t *Tape) Round(at, end int64, n int, how string, normal, zero, distinct, resent float64, attrs ...string) {
	t.Add(at, results.WireRound, float64(n), results.Event, append([]string{"how", how}, attrs...)...)
	round := strconv.Itoa(n)
	t.Add(end, results.WireRoundBytes, normal*4105+zero*9, results.Bytes, "round", round)
	for kind, v := range map[string]float64{results.PageNormal: normal, results.PageZero: zero} {
		if v > 0 {
			t.Add(end, results.WireRoundPages, v, results.One, "round", round, "kind", kind)
		}
	}
	t.Add(end, results.WireRoundSpan, distinct, results.One, "round", round)
	t.Add(end, results.WireRoundResent, resent, results.One, "round", round)
	t.Add(end, results.WireRoundSpan, distinct, results.One, "round", round, "block", "pc.ram")
	t.Add(end, results.WireRoundResent, resent, results.One, "round", round, "block", "pc.ram")
}

// Flow fills [from, to) with bins of 10 ms at rate B/s.
func (t *Tape) Flow(from, to int64, rate float64) {
	const width = int64(10e6)
	for at := from / width * width; at < to; at += width {
		if part := min(to, at+width) - max(from, at); part > 0 {
			t.Add(at, results.WireBytes, rate*float64(part)/1e9, results.Bytes, "bin", "0.01", "kind", "stream")
		}
	}
}

// Channel records the totals of a channel.
func (t *Tape) Channel(at int64, name string, forward, reverse float64) {
	t.Add(0, results.WireChannel, 0, results.Event, "channel", name, "client", "10.9.0.1:44102", "server", "10.9.0.2:4444")
	for dir, v := range map[string]float64{"forward": forward, "reverse": reverse} {
		t.Add(at, results.WireChannelBytes, v, results.Bytes, "channel", name, "dir", dir)
		t.Add(at, results.WireChannelResent, 0, results.Bytes, "channel", name, "dir", dir)
		t.Add(at, results.WireChannelMissing, 0, results.Bytes, "channel", name, "dir", dir)
		t.Add(at, results.WireChannelUndecoded, 0, results.Bytes, "channel", name, "dir", dir)
		t.Add(at, results.WireChannelReordered, 0, results.One, "channel", name, "dir", dir)
		t.Add(at, results.WireChannelLast, 0, results.Event, "channel", name, "dir", dir)
	}
}
