package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"virtscope/analysis/report"
	"virtscope/analysis/timeline"
	"virtscope/experiments/spec"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// What is derived from a run, in its folder.
const (
	timelineFile = "timeline.json" // in each trial's folder
	csvFile      = "trials.csv"
	reportFile   = "report.html"
	figuresDir   = "figures"
)

func newAnalyzeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "analyze RUN",
		Short: "derive everything from a run's raw records again: timelines, table, CSV, figures, report",
		Args:  oneArg("name one run folder, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			return writeReport(c.Context(), c.OutOrStdout(), r)
		},
	}
}

// writeReport derives what a run's folder holds beside the raw records, prints the table and says where the rest is.
func writeReport(ctx context.Context, w io.Writer, r *results.Run) error {
	run, err := analyzeRun(ctx, r, withSeries(r), func(t report.Trial) error {
		if t.Timeline == nil {
			return nil
		}
		return results.WriteJSON(filepath.Join(r.TrialDir(t.Outcome.Trial.ID), timelineFile), t.Timeline)
	})
	if err != nil {
		return err
	}
	figures := filepath.Join(r.Dir, figuresDir)
	addPaper(&run, r)
	run.State = stateRemarks(r)
	if err := os.MkdirAll(figures, 0o755); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if err := writeTable(w, r, run); err != nil {
		return err
	}
	if _, err := report.WriteFigures(figures, run); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if err := results.Replace(filepath.Join(r.Dir, csvFile), func(w io.Writer) error { return report.WriteCSV(w, run) }); err != nil {
		return err
	}
	page := filepath.Join(r.Dir, reportFile)
	if err := results.Replace(page, func(w io.Writer) error { return report.WriteHTML(w, run) }); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nrun      %s\nfigures  %s\nreport   %s\n", r.Dir, figures, page)
	if show := hint(r, run); show != "" {
		fmt.Fprintf(w, "trial    %s\n", show)
	}
	return nil
}

// analyzeRun builds the timeline of every trial that ended, and gives each to done, from any goroutine; nil is none.
func analyzeRun(ctx context.Context, r *results.Run, read reader, done func(report.Trial) error) (report.Run, error) {
	text, err := r.Experiment()
	if err != nil {
		return report.Run{}, fmt.Errorf("read the run's experiment: %w", err)
	}
	run := report.Run{Manifest: r.Manifest, Spec: string(text), Planned: len(r.Plan), Plots: plotsOf(r)}
	run.Noise, run.NoNoise = noiseOf(r)
	skipped, err := r.Skipped()
	if err != nil {
		return report.Run{}, err
	}
	run.Skipped = len(skipped)
	run.Planned -= len(skipped)
	run.Trials, err = analyzeTrials(ctx, r, read, done)
	return run, err
}

// buildTimeline reads a trial's records; s is its experiment, nil if that cannot be read.
func buildTimeline(r *results.Run, o results.Outcome, s *spec.Experiment) (*timeline.Timeline, error) {
	records, err := r.Records(o.Trial.ID)
	if err != nil {
		return nil, err
	}
	return timeline.BuildWithin(o, records, limitsOf(s))
}

// trialSpecs are the experiments of the trials, by trial; those of a run whose experiment this virtscope cannot
// read are missing.
func trialSpecs(r *results.Run) map[string]*spec.Experiment {
	specs := map[string]*spec.Experiment{}
	p, err := planOf(r)
	if err != nil {
		return specs
	}
	for _, t := range p.Trials {
		specs[t.ID] = t.Spec
	}
	return specs
}

// timelines are those of the completed trials; one that cannot be built is an error.
func timelines(ctx context.Context, r *results.Run) ([]*timeline.Timeline, error) {
	run, err := analyzeRun(ctx, r, withoutSeries(r), nil)
	if err != nil {
		return nil, err
	}
	var list []*timeline.Timeline
	for _, t := range run.Trials {
		if t.Problem != "" {
			return nil, fmt.Errorf("trial %s: %s", t.Outcome.Trial.ID, t.Problem)
		}
		if t.Outcome.Verdict == results.Completed {
			list = append(list, t.Timeline)
		}
	}
	return list, nil
}

func timeSeconds(d spec.Duration) float64 { return float64(d) / 1e9 }
