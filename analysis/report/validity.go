package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// validityParts say how far the run may be trusted, beside the table of single trials.
func (r Run) validityParts() []validity.Part {
	if len(r.Trials) == 0 {
		return nil
	}
	list := []validity.Part{
		{Title: "noise floor", Lines: r.floorLines()},
		{Title: "clocks", Lines: []validity.Line{r.clockLine()}},
		{Title: "drops", Lines: []validity.Line{r.dropLine(timeline.CaptureDrops, "frames"), r.dropLine(timeline.RecordDrops, "records")}},
		{Title: "invalid trials", Lines: r.invalidLines()},
		{Title: "disagreement of the outages", Lines: r.disagreementLines()},
	}
	list = append(list, validity.Review(r.Dataset(r.Manifest.Run))...)
	list = append(list, validity.Part{Title: "warm-up within a trial", Lines: r.unsettledLines()})
	return slices.DeleteFunc(list, func(p validity.Part) bool { return len(p.Lines) == 0 })
}

// countedTrials are those that are data.
func (r Run) countedTrials() []Trial {
	return slices.DeleteFunc(slices.Clone(r.Trials), func(t Trial) bool { return !t.counted() })
}

// floorLines are the noise floors of the outages, over trials; none of a kind that has no outage.
func (r Run) floorLines() []validity.Line {
	trials := r.countedTrials()
	if len(trials) == 0 || !kindOf(r.groups()).outages {
		return nil
	}
	var list []validity.Line
	for _, v := range views[1:] { // the hypervisor's own word has none
		var known []float64
		why := ""
		for _, t := range trials {
			if q := t.metric(v.metric + timeline.FloorSuffix); q.Known {
				known = append(known, q.Value)
			} else {
				why = q.Why
			}
		}
		if len(known) == 0 {
			list = append(list, validity.Line{Text: fmt.Sprintf("%s: unknown: %s", v.metric, orNoReason(why))})
			continue
		}
		slices.Sort(known)
		list = append(list, validity.Line{Text: fmt.Sprintf("%s: median %s, at most %s, of %d of %d trials", v.metric,
			quantity.Duration(stats.Quantile(known, 0.5)), quantity.DurationTo(known[len(known)-1], quantity.Up), len(known), len(trials))})
	}
	return list
}

// clockLine is the largest error bound of a clock.
func (r Run) clockLine() validity.Line {
	var most time.Duration
	var where string
	for _, t := range r.countedTrials() {
		for _, c := range t.Timeline.Clocks {
			if c.Bound >= most {
				most, where = c.Bound, fmt.Sprintf("%s in %s", c.Host, t.Outcome.Trial.ID)
			}
		}
	}
	switch {
	case where == "":
		return validity.Line{Text: "no offset between clocks was recorded: all hosts are taken to read one clock"}
	case most == 0:
		return validity.Line{Text: "all hosts read one clock: no error between them"}
	}
	return validity.Line{Text: fmt.Sprintf("no clock was off from the controller's by more than what was corrected and ± %v (%s)", most, where)}
}

// dropLine is how many were dropped, in trials that count or not.
func (r Run) dropLine(name, what string) validity.Line {
	var sum float64
	var known, unknown int
	var with []string
	for _, t := range r.Trials {
		q := t.metric(name)
		switch {
		case !q.Known:
			unknown++
		case q.Value > 0:
			with = append(with, fmt.Sprintf("%s (%.0f)", t.Outcome.Trial.ID, q.Value))
			fallthrough
		default:
			known, sum = known+1, sum+q.Value
		}
	}
	text := fmt.Sprintf("%s: none in %d trials", what, known)
	if sum > 0 {
		text = fmt.Sprintf("%s: %.0f, in %s", what, sum, strings.Join(with, ", "))
	}
	if known == 0 {
		text = what + ": unknown"
	}
	if unknown > 0 {
		text += fmt.Sprintf("; in %d trials it is not known", unknown)
	}
	return validity.Line{Text: text, Found: sum > 0}
}

