package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/dataset"
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
	f.StringVar(&o.by, "by", "", "of one run, compare two levels of a factor: factor=base,head")
	f.BoolVar(&o.clean, "without-spoiled", false, "leave out trials whose machine was too noisy")
	f.Uint64Var(&o.seed, "seed", 1, "of resampling")
}

// errUndecided says that a difference can be neither shown nor excluded.
var errUndecided = errors.New("undecided")

func newCompareCommand() *cobra.Command {
	var o compareOptions
	var gate bool
	var format, output, undecided string
	c := &cobra.Command{
		Use:   "compare BASE HEAD | compare RUN --by FACTOR=BASE,HEAD",
		Short: "say in what two runs differ, by how much and how surely; fail on a regression",
		Example: `  virtscope compare runs/quickstart-… latest
  virtscope compare base head --gate --format markdown
  virtscope compare latest --by workload.rate=4MiB/s,24MiB/s`,
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
			return judgeGate(r, undecided == "fail")
		},
	}
	o.add(c)
	c.Flags().BoolVar(&gate, "gate", false, "exit 1 if anything is worse")
	c.Flags().StringVar(&undecided, "undecided", "pass", "with --gate: pass or fail where nothing is worse and a metric cannot be decided")
	c.Flags().StringVar(&format, "format", "text", "text, markdown, json or junit")
	c.Flags().StringVarP(&output, "output", "o", "", "write to this file, which must not exist")
	return c
}

var comparisonFormats = map[string]func(io.Writer, compare.Result) error{
	"text": compare.WriteText, "markdown": compare.WriteMarkdown, "json": compare.WriteJSON, "junit": compare.WriteJUnit,
}

func runsToCompare(o *compareOptions) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if o.by != "" && len(args) == 1 || o.by == "" && len(args) == 2 {
			return nil
		}
		return specError(errors.New("name two run folders, base and head; or one, with --by factor=base,head"))
	}
}

// judgeGate is an error that names what is worse.
func judgeGate(r compare.Result, undecidedFails bool) error {
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
	case r.Family == 0:
		return fmt.Errorf("%w: nothing could be compared", errUndecided)
	case undecidedFails && len(open) > 0:
		return fmt.Errorf("%w: %s", errUndecided, strings.Join(open, "; "))
	}
	return nil
}

// compare loads what is to be compared, and compares it.
func (o *compareOptions) compare(c *cobra.Command, args []string) (compare.Result, error) {
	options, err := o.options()
	if err != nil {
		return compare.Result{}, specError(err)
	}
	if o.by != "" {
		return o.compareLevels(c, args[0], options)
	}
	base, err := loadSet(c, args[0])
	if err != nil {
		return compare.Result{}, err
	}
	head, err := loadSet(c, args[1])
	if err != nil {
		return compare.Result{}, err
	}
	unlike := compare.Unlike(without(base.Manifest, o.allow), without(head.Manifest, o.allow))
	if len(unlike) > 0 && !o.force && base.Manifest.Run != "" && head.Manifest.Run != "" {
		return compare.Result{}, specError(fmt.Errorf("compare: the runs differ in more than what they measured:\n  %s\nname what is meant to differ with --allow, or compare them all the same with --force",
			strings.Join(unlike, "\n  ")))
	}
	r, err := compareSpoiled(base, head, o.clean, options)
	if base.Manifest.Run == "" || head.Manifest.Run == "" {
		r.Notes = append(r.Notes, "of a CSV file, neither the machine nor the settings are known: whether the runs are alike could not be checked")
		unlike = nil
	}
	if len(unlike) > 0 {
		r.Notes = append(r.Notes, "forced: the runs differ in more than what they measured, and any of it may be the reason: "+strings.Join(unlike, "; "))
	}
	for _, a := range o.allow {
		r.Notes = append(r.Notes, "meant to differ: "+a)
	}
	if v := compare.Versions(base.Manifest, head.Manifest); v != "" {
		r.Notes = append(r.Notes, v)
	}
	r.Notes = append(append(r.Notes, shortcomings(base)...), shortcomings(head)...)
	return r, err
}

// without leaves out the facts that are meant to differ.
func without(m results.Manifest, names []string) results.Manifest {
	var facts []results.Fact
	for _, f := range m.Facts {
		keep := true
		for _, n := range names {
			keep = keep && n != f.Name
		}
		if keep {
			facts = append(facts, f)
		}
	}
	m.Facts = facts
	return m
}

func (o *compareOptions) compareLevels(c *cobra.Command, name string, options compare.Options) (compare.Result, error) {
	factor, levels, _ := strings.Cut(o.by, "=")
	base, head, ok := strings.Cut(levels, ",")
	if factor == "" || !ok {
		return compare.Result{}, specError(fmt.Errorf("--by %q: want factor=base,head, such as workload.rate=4MiB/s,24MiB/s", o.by))
	}
	set, err := loadSet(c, name)
	if err != nil {
		return compare.Result{}, err
	}
	var parts [2]dataset.Set
	for i, level := range []string{base, head} {
		if parts[i], err = set.Level(factor, level); err != nil {
			return compare.Result{}, specError(err)
		}
	}
	options.Blocked = parts[0].Blocked() && parts[1].Blocked()
	r, err := compareSpoiled(parts[0], parts[1], o.clean, options)
	if options.Blocked {
		r.Notes = append(r.Notes, "compared within blocks")
	}
	r.Notes = append(r.Notes, shortcomings(set)...)
	return r, err
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
