package accuracy

import (
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

func known(v float64) quantity.Quantity {
	return quantity.Quantity{Value: v, Low: v, High: v, Unit: results.Seconds, Known: true}
}

func trial(id string, injected float64, wire quantity.Quantity) *timeline.Timeline {
	return &timeline.Timeline{
		Trial: results.Trial{ID: id},
		Outages: []timeline.Outage{
			{Name: timeline.Downtime, Quantity: known(injected)},
			{Name: timeline.BlackoutWire, Quantity: wire},
		},
	}
}

func TestMisses(t *testing.T) {
	limits := []Limit{{timeline.BlackoutWire, time.Millisecond}}
	cases := []struct {
		name string
		t    *timeline.Timeline
		want string // of the miss; "" for none
	}{
		{"close", trial("a", 0.1, known(0.1009)), ""},
		{"off", trial("a", 0.1, known(0.102)), "off by +2.000 ms"},
		{"too short to judge", trial("a", 0.002, known(0.02)), ""},
		{"not measured", trial("a", 0.1, quantity.Quantity{Why: "no frames"}), "did not measure: no frames"},
		{"no truth", &timeline.Timeline{Trial: results.Trial{ID: "a"}}, "is not known"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Misses(Rows([]*timeline.Timeline{c.t}), limits)
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWriteSortsAndSaysUnknown(t *testing.T) {
	var b strings.Builder
	rows := Rows([]*timeline.Timeline{trial("b", 0.2, known(0.2005)), trial("a", 0.1, quantity.Quantity{Why: "x"})})
	if err := Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.Contains(lines[1], "100.000") || !strings.Contains(lines[1], "unknown") || !strings.Contains(lines[2], "+0.500") {
		t.Error(b.String())
	}
	if got, want := milliseconds(quantity.AtLeast(0.1234567, results.Seconds, "x")), "≥123.456"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
