package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"virtscope/results"
)

// A Down is a time for which a link was cut on purpose.
type Down struct {
	Link string `json:"link"`
	Host string `json:"host"` // whose end was cut
	From int64  `json:"from"` // ns since the Unix epoch, controller's clock
	To   int64  `json:"to"`   // the end of the observation if it did not come up again
	Open bool   `json:"open,omitempty"`
}

// marks lists what the hypervisors said within w, and what was done on purpose.
func (x *index) marks(w window) []Mark {
	var list []Mark
	for _, name := range []string{
		results.MigrationStatus, results.PreCopyRound, results.VMStop, results.VMResume, results.LinkDown, results.LinkUp, results.Fault,
	} {
		for _, r := range x.in(name, w) {
			list = append(list, Mark{x.edge(r), markText(r)})
		}
	}
	slices.SortStableFunc(list, func(a, b Mark) int { return cmp.Compare(a.Edge.Time, b.Edge.Time) })
	return list
}

func markText(r results.Record) string {
	switch r.Name {
	case results.MigrationStatus:
		return "migration " + r.Attrs["status"]
	case results.PreCopyRound:
		return fmt.Sprintf("bitmap synchronisation %.0f", r.Value)
	case results.VMStop:
		return "guest stopped"
	case results.LinkDown, results.LinkUp:
		return fmt.Sprintf("%s of %s: %s", orUnknown(r.Attrs["link"]), orUnknown(r.Attrs["host"]), map[string]string{results.LinkDown: "cut", results.LinkUp: "up again"}[r.Name])
	case results.Fault:
		return "on purpose: " + orUnknown(r.Attrs["kind"])
	}
	return "guest runs"
}

// linkDowns pairs the cuts of each link with what ended them. A cut that began before w counts from there.
func (x *index) linkDowns(w window) []Down {
	var list []Down
	for _, r := range x.byName[results.LinkDown] {
		d := Down{Link: r.Attrs["link"], Host: r.Attrs["host"], From: r.Time, To: w.to, Open: true}
		for _, up := range x.byName[results.LinkUp] {
			if up.Time >= r.Time && up.Attrs["link"] == d.Link && up.Attrs["host"] == d.Host {
				d.To, d.Open = up.Time, false
				break
			}
		}
		if w.overlaps(d.From, d.To) {
			list = append(list, d)
		}
	}
	return list
}
