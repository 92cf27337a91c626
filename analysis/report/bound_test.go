package report

import (
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// What stands behind ≥ is not above what is known, in cells and in maps.
func TestLeastValuesAreRoundedDown(t *testing.T) {
	r := sample(t)
	for _, trial := range r.Trials {
		for i := range trial.Timeline.Metrics {
			if m := &trial.Timeline.Metrics[i]; m.Name == timeline.TotalTime {
				m.Quantity = quantity.AtLeast(15.0087, results.Seconds, "the migration did not complete")
			}
		}
	}
	for _, g := range r.groups() {
		if c := g.cell(timeline.TotalTime); c.Median != "≥ 15.00 s" || strings.Contains(c.Spread, "15.01") {
			t.Errorf("%s: %+v, want at least 15.00 s", g.name, c)
		}
	}
	for name, set := range map[string][][]float64{"linear": {{-15.0087}, {9}}, "logarithmic": {{-15.0087}, {0.001}}} {
		made := made([]results.Factor{wayFactor, rateFactor}, [][]string{{"precopy", "4MiB/s"}, {"postcopy", "4MiB/s"}}, set)
		h := newHeatMap(chartOf(t, made, Plot{Kind: "heatmap", X: rateFactor.Path, By: wayFactor.Path}))
		for _, row := range h.cells {
			for _, cell := range row {
				if strings.HasPrefix(cell.text, "≥") && cell.text != "≥ 15.00" && cell.text != "≥ 15.00 s" {
					t.Errorf("%s: %q, want at least 15.00 s", name, cell.text)
				}
			}
		}
		if h.log != (name == "logarithmic") {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestEffectsIntervalIsRoundedOutward(t *testing.T) {
	for _, c := range []struct {
		v    float64
		side quantity.Side
		want string
	}{
		{0.0123456, quantity.Nearest, "+12.35 ms"},
		{0.0123456, quantity.Down, "+12.34 ms"},
		{-0.0123411, quantity.Down, "−12.35 ms"},
		{-0.0123456, quantity.Up, "−12.34 ms"},
		{0, quantity.Up, "0 ms"},
	} {
		if got := signed(c.v, results.Seconds, c.side); got != c.want {
			t.Errorf("%v to side %d is %q, want %q", c.v, c.side, got, c.want)
		}
	}
}
