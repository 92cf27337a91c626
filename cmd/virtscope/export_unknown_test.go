package main

import (
	"bytes"
	"strconv"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// In every format, an unknown value is told apart from 0, and what its number happens to be is not read.
func TestNoFormatHasANumberForUnknown(t *testing.T) {
	write := func(format string, q quantity.Quantity) []byte {
		set := dataset.Set{Name: "r", Manifest: results.Manifest{Run: "r", Name: "r"}}
		for i := range 6 {
			total := quantity.Exactly(1+0.1*float64(i), results.Seconds)
			set.Trials = append(set.Trials, dataset.Trial{
				Trial: results.Trial{ID: strconv.Itoa(i), Order: i + 1, Replicate: i + 1}, Attempt: 1, Verdict: results.Completed, Readable: true,
				Metrics: []metric.Metric{{Name: "total", Quantity: total}, {Name: "downtime", Quantity: q}},
			})
		}
		var b bytes.Buffer
		if err := exportFormats[format](&b, set, []string{"total", "downtime"}); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		return b.Bytes()
	}
	for format := range exportFormats {
		unknown := write(format, quantity.Unknown(results.Seconds, "nobody saw it"))
		hidden := write(format, quantity.Quantity{Value: 424242, Low: 414141, High: 434343, Unit: results.Seconds, Why: "nobody saw it"})
		if !bytes.Equal(unknown, hidden) {
			t.Errorf("%s reads the number of what is not known: %q", format, hidden)
		}
		if nought := write(format, quantity.Exactly(0, results.Seconds)); bytes.Equal(unknown, nought) {
			t.Errorf("%s writes what is not known as 0: %q", format, unknown)
		}
		text := format != "parquet"
		for _, found := range []string{"424242", "downtime 0", "downtime-sec 0", "downtime=0", ",0,s,"} {
			if text && bytes.Contains(unknown, []byte(found)) {
				t.Errorf("%s has %q: %q", format, found, unknown)
			}
		}
		if format == "csv" && !bytes.Contains(unknown, []byte("downtime,,s,,,false,false,nobody saw it")) {
			t.Errorf("csv has no empty cell with its reason: %q", unknown)
		}
	}
}
