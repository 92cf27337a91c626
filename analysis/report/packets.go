package report

import (
	"fmt"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
)

// packetTitle and packetNote stand over and under the table of differences between packets and hypervisor.
const (
	packetTitle = "The packets against the hypervisor"
	packetNote  = "Each figure is what the migration's decoded packets show less what the hypervisor says: pages sent whole, zero pages, both; bitmap synchronisations; rounds in which pages passed; bytes of the connections less ram.transferred, which leaves out device state and headers; the guest's stop less the event STOP, and its start at the destination less RESUME, with the interval in which the truth lies. ≥: the stream tells a lower bound. A sign ≠ marks a difference that the bounds do not explain. Where the last synchronisation found nothing to send before the stop, the packets show one round less."
)

var packetColumns = []struct{ title, comparison string }{
	{"whole", timeline.CompareNormal},
	{"zero", timeline.CompareZero},
	{"pages", timeline.ComparePages},
	{"syncs", timeline.CompareSyncs},
	{"rounds", timeline.CompareRounds},
	{"bytes", timeline.CompareBytes},
	{"stop", timeline.CompareStop},
	{"resume", timeline.CompareResume},
}

// packetRows are the table's rows, its head first: one for each trial of which anything was decoded, or was to be; none if
// none was.
func (r Run) packetRows() [][]string {
	head := []string{"trial"}
	for _, c := range packetColumns {
		head = append(head, c.title)
	}
	rows := [][]string{head}
	for _, t := range r.Trials {
		if t.Timeline == nil || t.Timeline.Wire == nil {
			continue
		}
		row := []string{t.Outcome.Trial.ID}
		for _, c := range packetColumns {
			row = append(row, packetCell(t.Timeline.Comparison(c.comparison)))
		}
		rows = append(rows, row)
	}
	if len(rows) == 1 {
		return nil
	}
	return rows
}

// packetCell is a difference with its interval.
func packetCell(c timeline.Comparison) string {
	cell := strings.TrimSpace(quantity.Signed(c.Difference) + " " + quantity.ShowBounds(c.Difference))
	if c.Judged && !c.Agrees {
		cell = "≠ " + cell
	}
	return cell
}

// packetDifferences are the differences that bounds do not explain, in sentences.
func (r Run) packetDifferences() []string {
	var list []string
	for _, t := range r.Trials {
		if t.Timeline == nil {
			continue
		}
		for _, c := range t.Timeline.Comparisons {
			if s := c.Differing(); s != "" {
				list = append(list, t.Outcome.Trial.ID+": "+s)
			}
		}
	}
	return list
}

// packets are a trial's own tables: comparisons, rounds, and notes to them.
func (p *pageTrial) packets(tl *timeline.Timeline) {
	if tl.Wire == nil {
		if tl.WireMissing != "" {
			p.Notes = append(p.Notes, "on the wire: "+tl.WireMissing)
		}
		return
	}
	for _, c := range tl.Comparisons {
		p.Wire = append(p.Wire, c.Cells())
		if c.Note != "" {
			p.WireNotes = append(p.WireNotes, c.Name+": "+c.Note)
		}
	}
	for _, r := range tl.RoundComparisons {
		p.WireRounds = append(p.WireRounds, r.RoundCells())
	}
	for _, r := range tl.Wire.Rounds {
		p.WirePages = append(p.WirePages, []string{
			fmt.Sprint(r.N), quantity.Cell(r.Duration), quantity.Count(r.Total), quantity.Count(r.Resent), quantity.Cell(r.WorkingSet),
			quantity.Cell(r.Bytes), quantity.Cell(r.Rate), text.Dash(r.How),
		})
	}
}
