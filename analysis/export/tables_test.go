package export

import (
	"io"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

func TestLaTeXRoundsALeastValueDown(t *testing.T) {
	s := stats.Summary{N: 1, Known: 1, Median: stats.Estimate{Value: 15.0087, AtLeast: true}}
	if got, want := latexMedian(s, 1), `$\ge$ 15.00`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A number of the table stands in the unit of its head, whatever that is.
func TestLaTeXNumbersAreInTheirColumnsUnit(t *testing.T) {
	for _, c := range []struct {
		value    float64
		unit     results.Unit
		head     string
		want     string
		interval string // its ends hold the value
	}{
		{0.360607, results.Seconds, "(ms)", "360.6", "$[360.6, 360.7]$"},
		{0.0000421, results.Seconds, "(µs)", "42.10", "$[42.10, 42.10]$"},
		{2.993, results.Seconds, "(s)", "2.993", "$[2.993, 2.993]$"},
		{137300185, results.Bytes, "(MiB)", "130.9", "$[130.9, 131.0]$"},
		{3 << 30, results.Bytes, "(GiB)", "3.000", "$[3.000, 3.000]$"},
		{2048, results.BytesPerSecond, "(KiB/s)", "2.000", "$[2.000, 2.000]$"},
		{3, results.One, "", "3.000", "$[3.000, 3.000]$"},
	} {
		set := dataset.Set{Name: "r"}
		for i := range 8 { // enough for an interval
			set.Trials = append(set.Trials, dataset.Trial{
				Trial: results.Trial{ID: string(rune('a' + i)), Order: i + 1}, Verdict: results.Completed, Readable: true,
				Metrics: []metric.Metric{{Name: "x", Quantity: quantity.Exactly(c.value, c.unit)}},
			})
		}
		text := written(t, func(w io.Writer) error { return LaTeX(w, set, []string{"x"}, 0.95) })
		head := latex(c.head)
		for _, want := range []string{head, "& 8 & " + c.want + ` \\`, c.interval} {
			if !strings.Contains(text, want) {
				t.Errorf("%v %s: no %s in\n%s", c.value, c.unit, want, text)
			}
		}
	}
}
