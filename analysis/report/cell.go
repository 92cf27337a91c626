package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// A column of the table is one metric.
type column struct {
	over   string // the upper line of its title
	title  string
	metric string
}

// name is the column's title in one line.
func (c column) name() string { return strings.TrimSpace(c.over + " " + c.title) }

// always are the columns that every table has; why a value is missing stands in a footnote.
var always = []column{
	{"", "total time", timeline.TotalTime},
	{"", "downtime", timeline.Downtime},
	{"blackout", "wire", timeline.BlackoutWire},
	{"blackout", "client", timeline.BlackoutClient},
	{"blackout", "guest", timeline.BlackoutGuest},
	{"", "rounds", timeline.RoundCount},
	{"", "bytes", timeline.BytesPayload},
	{"CPU", "source", timeline.CPUSource},
	{"CPU", "destination", timeline.CPUDestination},
}

// outageColumns is how many of always are times, before what it cost.
const outageColumns = 5

// sometimes are the columns that stand in a table of which some trial has the figure.
var sometimes = []column{
	{"post-copy", "time", timeline.PostCopyTime},
	{"post-copy", "paused", timeline.PostCopyPaused},
	{"pages", "asked for", timeline.PagesRequested},
	{"", "throttle", timeline.ThrottleMax},
	{"XBZRLE", "hits", timeline.XBZRLEHits},
	{"XBZRLE", "overflow", timeline.XBZRLEOverflow},
	{"", "compression", timeline.CompressionRate},
	{"cancel", "took", timeline.CancelTime},
	{"failure", "noticed", timeline.FailureDetection},
	{"dirty rate", "achieved", timeline.DirtyShare},
}

// has reports whether a trial that counts has a metric that is known; a pause of 0 s is none.
func (g group) has(metric string) bool {
	return slices.ContainsFunc(g.trials, func(t Trial) bool {
		q := t.metric(metric)
		return t.counted() && q.Known && (metric != timeline.PostCopyPaused || q.Value > 0 || q.Censored)
	})
}

// absent reports whether no trial of the group has a metric of that name, known or not: it does not apply to its algorithm.
func (g group) absent(metric string) bool {
	return !slices.ContainsFunc(g.trials, func(t Trial) bool {
		return t.Timeline != nil && slices.ContainsFunc(t.Timeline.Metrics, func(m timeline.Metric) bool { return m.Name == metric })
	})
}

// fewTrials is below how many known values the range is shown instead of quartiles, which would be made up between few
// points.
const fewTrials = 5

// A cell is a summary as text.
type cell struct {
	Median string // with its unit; "—" if nothing is known
	Spread string // in the same unit; "" if there is none
	Note   string // why some or all values are missing
}

// cell summarises a metric of a group.
func (g group) cell(metric string) cell {
	if name, ok := strings.CutPrefix(metric, slowdown); ok {
		return g.slowdown(name)
	}
	s := g.summary(metric)
	note := g.missing(metric)
	if s.N > 0 && g.absent(metric) {
		return cell{}
	}
	if s.Known == 0 {
		if s.N == 0 {
			note = "no trial of this treatment counts"
		}
		return cell{Median: "—", Note: note}
	}
	err, unit := g.halfWidth(metric)
	factor, name := quantity.ScaleOf(s.Median.Value, unit)
	d := quantity.Decimals(err/factor, s.Median.Value/factor)
	number := func(e stats.Estimate) string {
		return e.Mark() + quantity.Fixed(e.Value, factor, d, e.Side(quantity.Nearest))
	}
	c := cell{Median: strings.TrimSpace(number(s.Median) + " " + name), Note: note}
	switch {
	case s.Known >= fewTrials:
		c.Spread = number(s.Q1) + "–" + number(s.Q3)
	case s.Known > 1:
		c.Spread = number(s.Min) + "–" + number(s.Max)
	}
	return c
}

// missing says why trials that count lack a metric.
func (g group) missing(metric string) string {
	var whys []string
	n, all := 0, 0
	for _, t := range g.trials {
		if !t.counted() {
			continue
		}
		all++
		if q := t.metric(metric); !q.Known {
			n++
			if !slices.Contains(whys, q.Why) {
				whys = append(whys, q.Why)
			}
		}
	}
	switch n {
	case 0:
		return ""
	case all:
		return strings.Join(whys, "; ")
	}
	return fmt.Sprintf("%d of %d trials: %s", n, all, strings.Join(whys, "; "))
}

// halfWidth is the median error of a metric's values, either way, and its unit.
func (g group) halfWidth(metric string) (err float64, u results.Unit) {
	var widths []float64
	for _, t := range g.trials {
		if !t.counted() {
			continue
		}
		q := t.metric(metric)
		u = q.Unit
		if q.Known && !q.Censored {
			widths = append(widths, (q.High-q.Low)/2)
		}
	}
	slices.Sort(widths)
	if len(widths) == 0 {
		return 0, u
	}
	return stats.Quantile(widths, 0.5), u
}

// floor is the noise floor of a metric over the group; "" if it has none.
func (g group) floor(metric string) string {
	c := g.cell(metric + timeline.FloorSuffix)
	if c.Median == "—" {
		return ""
	}
	return c.Median
}

// tally is how the trials of a group ended, such as "3" or "2 + 1 failed".
func (g group) tally() string {
	text := fmt.Sprint(g.count(results.Completed))
	for _, v := range []results.Verdict{results.Failed, results.Invalid, results.Interrupted, results.Untold} {
		if n := g.count(v); n > 0 {
			text += fmt.Sprintf(" + %d %s", n, v)
		}
	}
	if n := g.unread(); n > 0 {
		text += fmt.Sprintf(" (%d not readable)", n)
	}
	if n := g.unverified(); n > 0 {
		text += fmt.Sprintf(" (%d not verified)", n)
	}
	return text
}

// unread is how many of the trials that completed or failed have no figures, as their records cannot be read.
func (g group) unread() int {
	n := 0
	for _, t := range g.trials {
		if t.Outcome.Verdict.Final() && t.Timeline == nil {
			n++
		}
	}
	return n
}

// unverified is how many of the completed trials have no proof that the guest's memory is intact.
func (g group) unverified() int {
	n := 0
	if !kindOf([]group{g}).verified {
		return 0
	}
	for _, t := range g.trials {
		if t.Outcome.Verdict != results.Completed || t.Timeline == nil {
			continue
		}
		if v, c := t.metric(timeline.MemoryVerified), t.metric(timeline.MemoryCorrupt); !v.Known || v.Value == 0 || c.Value > 0 {
			n++
		}
	}
	return n
}

// spreadLabel says what the spread of a group is.
func (g group) spreadLabel() string {
	n := g.count(results.Completed) + g.count(results.Failed)
	switch {
	case n >= fewTrials:
		return "quartiles"
	case n > 1:
		return "min–max"
	}
	return ""
}

// notes are footnotes, each once.
type notes struct{ list []string }

// mark is the footnote sign of a text; "" for no text.
func (n *notes) mark(text string) string {
	if text == "" {
		return ""
	}
	i := slices.Index(n.list, text)
	if i < 0 {
		i = len(n.list)
		n.list = append(n.list, text)
	}
	return superscript(i + 1)
}

func superscript(n int) string { return text.Superscript(n) }
