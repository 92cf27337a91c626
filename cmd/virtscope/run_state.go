package main

import (
	"bytes"
	"fmt"
	"io"
	"virtscope/analysis/live"
	"virtscope/analysis/report"
	"virtscope/analysis/text"
	"virtscope/results"
)

// stateRemarks are what a run's journal says that a reader of its results must know: that it has not ended, and what had changed
// when it was gone on with, such as the version of a tool.
func stateRemarks(r *results.Run) []string {
	entries, err := r.Entries()
	if err != nil {
		return []string{fmt.Sprintf("whether the run has ended is not known: %v", err)}
	}
	var list []string
	if m := r.Manifest.MoreOf; m != nil {
		list = append(list, fmt.Sprintf("these are more trials of %s, for look %d at its treatments: to be compared together with it (virtscope compare --with), not alone", m.Run, m.Look))
	}
	ended := map[string]bool{}
	begun := false // and not ended; a run that was imported never begins
	under := ""    // the trial under way
	for _, e := range entries {
		switch e.Event {
		case results.RunBegin:
			begun, under = true, ""
			if e.Reason != "" {
				list = append(list, fmt.Sprintf("from %s on: %s (%d trials had ended before: they may not be comparable)", e.Time.Format("2006-01-02 15:04:05"), e.Reason, len(ended)))
			}
		case results.TrialBegin:
			under = fmt.Sprintf(": trial %s began at %s and has not ended", e.Trial, e.Time.Format("15:04:05"))
		case results.TrialDone:
			under, ended[e.Trial] = "", true
		case results.RunEnd:
			begun = false
		}
	}
	if begun {
		list = append(list, whetherLive(r)+under+". Below is what had ended when this was written")
	}
	return list
}

// whetherLive says of a run whose journal has no end whether a process works on it.
func whetherLive(r *results.Run) string {
	process, err := processOf(r)
	switch {
	case err != nil:
		return fmt.Sprintf("the run has not ended by its journal, and whether a process still works on it is not known (%v)", err)
	case process == live.Working:
		return "the run is still under way"
	}
	return "the run was killed (go on with virtscope run --resume)"
}

// writeTable prints a run's table, below what must be known of the run's state.
func writeTable(w io.Writer, r *results.Run, run report.Run) error {
	var b bytes.Buffer
	for _, remark := range stateRemarks(r) {
		text.Wrapped(&b, "! ", remark)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return report.WriteTable(w, run)
}

// hint is the command that shows a trial of the run in full; "" if none can be shown.
func hint(r *results.Run, run report.Run) string {
	for _, t := range run.Trials {
		if t.Timeline != nil {
			return fmt.Sprintf("virtscope show %s %d", r.Dir, t.Outcome.Trial.Order)
		}
	}
	return ""
}
