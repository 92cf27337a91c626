package report

import (
	"strings"
	"testing"
	"virtscope/analysis/stats"
	"virtscope/results"
)

func TestVerdict(t *testing.T) {
	shift := stats.Effect{Value: 2, Low: 1, High: 3, Confidence: 0.95, Known: true}
	decides := stats.Test{Name: "Mann–Whitney", Known: true}
	for _, c := range []struct {
		p     float64
		shift stats.Effect
		want  string
	}{
		{0.001, shift, "differs by 2.000 s"},
		{0.2, shift, "no difference was found"},
		{0.2, stats.Effect{Why: "too few"}, "not known: too few"},
	} {
		got := verdict(stats.Comparison{Decides: decides, Shift: c.shift}, c.p, results.Seconds)
		if !strings.Contains(got, c.want) {
			t.Errorf("p = %v: %q, want %q in it", c.p, got, c.want)
		}
	}
}

func TestAnswer(t *testing.T) {
	groups := sample(t).groups()
	k := kindOf(groups)
	if got := answer(nil, k); got != nil {
		t.Errorf("of nothing: %q", got)
	}
	if got := answer(groups, k); len(got) != 2 || !strings.HasPrefix(got[1], "Downtime of workload.rate 32MiB/s against") {
		t.Errorf("of two treatments: %q", got)
	}
}
