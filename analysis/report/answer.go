package report

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// answer says what differs between treatments in the headline metric (and the downtime, where there is one), by how much and how
// sure; of one treatment, its medians. Every later treatment is held against the first, and Holm's correction is over all of these.
func answer(groups []group, k kind) []string {
	if len(groups) == 0 {
		return nil
	}
	columns := []column{{title: k.headlineName, metric: k.headline}}
	if k.outages && k.headline != timeline.Downtime {
		columns = append(columns, column{title: "downtime", metric: timeline.Downtime})
	}
	base := groups[0]
	if len(groups) == 1 {
		return base.intervals(columns)
	}
	var found []stats.Comparison
	var ps []float64
	for _, col := range columns {
		for _, g := range groups[1:] {
			b, h := base.sample(col.metric), g.sample(col.metric)
			c := stats.Compare(b, h, stats.How{Confidence: Confidence, Seed: 1, Blocked: shareBlocks(b, h)})
			found = append(found, c)
			if c.Decides.Known {
				ps = append(ps, c.Decides.P)
			}
		}
	}
	adjusted := stats.Holm(ps)
	var list []string
	for i, c := range found {
		col, g := columns[i/(len(groups)-1)], groups[1+i%(len(groups)-1)]
		subject := fmt.Sprintf("%s of %s against %s: ", capital(col.title), g.name, base.name)
		if !c.Decides.Known {
			list = append(list, subject+"it cannot be told: "+orNoReason(c.Decides.Why)+".")
			continue
		}
		_, unit := base.halfWidth(col.metric)
		list = append(list, subject+verdict(c, adjusted[0], unit)+".")
		adjusted = adjusted[1:]
	}
	return list
}

// verdict is one comparison in words; p is corrected over the family, the interval is not.
func verdict(c stats.Comparison, p float64, unit results.Unit) string {
	sure := fmt.Sprintf("p = %.3g, Holm-corrected, %s", p, c.Decides.Name)
	s := c.Shift
	if !s.Known {
		return fmt.Sprintf("the size of a difference is not known: %s (%s)", orNoReason(s.Why), sure)
	}
	show := func(v float64) string { return quantity.Scaled(v, max(-v, v)/500, unit) }
	if p >= 1-Confidence {
		return fmt.Sprintf("no difference was found; %s to %s is not ruled out (%.1f %% interval, uncorrected; %s)", show(s.Low), show(s.High), s.Confidence*100, sure)
	}
	return fmt.Sprintf("differs by %s, in [%s, %s] (%.1f %% interval, uncorrected; %s)", show(s.Value), show(s.Low), show(s.High), s.Confidence*100, sure)
}

// shareBlocks reports whether the design is blocked, and the samples can be compared within blocks: two or more have trials of both.
func shareBlocks(a, b stats.Sample) bool {
	in := map[string]bool{}
	for _, d := range a.Data() {
		if d.Block == "" {
			return false
		}
		in[d.Block] = true
	}
	shared := map[string]bool{}
	for _, d := range b.Data() {
		if d.Block == "" {
			return false
		}
		if in[d.Block] {
			shared[d.Block] = true
		}
	}
	return len(shared) > 1
}
