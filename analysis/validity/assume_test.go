package validity

import (
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
)

// TestAssumed wants a set that was judged by the defaults to say by which, and why, and one that nobody could judge to say nothing.
func TestAssumed(t *testing.T) {
	const limits = "default limits (steal 1 %, others 10 %, psi-memory 1 %, outliers 3.5)"
	for _, c := range []struct {
		name, why string
		metrics   map[string]float64
		want      string // "" nothing
	}{
		{"noise", "e.yaml:2:1: no such key", map[string]float64{metric.NoiseOthersPart: 0.02}, limits + ", as those of the experiment are not known: e.yaml:2:1: no such key"},
		{"throttled alone", "gone", map[string]float64{metric.NoiseThrottled: 0}, "not known: gone"},
		{"many lines", "first\nsecond\nthird", map[string]float64{metric.NoiseSteal: 0}, "not known: first (and 2 lines more)"},
		{"nobody looked", "gone", map[string]float64{"total": 3}, ""},
	} {
		var set dataset.Set
		add(&set, "x", c.metrics)
		SpoilByDefaults(&set, c.why)
		if c.want == "" && set.Assumed != "" || !strings.HasSuffix(set.Assumed, c.want) {
			t.Errorf("%s: %q, want %q", c.name, set.Assumed, c.want)
		}
		told := false
		for _, l := range Review(set)[0].Lines {
			told = told || l.Found && l.Text == set.Assumed
		}
		if told != (c.want != "") {
			t.Errorf("%s: told %v: %+v", c.name, told, Review(set)[0].Lines)
		}
	}
}

func TestLimitsAsText(t *testing.T) {
	l := Limits{Steal: 1, Others: 1, PSICPU: 0.5, PSIIO: 1, PSIMemory: 1}
	if got := l.String(); got != "psi-cpu 50 %" {
		t.Errorf("%q", got)
	}
	l.PSICPU = 1
	if got := l.String(); got != "none" {
		t.Errorf("%q", got)
	}
}
