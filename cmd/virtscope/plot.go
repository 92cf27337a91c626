package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"virtscope/analysis/report"

	"github.com/spf13/cobra"
)

// plotFormats are how a figure is written, by the file's extension.
var plotFormats = map[string]func(report.Figure, io.Writer) error{
	".svg": report.Figure.WriteSVG, ".pdf": report.Figure.WritePDF, ".png": report.Figure.WritePNG,
}

func newPlotCommand() *cobra.Command {
	var p report.Plot
	var output string
	var force bool
	c := &cobra.Command{
		Use:   "plot RUN --kind KIND -o FILE",
		Short: "draw one figure of a run as SVG, PDF or PNG",
		Long: `plot draws one figure of a run, one column of a page wide, and prints its caption. Kinds:

  box          every trial, with quartiles and the median
  ecdf         the share of trials up to a value
  line         the median over a factor of numbers, a line for each level of another
  bars         the median as bars, side by side for each level of another factor
  phases       median phases of each treatment, stacked
  gantt        the phases of each trial over time
  timeseries   throughput, service and latency over time, of each treatment's typical trial
  heatmap      the median by two factors
  interaction  the median by two factors, as lines that cross where they interact
  qq           residuals against a normal distribution
  drift        values over the order of execution, with a trend if there is one
  predicted    what models predicted against what was measured

Several figures, of the factors that one does not show, are written to FILE-1, FILE-2 and so on.`,
		Example: `  virtscope plot latest --kind box -o total.pdf
  virtscope plot latest --kind heatmap --metric downtime --x workload.rate --by action.migrate.algorithm -o downtime.svg
  virtscope plot docs/evidence/deploy/trials.csv.gz --kind ecdf --metric deploy.ready.p50 -o ready.png`,
		Args: oneArg("name one run folder, latest, or a trials.csv"),
		RunE: func(c *cobra.Command, args []string) error {
			format := filepath.Ext(output)
			if err := checkPlotFlags(p, output, format); err != nil {
				return specError(err)
			}
			figures, err := drawPlot(c, args[0], p)
			if err != nil {
				return err
			}
			return writePlots(c, figures, strings.TrimSuffix(output, format), format, force)
		},
	}
	f := c.Flags()
	f.StringVar(&p.Kind, "kind", "", strings.Join(report.PlotKinds(), ", "))
	f.StringVar(&p.Metric, "metric", "", "what is drawn; without it, the headline of the run's action")
	f.StringVar(&p.X, "x", "", "the factor along the axis; without it, one that fits")
	f.StringVar(&p.By, "by", "", "the factor in colours, or along y of a heatmap; without it, one that fits")
	f.StringVarP(&output, "output", "o", "", "write to this file (.svg, .pdf or .png), which must not exist")
	f.BoolVar(&force, "force", false, "replace the file")
	return c
}

// checkPlotFlags finds what is wrong before records are read, which takes a while.
func checkPlotFlags(p report.Plot, output, format string) error {
	switch {
	case p.Kind == "":
		return fmt.Errorf("name a figure with --kind: %s", strings.Join(report.PlotKinds(), ", "))
	case !slices.Contains(report.PlotKinds(), p.Kind):
		return fmt.Errorf("--kind %q: use %s", p.Kind, strings.Join(report.PlotKinds(), ", "))
	case output == "":
		return errors.New("name a file with -o, such as -o figure.pdf")
	case plotFormats[format] == nil:
		return fmt.Errorf("-o %q: the name must end in .svg, .pdf or .png", output)
	}
	return nil
}

// drawPlot reads a run, or the metrics of its trials.csv.
func drawPlot(c *cobra.Command, name string, p report.Plot) ([]report.Figure, error) {
	if strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz") {
		set, err := loadSet(c, name)
		if err != nil {
			return nil, err
		}
		for _, s := range shortcomings(set) {
			fmt.Fprintln(os.Stderr, "!", s)
		}
		figures, err := report.DrawSet(set, p)
		return figures, specError(err)
	}
	r, err := openRun(c, name)
	if err != nil {
		return nil, specError(err)
	}
	run, err := analyzeRun(c.Context(), r, withoutSeries(r), nil)
	if err != nil {
		return nil, err
	}
	if len(run.Trials) == 0 {
		return nil, specError(fmt.Errorf("read %s: none of its %d trials has ended: go on with virtscope run --resume %s", r.Dir, len(r.Plan), r.Dir))
	}
	for _, s := range shortcomings(run.Dataset(r.Manifest.Run)) {
		fmt.Fprintln(os.Stderr, "!", s)
	}
	figures, err := report.DrawPlot(run, p)
	return figures, specError(err)
}

// writePlots writes each figure to a file of its own, and prints what it shows.
func writePlots(c *cobra.Command, figures []report.Figure, base, format string, force bool) error {
	for i, f := range figures {
		path := base + format
		if len(figures) > 1 {
			path = fmt.Sprintf("%s-%d%s", base, i+1, format)
		}
		if err := writeOutput(c, path, force, func(w io.Writer) error { return plotFormats[format](f, w) }); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %s. %s\n", path, f.Title, f.Caption)
	}
	return nil
}
