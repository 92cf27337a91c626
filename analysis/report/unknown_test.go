package report

import (
	"bytes"
	"io"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// In every form of the report, a metric that is not known is told apart from 0, and what its number happens to be is not read.
func TestNoFormHasANumberForUnknown(t *testing.T) {
	forms := map[string]func(io.Writer, Run) error{"table": WriteTable, "markdown": WriteMarkdown, "html": WriteHTML, "csv": WriteCSV}
	write := func(form string, of func(results.Unit) quantity.Quantity) string {
		r := sample(t)
		for _, trial := range r.Trials {
			for i := range trial.Timeline.Metrics {
				m := &trial.Timeline.Metrics[i]
				m.Quantity = of(m.Unit)
			}
		}
		var b bytes.Buffer
		if err := forms[form](&b, r); err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		return b.String()
	}
	for form := range forms {
		unknown := write(form, func(u results.Unit) quantity.Quantity { return quantity.Unknown(u, "nobody saw it") })
		hidden := write(form, func(u results.Unit) quantity.Quantity {
			return quantity.Quantity{Value: 424242, Low: 414141, High: 434343, Unit: u, Why: "nobody saw it"}
		})
		if unknown != hidden {
			t.Errorf("%s reads the number of what is not known: %s", form, parting(unknown, hidden))
		}
		nought := write(form, func(u results.Unit) quantity.Quantity { return quantity.Exactly(0, u) })
		if unknown == nought {
			t.Errorf("%s writes what is not known as 0", form)
		}
		if !bytes.Contains([]byte(unknown), []byte("nobody saw it")) {
			t.Errorf("%s does not say why", form)
		}
	}
}

// parting is where two texts begin to differ.
func parting(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from, to := max(0, i-80), i+80
	return a[from:min(to, len(a))] + "\nagainst\n" + b[from:min(to, len(b))]
}

// A trial of which the total time is not known is not the shortest.
func TestTypicalTrialIsOneThatIsKnown(t *testing.T) {
	g := sample(t).groups()[0]
	total := func(k int, q quantity.Quantity) {
		for i := range g.trials[k].Timeline.Metrics {
			if m := &g.trials[k].Timeline.Metrics[i]; m.Name == timeline.TotalTime {
				m.Quantity = q
			}
		}
	}
	for k, q := range []quantity.Quantity{
		quantity.Exactly(1, results.Seconds), quantity.Exactly(2, results.Seconds), quantity.Unknown(results.Seconds, "nobody saw it"),
	} {
		total(k, q)
	}
	if got, ok := g.typical(); !ok || got.Outcome.Trial.ID != g.trials[0].Outcome.Trial.ID {
		t.Errorf("typical is %s, %v, want %s: the lower median of 1 and 2 s", got.Outcome.Trial.ID, ok, g.trials[0].Outcome.Trial.ID)
	}
	total(0, quantity.Unknown(results.Seconds, "nobody saw it"))
	total(1, quantity.Unknown(results.Seconds, "nobody saw it"))
	if _, ok := g.typical(); !ok {
		t.Error("three trials completed, and none is typical")
	}
}
