package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/export"
	"virtscope/analysis/report"
	"virtscope/results"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// exportFormats write a set's figures; metrics are those of a table.
var exportFormats = map[string]func(w io.Writer, set dataset.Set, metrics []string) error{
	"csv":         func(w io.Writer, set dataset.Set, _ []string) error { return export.CSV(w, set) },
	"parquet":     func(w io.Writer, set dataset.Set, _ []string) error { return export.Parquet(w, set) },
	"bench":       func(w io.Writer, set dataset.Set, _ []string) error { return export.Bench(w, set) },
	"openmetrics": func(w io.Writer, set dataset.Set, _ []string) error { return export.OpenMetrics(w, set) },
	"line":        func(w io.Writer, set dataset.Set, _ []string) error { return export.Line(w, set) },
	"pgfplots": func(w io.Writer, set dataset.Set, metrics []string) error {
		return export.PGFPlots(w, set, metrics, report.Confidence)
	},
	"latex": func(w io.Writer, set dataset.Set, metrics []string) error {
		return export.LaTeX(w, set, metrics, report.Confidence)
	},
}

func newExportCommand() *cobra.Command {
	var format, output string
	var metrics []string
	var samples, force bool
	c := &cobra.Command{
		Use:   "export RUN",
		Short: "write a run's figures, or its raw records, in another tool's format",
		Example: `  virtscope export latest --format latex --metrics total,downtime
  virtscope export latest --format parquet --samples -o records.parquet
  virtscope export latest --format bench | benchstat -`,
		Args: oneArg("name one run folder, latest, or a trials.csv"),
		RunE: func(c *cobra.Command, args []string) error {
			write, ok := exportFormats[format]
			if !ok {
				return specError(fmt.Errorf("--format %q: use csv, parquet, bench, openmetrics, line, pgfplots or latex", format))
			}
			if format == "parquet" && output == "" && isTerminal(c.OutOrStdout()) {
				return specError(errors.New("parquet is no text: name a file with -o"))
			}
			if samples {
				if len(metrics) > 0 {
					return specError(errors.New("--metrics: a record is of no metric: leave it out, or --samples"))
				}
				return exportSamples(c, args[0], format, output, force)
			}
			set, err := loadSet(c, args[0])
			if err != nil {
				return err
			}
			set, names, err := export.Choose(set, metrics)
			if err != nil {
				return specError(err)
			}
			one := func(path string, names []string) error {
				return writeOutput(c, path, force, func(w io.Writer) error { return write(w, set, names) })
			}
			if format == "pgfplots" && output != "" {
				err = eachTable(output, names, force, one)
			} else {
				err = one(output, names)
			}
			if err != nil {
				return err
			}
			for _, s := range shortcomings(set) {
				fmt.Fprintln(os.Stderr, "!", s)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&format, "format", "csv", "csv, parquet, bench, openmetrics, line, pgfplots or latex")
	f.StringSliceVar(&metrics, "metrics", nil, "these alone; without it latex and pgfplots take the headlines, the others all")
	f.BoolVar(&samples, "samples", false, "the raw records of all trials (parquet and line)")
	f.StringVarP(&output, "output", "o", "", "write to this file, which must not exist")
	f.BoolVar(&force, "force", false, "replace the file")
	return c
}

// eachTable writes a file a metric, since \pgfplotstableread takes one table a file: x-total.dat for -o x.dat, and x.dat itself if there is one metric.
func eachTable(output string, names []string, force bool, write func(path string, names []string) error) error {
	if len(names) == 1 {
		return write(output, names)
	}
	ext := filepath.Ext(output)
	path := func(name string) string { return strings.TrimSuffix(output, ext) + "-" + name + ext }
	for _, name := range names { // all or none
		if _, err := os.Lstat(path(name)); err == nil && !force {
			return specError(fmt.Errorf("write %s: it exists: name another file, or remove it first", path(name)))
		}
	}
	for _, name := range names {
		if err := write(path(name), []string{name}); err != nil {
			return err
		}
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// exportSamples writes the raw records of the last attempt of each trial that ended, one trial in memory at a time.
func exportSamples(c *cobra.Command, name, format, output string, force bool) error {
	if format != "parquet" && format != "line" {
		return specError(fmt.Errorf("--samples: %s has no room for records: use parquet or line", format))
	}
	r, err := openRun(c, name)
	if err != nil {
		return specError(err)
	}
	err = writeOutput(c, output, force, func(w io.Writer) error {
		if format == "line" {
			return eachRecords(c, r, func(trial string, records []results.Record) error {
				return export.LineRecords(w, r.Manifest.Run, trial, records)
			})
		}
		out := export.NewRecordWriter(w)
		if err := eachRecords(c, r, out.Write); err != nil {
			return err
		}
		return out.Close()
	})
	if err != nil {
		return err
	}
	missing, err := unended(r, anyOutcome)
	if len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "! %s: the records of %d of %d trials, which have not ended, are left out: %s\n", r.Dir, len(missing), len(r.Plan), strings.Join(missing, ", "))
	}
	return err
}

func eachRecords(c *cobra.Command, r *results.Run, visit func(string, []results.Record) error) error {
	for _, t := range r.Plan {
		if err := c.Context().Err(); err != nil {
			return err
		}
		if _, ok, err := r.Outcome(t.ID); err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		records, err := r.Records(t.ID)
		if err != nil {
			return err
		}
		if err := visit(t.ID, records); err != nil {
			return err
		}
	}
	return nil
}
