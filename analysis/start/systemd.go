package start

import (
	"cmp"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// A Unit of systemd, as systemd-analyze reports it. Times are in s.
type Unit struct {
	Name       string  `json:"name"`
	Active     float64 `json:"active"`     // after the kernel's begin
	Activating float64 `json:"activating"` // how long it took
}

// A Stage is what systemd-analyze reports of one, in s.
type Stage struct {
	Name string  `json:"name"`
	Time float64 `json:"time"`
}

// systemd reads what a systemd guest said of its start: units by how long they took, the longest first.
func (o *Start) systemd(s segment) {
	for _, r := range s.records[results.BootUnit] {
		took, _ := edges.Seconds(r, "activating")
		o.Units = append(o.Units, Unit{r.Attrs["unit"], r.Value, took})
	}
	slices.SortStableFunc(o.Units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.Activating, a.Activating), cmp.Compare(a.Active, b.Active))
	})
	for _, r := range s.records[results.BootStage] {
		o.Stages = append(o.Stages, Stage{r.Attrs["stage"], r.Value})
	}
}
