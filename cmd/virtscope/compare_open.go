package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/dataset"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// undecided says on standard error which treatments are undecided, and how to look again; --open writes their names.
func (o *compareOptions) undecided(c *cobra.Command, r compare.Result, s sides, args []string) error {
	if s.runs[0][0].Manifest.Run == "" && o.open == "" {
		return nil // of a CSV file there is no experiment to run
	}
	names := o.openTreatments(r, s.runs[0])
	if o.open != "" {
		if err := o.writeOpen(c, names, s.runs[0][0]); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	w := os.Stderr
	fmt.Fprintf(w, "undecided: %s\n", strings.Join(names, "; "))
	switch {
	case r.MostLooks == 1:
		fmt.Fprintln(w, "to be able to run more of these alone, and look again within the same alpha, compare with --looks 2 from the start")
	case r.Look == r.MostLooks:
		fmt.Fprintf(w, "all %d looks were taken: to decide more, start with more replicates\n", r.MostLooks)
	default:
		o.tellHow(w, names, s, args)
	}
	return nil
}

// tellHow writes the commands that lead to the next look.
func (o *compareOptions) tellHow(w io.Writer, names []string, s sides, args []string) {
	only := " --only-from " + quoted(o.open)
	if o.open == "" {
		only = ""
		for _, n := range names {
			only += " --only " + quoted(n)
		}
	}
	last := slices.Clone(args)
	if n := len(o.with); n > 0 {
		last = strings.Split(o.with[n-1], ",")
	}
	fmt.Fprintf(w, "for look %d of %d, run as many replicates again of these alone:\n", len(s.base)+1, o.looks)
	for _, run := range last {
		fmt.Fprintf(w, "  virtscope run --more-of %s%s\n", quoted(run), only)
	}
	more := "BASE2,HEAD2"
	if s.oneRun {
		more = "RUN2"
	}
	fmt.Fprintf(w, "and compare again as now, with --with %s: the runs that these make\n", more)
}

func (o *compareOptions) writeOpen(c *cobra.Command, names []string, first dataset.Set) error {
	if first.Manifest.Run == "" {
		return specError(fmt.Errorf("--open: of %s, a CSV file, the experiment is not known: name a run folder", first.Name))
	}
	return writeOutput(c, o.open, true, func(w io.Writer) error {
		for _, n := range names {
			if _, err := fmt.Fprintln(w, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// openTreatments are the treatments, as the first look's run has them, of which a metric is undecided.
func (o *compareOptions) openTreatments(r compare.Result, first []dataset.Set) (names []string) {
	for _, t := range first[0].Treatments() {
		open := slices.ContainsFunc(r.Rows, func(row compare.Row) bool { return row.Undecided() && within(row.Levels, t.Levels) })
		if open && o.compared(t.Levels) {
			names = append(names, t.Name)
		}
	}
	return names
}

// compared reports whether a treatment is of one of the two levels that --by compares; without it, all are.
func (o *compareOptions) compared(levels []results.Level) bool {
	factor, both, ok := strings.Cut(o.by, "=")
	if !ok {
		return true
	}
	return slices.ContainsFunc(levels, func(l results.Level) bool {
		return l.Factor == factor && slices.Contains(strings.SplitN(both, ",", 2), l.Value)
	})
}

func within(levels, of []results.Level) bool {
	return !slices.ContainsFunc(levels, func(l results.Level) bool { return !slices.Contains(of, l) })
}

// quoted is a word for a shell.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+%@") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
