package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// A difference is a pair of views of which the first is longer by more than bounds and noise explain.
type difference struct {
	long, short string    // names of views
	by          []float64 // s, one a trial, sorted
}

// differences lists the pairs of views that disagree in trials that count, those of most trials first.
func (r Run) differences() []difference {
	var list []difference
	for _, t := range r.Trials {
		if !t.counted() {
			continue
		}
		for _, pair := range t.Timeline.Disagreements {
			long, short := pair.Long.Name, pair.Short.Name
			i := slices.IndexFunc(list, func(d difference) bool { return d.long == long && d.short == short })
			if i < 0 {
				i = len(list)
				list = append(list, difference{long: long, short: short})
			}
			list[i].by = append(list[i].by, pair.Long.Value-pair.Short.Value)
		}
	}
	for _, d := range list {
		slices.Sort(d.by)
	}
	slices.SortStableFunc(list, func(a, b difference) int { return len(b.by) - len(a.by) })
	return list
}

// row is the pair, in how many of n trials, and by how much: median and range.
func (d difference) row(n int) []string {
	median := stats.Quantile(d.by, 0.5)
	return []string{d.long + " > " + d.short, fmt.Sprintf("%d of %d", len(d.by), n), span{median, median}.text(), span{d.by[0], d.by[len(d.by)-1]}.text()}
}

// differenceRows are the rows of all pairs.
func (r Run) differenceRows() [][]string {
	n := 0
	for _, t := range r.Trials {
		if t.counted() {
			n++
		}
	}
	var rows [][]string
	for _, d := range r.differences() {
		rows = append(rows, d.row(n))
	}
	return rows
}

// differs are a trial's own pairs, in short.
func (t Trial) differs() string {
	var list []string
	for _, d := range (Run{Trials: []Trial{t}}).differences() {
		list = append(list, fmt.Sprintf("%s > %s by %s", d.long, d.short, span{d.by[0], d.by[0]}.text()))
	}
	return strings.Join(list, "; ")
}

// early reports whether what a view took for the outage began before the action was asked for.
func (t Trial) early(view string) bool {
	return t.Timeline != nil && t.Timeline.Outage(view).Before > 0
}

// earliness says which views took a silence for the outage that began before the action; "" if none did.
func (t Trial) earliness() string {
	var names []string
	var ahead float64
	for _, v := range views {
		if t.early(v.metric) {
			names = append(names, v.metric)
			ahead = max(ahead, t.Timeline.Outage(v.metric).Before)
		}
	}
	if len(names) == 0 {
		return ""
	}
	var spanning []string
	for _, name := range names {
		if q := t.metric(name + timeline.SwitchoverSuffix); q.Known {
			spanning = append(spanning, name+" "+quantity.Show(q))
		}
	}
	what := "migration"
	if !t.Timeline.Migrates() {
		what = "action"
	}
	text := fmt.Sprintf("the silence behind %s began %s before the %s was asked for: the value is its part from then on, which may not be the %s's alone",
		strings.Join(names, " and "), quantity.Scaled(ahead, ahead/50, results.Seconds), what, what)
	if len(spanning) > 0 {
		text += "; the gap that spans the guest's stop: " + strings.Join(spanning, ", ")
	}
	return text
}
