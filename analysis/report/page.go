package report

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// page is a trial's section.
func (t Trial) page() pageTrial {
	o := t.Outcome
	p := pageTrial{
		ID: o.Trial.ID, Treatment: treatmentName(o.Trial), Verdict: string(o.Verdict), Reason: o.Reason,
		TotalName: t.kind().headlineShort, Total: quantity.Show(t.headline()), Open: o.Verdict != results.Completed,
	}
	if t.Problem != "" {
		p.Notes = append(p.Notes, t.Problem)
	}
	tl := t.Timeline
	if tl == nil {
		return p
	}
	p.Bars = bars(tl)
	p.Rounds = roundRows(tl)
	p.Why = newWhy(tl.Convergence)
	for _, v := range tl.Outages {
		p.Outages = append(p.Outages, []string{v.Name, quantity.Show(v.Quantity), text.Dash(quantity.ShowBounds(v.Quantity)), quantity.Cell(v.Raw), quantity.Cell(v.Floor)})
		if v.Why != "" {
			p.Details = append(p.Details, v.Name+": "+v.Why)
		}
		for _, d := range v.Detail {
			p.Details = append(p.Details, v.Name+": "+d)
		}
	}
	for _, service := range tl.Services {
		p.Services = append(p.Services, timeline.NewServiceText(service))
	}
	p.Disk = timeline.NewDiskText(tl)
	for _, s := range tl.Sections() {
		if !s.Empty() {
			s.Title = capital(s.Title)
			p.Sections = append(p.Sections, s)
		}
	}
	p.Metrics, p.Unknown = timeline.FoldMetrics(tl.Metrics)
	if tl.Migrates() {
		p.packets(tl)
	}
	p.Differs = t.differs()
	if early := t.earliness(); early != "" {
		p.Notes = append(p.Notes, early)
	}
	p.Notes = append(p.Notes, tl.Warnings...)
	for _, s := range tl.Missing {
		p.Notes = append(p.Notes, "missing: "+s)
	}
	p.Notes = append(p.Notes, tl.Notes...)
	return p
}

// bars are the phases as shares of the action.
func bars(tl *timeline.Timeline) []pageBar {
	whole := float64(tl.ActionEnd.Time - tl.ActionBegin.Time)
	if whole <= 0 {
		return nil
	}
	var list []pageBar
	for i, c := range phaseColors(tl.Phases) {
		s := tl.Phases[i]
		slack := s.Start.Bound() + s.End.Bound()
		width := max(0.3, 100*float64(s.Duration())/whole)
		left := min(100*float64(s.Start.Time-tl.ActionBegin.Time)/whole, 100-width) // what is short at the end shows, too
		list = append(list, pageBar{
			Name: s.Name, Length: quantity.Scaled(s.Duration().Seconds(), s.Duration().Seconds()/500, results.Seconds),
			Error: "± " + slack.String(), Color: fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B),
			Left: fmt.Sprintf("%.3f", left), Width: fmt.Sprintf("%.3f", width),
		})
	}
	return list
}

func roundRows(tl *timeline.Timeline) [][]string {
	show := quantity.Cell
	var rows [][]string
	for _, r := range tl.Rounds {
		rows = append(rows, []string{
			r.Name, show(r.Duration), show(r.Bytes), text.Dash(quantity.ShowBounds(r.Bytes)), show(r.LinkRate),
			show(r.Transferred), show(r.Remaining), show(r.DirtyRate),
		})
	}
	return rows
}

// validity is what tells whether a trial may be trusted.
func (t Trial) validity() []string {
	show := func(name string) string { return quantity.Show(t.metric(name)) }
	floor := func(name string) string { return show(name + timeline.FloorSuffix) }
	row := []string{t.Outcome.Trial.ID, string(t.Outcome.Verdict), fmt.Sprint(t.Outcome.Attempt)}
	k := t.kind()
	if k.outages {
		row = append(row, floor(timeline.BlackoutWire), floor(timeline.BlackoutClient), floor(timeline.BlackoutGuest))
	}
	row = append(row, show(timeline.CaptureDrops), show(timeline.RecordDrops), show(timeline.ProbesCPU), show(timeline.OverheadTime))
	if k.verified {
		row = append(row, show(timeline.MemoryVerified), show(timeline.MemoryCorrupt))
	}
	return row
}
