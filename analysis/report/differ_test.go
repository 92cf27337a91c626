package report

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func TestDifferences(t *testing.T) {
	s := timelinetest.Default(1)
	s.Outage = 30 * time.Millisecond
	s.Stalls = []timelinetest.Stall{{At: 200 * time.Millisecond, For: 300 * time.Millisecond}}
	o, records := s.Make()
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	if len(tl.Disagreements) == 0 {
		t.Fatal("a stall of 300 ms beside an outage of 30 ms is no disagreement")
	}
	run := Run{Trials: []Trial{{Outcome: o, Timeline: tl}}}
	n := 0
	for _, d := range run.differences() {
		n += len(d.by)
		if !tl.Outage(d.long).Known || !tl.Outage(d.short).Known {
			t.Errorf("%q > %q: no such views", d.long, d.short)
		}
		if d.by[0] <= 0 {
			t.Errorf("%s > %s by %v s", d.long, d.short, d.by[0])
		}
	}
	if n != len(tl.Disagreements) {
		t.Errorf("%d differences of %d disagreements", n, len(tl.Disagreements))
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"table": func(b *bytes.Buffer) error { return WriteTable(b, run) },
		"html":  func(b *bytes.Buffer) error { return WriteHTML(b, run) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(b.String(), "&gt;", ">")
		if !strings.Contains(text, "blackout.client > downtime") || !strings.Contains(text, "1 of 1") {
			t.Errorf("the %s does not say that views differ", name)
		}
	}
	run.Trials[0].Outcome.Verdict = results.Invalid
	if got := run.differences(); len(got) != 0 {
		t.Errorf("a trial that does not count has differences: %v", got)
	}
}

func TestEarliness(t *testing.T) {
	at := func(before float64) Trial {
		q := quantity.Quantity{Value: 3, Low: 3, High: 3, Unit: results.Seconds, Known: true}
		return Trial{Timeline: &timeline.Timeline{
			Outages: []timeline.Outage{{Name: timeline.BlackoutWire, Quantity: q, Before: before}},
			Metrics: []timeline.Metric{{Name: timeline.BlackoutWire + timeline.SwitchoverSuffix, Quantity: q}},
		}}
	}
	if got := at(0).earliness(); got != "" {
		t.Errorf("a silence in the action: %q", got)
	}
	got := at(2).earliness()
	if !strings.Contains(got, "blackout.wire began 2.000 s before") || !strings.Contains(got, "blackout.wire 3 s") {
		t.Errorf("a silence from 2 s before the action: %q", got)
	}
}
