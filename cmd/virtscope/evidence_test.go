package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// The evidence's table has the bytes of the recorded run: the medians of treatments that completed, and lower bounds of those that failed.
func TestEvidenceHasTheBytesOfItsRun(t *testing.T) {
	text, err := os.ReadFile("../../docs/evidence/README.md")
	if err != nil {
		t.Fatal(err)
	}
	set, err := loadCSV("../../docs/evidence/algorithms/trials.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	treatments := set.Treatments()
	for _, treatment := range treatments {
		row := treatment.Levels[0].Value + " | " + strings.Replace(treatment.Levels[1].Value, "MiB", " MiB", 1)
		_, rest, found := strings.Cut(string(text), "\n| "+row+" | ")
		if !found {
			t.Errorf("%s: no row %q", treatment.Name, row)
			continue
		}
		cells := strings.Split(rest, " | ")
		completed, cell := cells[0], cells[4]
		bound, failed := strings.CutPrefix(cell, "≥ ")
		if failed != (completed == "0 of 5") {
			t.Errorf("%s: %s completed, and bytes are %q", row, completed, cell)
		}
		shown, err := strconv.ParseFloat(strings.TrimSuffix(bound, " MiB"), 64)
		if err != nil {
			t.Errorf("%s: %v", row, err)
		}
		var list []quantity.Quantity
		for _, trial := range treatment.Trials {
			m, _ := trial.Metric(timeline.BytesPayload)
			list = append(list, m.Quantity)
		}
		over := shown - quantity.Median(list, results.Bytes, "").Value/(1<<20) // MiB
		if failed && (over > 0 || over < -1) || !failed && (over > 0.5 || over < -0.5) {
			t.Errorf("%s: %s is by %.2f MiB too much", row, cell, over)
		}
	}
	if len(treatments) != 21 {
		t.Errorf("%d treatments", len(treatments))
	}
}