// invalidLines name the trials that are no data, and those that were run again because they were not.
func (r Run) invalidLines() []validity.Line {
	var list []validity.Line
	for _, t := range r.Trials {
		o := t.Outcome
		switch {
		case !t.counted():
			reason := o.Reason
			if o.Verdict.Final() {
				reason = t.Problem
			}
			text := fmt.Sprintf("%s, attempt %d: %s: %s", o.Trial.ID, o.Attempt, o.Verdict, orNoReason(reason))
			if o.Verdict == results.Untold {
				text = fmt.Sprintf("%s: %s", o.Trial.ID, orNoReason(reason))
			}
			list = append(list, validity.Line{Text: text, Found: true})
		case o.Attempt > 1:
			list = append(list, validity.Line{Text: fmt.Sprintf("%s counts by its attempt %d: what came before was invalid, or interrupted", o.Trial.ID, o.Attempt)})
		}
	}
	if len(list) == 0 {
		return []validity.Line{{Text: fmt.Sprintf("none of %d, none was run again", len(r.Trials))}}
	}
	return list
}

func (r Run) disagreementLines() []validity.Line {
	if !kindOf(r.groups()).outages {
		return nil
	}
	var list []validity.Line
	for _, row := range r.differenceRows() {
		list = append(list, validity.Line{Text: fmt.Sprintf("%s in %s trials, by %s (%s)", row[0], row[1], row[2], row[3]), Found: true})
	}
	if len(list) > 0 {
		return list
	}
	compared := 0
	for _, t := range r.countedTrials() {
		known := 0
		for _, v := range views {
			if q := t.metric(v.metric); q.Known {
				known++
			}
		}
		if known > 1 {
			compared++
		}
	}
	if compared == 0 {
		return []validity.Line{{Text: "cannot be told: no trial was seen by two views"}}
	}
	return []validity.Line{{Text: fmt.Sprintf("in %d trials that two or more views saw, none differ by more than bounds and noise explain", compared)}}
}

// mostUnsettled bounds how many trials are told of one by one.
const mostUnsettled = 5

func (r Run) unsettledLines() []validity.Line {
	if len(r.countedTrials()) == 0 || !kindOf(r.groups()).outages {
		return nil // of guests that the action starts, there is no baseline
	}
	var list []validity.Line
	tested := 0
	for _, t := range r.countedTrials() {
		if t.metric(metric.BaselineRTT).Known || t.metric(metric.BaselineDirty).Known {
			tested++
		}
		for _, s := range t.Timeline.Unsettled {
			list = append(list, validity.Line{Text: t.Outcome.Trial.ID + ": " + s, Found: true})
		}
	}
	switch n := len(list); {
	case tested == 0:
		return []validity.Line{{Text: "cannot be told: no baseline has enough round trips, or reports of the workload"}}
	case n == 0:
		return []validity.Line{{Text: fmt.Sprintf("no rise or fall over the baseline was found in %d trials", tested)}}
	case n > mostUnsettled:
		list = append(list[:mostUnsettled], validity.Line{Text: fmt.Sprintf("and %d more, of %d trials", n-mostUnsettled, tested), Found: true})
	}
	return list
}

// mostTold bounds how many lines of one part are printed for a terminal.
const mostTold = 12

// writeValidity prints what is a reason for doubt; the whole list is in the HTML and Markdown reports.
func writeValidity(b *bytes.Buffer, r Run) {
	for _, p := range r.validityParts() {
		if !slices.Contains(toldInText, p.Title) {
			continue // the table, and the remarks, say it already
		}
		found := slices.DeleteFunc(slices.Clone(p.Lines), func(l validity.Line) bool { return !l.Found })
		for i, l := range found {
			if i == mostTold {
				text.Wrapped(b, "! ", fmt.Sprintf("%s: %d more lines are in the report's section on validity", p.Title, len(found)-i))
				break
			}
			text.Wrapped(b, "! ", p.Title+": "+l.Text)
		}
	}
}

var toldInText = []string{validity.SpoiledTitle, validity.OrderTitle, validity.WarmUpTitle, "warm-up within a trial"}

// writeValidityMarkdown prints all of it.
func writeValidityMarkdown(b *bytes.Buffer, r Run) {
	parts := r.validityParts()
	if len(parts) == 0 {
		return
	}
	b.WriteString("\n**validity**\n\n")
	for _, p := range parts {
		for _, l := range p.Lines {
			mark := ""
			if l.Found {
				mark = "⚠ "
			}
			fmt.Fprintf(b, "- %s: %s%s\n", p.Title, mark, l.Text)
		}
	}
}
