package main

import (
	"strings"
	"testing"
	"virtscope/analysis/report"
	"virtscope/experiments/spec"
)

// What an experiment may ask for is what can be drawn.
func TestPlotKindsAgree(t *testing.T) {
	const text = "virtscope: 1\nname: x\nguest: {driver: scripted}\naction: {migrate: {}}\nfactors: {action.migrate.outage: [10ms, 20ms], testbed.client: [third, source]}\nplots:\n"
	for _, kind := range report.PlotKinds() {
		if _, err := spec.Parse("x", []byte(text+"  - {kind: "+kind+"}\n")); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for _, key := range []string{"x: testbed.client", "by: testbed.client", "metric: total"} {
			name, value, _ := strings.Cut(key, ": ")
			p := report.Plot{Kind: kind}
			switch name {
			case "x":
				p.X = value
			case "by":
				p.By = value
			default:
				p.Metric = value
			}
			_, err := spec.Parse("x", []byte(text+"  - {kind: "+kind+", "+key+"}\n"))
			refused := err != nil && strings.Contains(err.Error(), "does not read it")
			_, drawn := report.DrawPlot(report.Run{}, p)
			if drawn == nil || refused != strings.Contains(drawn.Error(), "has no "+name) {
				t.Errorf("%s with %s: the language says %v, the drawing %v", kind, name, err, drawn)
			}
		}
	}
	_, err := spec.Parse("x", []byte(text+"  - {kind: box}\n"))
	_, bad := spec.Parse("x", []byte(text+"  - {kind: pie}\n"))
	if err != nil || bad == nil || !strings.Contains(bad.Error(), strings.Join(report.PlotKinds()[:3], ", ")) {
		t.Errorf("%v, %v", err, bad)
	}
}
