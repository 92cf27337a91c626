package report

import (
	"bytes"
	"io"
	"testing"
	"virtscope/analysis/quantity"
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
