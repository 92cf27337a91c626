package plan

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Write prints the plan as a table, one line a trial in order, and its totals.
func Write(w io.Writer, p *Plan) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	blocked := slices.ContainsFunc(p.Trials, func(t Trial) bool { return t.Block != "" })
	row := func(order, id, treatment, replicate, block, estimate string) {
		if blocked {
			replicate += "\t" + block
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", order, id, treatment, replicate, estimate) //nolint:errcheck // Flush returns it
	}
	row("order", "trial", "treatment", "replicate", "block", "about")
	for _, t := range p.Trials {
		row(fmt.Sprint(t.Order), t.ID, t.Treatment, fmt.Sprint(t.Replicate), t.Block, round(t.Estimate))
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	if _, err := fmt.Fprintf(w, "\n%s%s: %s = %s, %s, about %s%s\n", p.Experiment.Name, scale(p.Experiment.Scale),
		count(len(p.Treatments()), "treatment")+" × "+count(p.Experiment.Replicates, "replicate"),
		count(len(p.Trials), "trial"), order(p), round(p.Estimate()), warm(p)); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// scale says at which scale the amounts of the treatments' names are run.
func scale(x float64) string {
	if x == 1 {
		return ""
	}
	return fmt.Sprintf(" at a scale of %g", x)
}

// warm says what warm starts save, if anything.
func warm(p *Plan) string {
	saved := p.Saved()
	if saved < time.Second {
		return ""
	}
	return fmt.Sprintf("; warm starts save about %s", round(saved))
}

// order says how the trials were ordered.
func order(p *Plan) string {
	o := p.Experiment.Order
	s := "in the order of the file"
	if o.Shuffle == nil || *o.Shuffle {
		s = fmt.Sprintf("shuffled with seed %d", o.Seed)
	}
	if by := blockBy(p.Experiment); by != "" {
		s += " within blocks of " + by
	}
	if n := len(p.Experiment.Builds); n > 0 {
		s += fmt.Sprintf(", %d builds in turns, forth and back", n)
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// round keeps what an estimate is worth.
func round(d time.Duration) string {
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%.0fs", d.Seconds())
}
