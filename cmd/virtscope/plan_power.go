package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/export"
	"virtscope/analysis/power"
	"virtscope/analysis/text"

	"github.com/spf13/cobra"
)

// powerOptions are the flags of plan --power.
type powerOptions struct {
	differences []string
	from        string
	metrics     []string
	alpha       float64
	power       float64
	tests       int
}

func (o *powerOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&o.differences, "power", nil, "say how many replicates show a difference of this much, such as 5%; needs --from")
	f.StringVar(&o.from, "from", "", "with --power: a pilot or a past run (a run folder, latest, or a trials.csv)")
	f.StringSliceVar(&o.metrics, "metrics", nil, "with --power: these, instead of the headlines")
	f.Float64Var(&o.alpha, "alpha", 0.05, "with --power: chance of any false alarm in a comparison")
	f.Float64Var(&o.power, "chance", 0.8, "with --power: chance to find the difference if it is there")
	f.IntVar(&o.tests, "tests", 1, "with --power: how many tests the comparison will make; alpha is shared by them")
}

func (o *powerOptions) asked() bool { return len(o.differences) > 0 }

// write prints, for each metric, the replicates of the treatment that needs most: all of an experiment have the same number.
func (o *powerOptions) write(c *cobra.Command, w io.Writer) error {
	questions, err := o.questions()
	if err != nil {
		return specError(err)
	}
	set, err := loadSet(c, o.from)
	if err != nil {
		return err
	}
	set, names, err := export.Choose(set, o.metrics)
	if err != nil {
		return specError(err)
	}
	var b bytes.Buffer
	rows := [][]string{{"metric", "difference", "replicates", "to be safe", "spread", "pilot", "treatment that needs most"}}
	var notes []string
	for _, name := range names {
		for _, q := range questions {
			row, said, err := hardest(set, name, q)
			if err != nil {
				return err
			}
			rows = append(rows, row)
			notes = append(notes, said...)
		}
	}
	fmt.Fprintf(&b, "Replicates a side that find a difference with a chance of %g, from %s\n\n", o.power, set.Name)
	text.Aligned(&b, rows)
	fmt.Fprintln(&b)
	text.Wrapped(&b, "", fmt.Sprintf("By 400 simulated comparisons each (Mann–Whitney, alpha %g over %d tests), with values drawn from the pilot's, smoothed. To be safe: if the spread is as large as its upper 90 %% bound. More than 200 are not tried. A pilot shows the noise of its own day and machine only.", o.alpha, o.tests))
	for _, n := range notes {
		text.Wrapped(&b, "! ", n)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func (o *powerOptions) questions() ([]power.Question, error) {
	switch {
	case o.from == "":
		return nil, errors.New("--power: name a pilot or a past run with --from: a spread cannot be guessed")
	case !(o.alpha > 0 && o.alpha < 1):
		return nil, fmt.Errorf("--alpha %v: want a number between 0 and 1, such as 0.05", o.alpha)
	case !(o.power > 0 && o.power < 1):
		return nil, fmt.Errorf("--chance %v: want a number between 0 and 1, such as 0.8", o.power)
	case o.tests < 1:
		return nil, fmt.Errorf("--tests %d: want 1 or more", o.tests)
	}
	var list []power.Question
	for _, d := range o.differences {
		number, ok := strings.CutSuffix(d, "%")
		v, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || !(v > 0) || v > 1e6 {
			return nil, fmt.Errorf("--power %q: want a difference above 0, such as 5%%", d)
		}
		list = append(list, power.Question{Difference: v / 100, Alpha: o.alpha / float64(o.tests), Power: o.power, Seed: 1})
	}
	return list, nil
}

func hardest(set dataset.Set, name string, q power.Question) (row, notes []string, err error) {
	var worst power.Answer
	var at string
	for _, t := range set.Treatments() {
		sample, _, err := t.Sample(name)
		if err != nil {
			return nil, nil, err
		}
		a := power.From(sample, q)
		switch {
		case !a.Known:
			notes = append(notes, fmt.Sprintf("%s of %s: %s", name, t.Name, a.Why))
		case !worst.Known, worst.Replicates > 0 && (a.Replicates == 0 || a.Replicates > worst.Replicates):
			worst, at = a, t.Name
		}
	}
	row = []string{name, fmt.Sprintf("%g %%", 100*q.Difference)}
	if !worst.Known {
		return append(row, "unknown", "", "", "", ""), notes, nil
	}
	return append(row, orMore(worst.Replicates), orMore(worst.Cautious), fmt.Sprintf("%.2g %% (to %.2g %%)", 100*worst.Spread, 100*worst.Upper), fmt.Sprintf("n %d", worst.Trials), at), notes, nil
}

func orMore(n int) string {
	if n == 0 {
		return "more than 200"
	}
	return strconv.Itoa(n)
}
