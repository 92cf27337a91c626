package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// compareOptions are the flags of commands that compare.
type compareOptions struct {
	alpha   float64
	metrics []string
	floors  []string
	allow   []string
	force   bool
	by      string
	with    []string
	looks   int
	open    string
	stopped bool // a rule to stop has left out trials
	seed    uint64
	clean   bool // without spoiled trials
}

func (o *compareOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.Float64Var(&o.alpha, "alpha", 0.05, "chance of any false alarm in the whole comparison")
	f.StringSliceVar(&o.metrics, "metrics", nil, "compare these instead of the headlines; all is every metric that has a better way")
	f.StringSliceVar(&o.floors, "floor", nil, "least difference that matters, as metric=5% or metric=0.01 (in base units); may be repeated")
	f.StringSliceVar(&o.allow, "allow", nil, "facts of the machine that are meant to differ, such as qemu.version")
	f.BoolVar(&o.force, "force", false, "compare runs of different machines or settings all the same, with a warning")
	f.BoolVar(&o.clean, "without-spoiled", false, "leave out trials whose machine was too noisy")
	f.Uint64Var(&o.seed, "seed", 1, "of resampling")
}

// addSides are the flags of what is compared.
func (o *compareOptions) addSides(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.by, "by", "", "of one run, compare two levels of a factor: factor=base,head; without it, its two builds")
	f.IntVar(&o.looks, "looks", 1, "how often to look at most: alpha is shared by them, so that what is undecided may be looked at again with more trials")
	f.StringArrayVar(&o.with, "with", nil, "look again, with the trials of BASE2,HEAD2 (or of RUN2), made by virtscope run --more-of; may be repeated, in order")
	f.StringVar(&o.open, "open", "", "write the names of undecided treatments to this file, for virtscope run --more-of RUN --only-from FILE")
}

// errUndecided says that a difference can be neither shown nor excluded.
var errUndecided = errors.New("undecided")

func newCompareCommand() *cobra.Command {
	var o compareOptions
	var gate bool
	var format, output, undecided string
	c := &cobra.Command{
		Use:   "compare BASE HEAD | compare RUN [--by FACTOR=BASE,HEAD]",
		Short: "say in what two runs differ, by how much and how surely; fail on a regression",
		Example: `  virtscope compare runs/quickstart-… latest
  virtscope compare base head --gate --format markdown
  virtscope compare latest                                      # the two builds of one run
  virtscope compare latest --by workload.rate=4MiB/s,24MiB/s
  virtscope compare base head --looks 2 --open open.txt         # what is undecided, to be run again …
  virtscope compare base head --looks 2 --with base2,head2      # … and looked at again`,
		Args: runsToCompare(&o),
		RunE: func(c *cobra.Command, args []string) error {
			write, ok := comparisonFormats[format]
			if !ok {
				return specError(fmt.Errorf("--format %q: use text, markdown, json or junit", format))
			}
			if undecided != "pass" && undecided != "fail" {
				return specError(fmt.Errorf("--undecided %q: use pass or fail", undecided))
			}
			r, err := o.compare(c, args)
			if err != nil {
				return err
			}
			if err := writeOutput(c, output, false, func(w io.Writer) error { return write(w, r) }); err != nil {
				return err
			}
			if !gate {
				return nil
			}
			return o.judgeGate(r, undecided == "fail")
		},
	}
	o.add(c)
	o.addSides(c)
	c.Flags().BoolVar(&gate, "gate", false, "exit 1 if anything is worse")
	c.Flags().StringVar(&undecided, "undecided", "pass", "with --gate: pass or fail where nothing is worse and a metric cannot be decided")
	c.Flags().StringVar(&format, "format", "text", "text, markdown, json or junit")
	c.Flags().StringVarP(&output, "output", "o", "", "write to this file, which must not exist")
	return c
}

var comparisonFormats = map[string]func(io.Writer, compare.Result) error{
	"text": compare.WriteText, "markdown": compare.WriteMarkdown, "json": compare.WriteJSON, "junit": compare.WriteJUnit,
}

var errTwoRuns = errors.New("name two run folders, base and head; or one, with --by factor=base,head, or with two builds in its experiment")

// mostLooks bounds --looks: the share of each is then a tenth of alpha.
const mostLooks = 10

func runsToCompare(o *compareOptions) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) != 1 && (o.by != "" || len(args) != 2):
			return specError(errTwoRuns)
		case o.looks < 1 || o.looks > mostLooks:
			return specError(fmt.Errorf("--looks %d: want 1 to %d", o.looks, mostLooks))
		case len(o.with) >= o.looks:
			return specError(fmt.Errorf("--with: these are %d looks: say --looks %d, or more, as you did at the first: alpha is shared by them", len(o.with)+1, len(o.with)+1))
		}
		return nil
	}
}

// judgeGate is an error that names what is worse. It cannot tell by trials whose number depends on them, unless forced.
func (o *compareOptions) judgeGate(r compare.Result, undecidedFails bool) error {
	if o.stopped && !o.force {
		return fmt.Errorf("%w: stop-when left out trials, and alpha does not hold: run without it, or gate all the same with --force", errUndecided)
	}
	var worse, open []string
	for _, row := range r.Rows {
		name := strings.TrimSuffix(row.Metric+" of "+row.Treatment, " of ")
		switch row.Verdict {
		case compare.Worse:
			worse = append(worse, name)
		case compare.Undecided, compare.Unknown:
			open = append(open, name)
		}
	}
	switch {
	case len(worse) > 0:
		return fmt.Errorf("worse: %s", strings.Join(worse, "; "))
	case r.Family == 0 && !r.Decided():
		return fmt.Errorf("%w: %s", errUndecided, r.Answer())
	case undecidedFails && len(open) > 0:
		return fmt.Errorf("%w: %s", errUndecided, strings.Join(open, "; "))
	}
	return nil
}

func (o *compareOptions) options() (compare.Options, error) {
	if !(o.alpha > 0 && o.alpha < 1) {
		return compare.Options{}, fmt.Errorf("--alpha %v: want a number between 0 and 1, such as 0.05", o.alpha)
	}
	options := compare.Options{Alpha: o.alpha, Metrics: o.metrics, Seed: o.seed, Floors: map[string]compare.Floor{}}
	for _, text := range o.floors {
		name, value, _ := strings.Cut(text, "=")
		number, percent := strings.CutSuffix(value, "%")
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || v < 0 || name == "" {
			return options, fmt.Errorf("--floor %q: want metric=5%% or metric=0.01 (in base units)", text)
		}
		f := options.Floors[name]
		if percent {
			f.Relative = v / 100
		} else {
			f.Absolute = v
		}
		options.Floors[name] = f
	}
	return options, nil
}

// writeOutput writes to the command's output, or to a file that must not exist unless forced; a file is there whole or not at all.
func writeOutput(c *cobra.Command, path string, force bool, write func(io.Writer) error) error {
	if path == "" {
		return write(c.OutOrStdout())
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return specError(fmt.Errorf("write %s: it exists: name another file, or remove it first", path))
	}
	return results.Replace(path, write)
}
