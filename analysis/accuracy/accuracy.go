// Package accuracy holds the views of an outage against the truth, where a scripted guest made the outage and measured
// it itself.
package accuracy

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
)

// Views are the views that are held against the truth, in order.
var Views = []string{timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest}

// A Row is one trial: what was injected and what each view measured.
type Row struct {
	Trial    string
	Injected quantity.Quantity            // s: how long the scripted guest was stopped, by its own clock
	Measured map[string]quantity.Quantity // s, by view
}

// Error is a view's measured minus injected outage in s; ok is false where either is not known.
func (r Row) Error(view string) (e float64, ok bool) {
	m, found := r.Measured[view]
	if !found || !m.Known || m.Censored || !r.Injected.Known {
		return 0, false
	}
	return m.Value - r.Injected.Value, true
}

// Rows holds trials against their truth, by injected outage.
func Rows(trials []*timeline.Timeline) []Row {
	rows := make([]Row, 0, len(trials))
	for _, t := range trials {
		r := Row{
			Trial: t.Trial.ID, Injected: t.Outage(timeline.Downtime).Quantity, Measured: map[string]quantity.Quantity{},
		}
		for _, view := range Views {
			r.Measured[view] = t.Outage(view).Quantity
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		switch {
		case a.Injected.Value < b.Injected.Value:
			return -1
		case a.Injected.Value > b.Injected.Value:
			return 1
		}
		return 0
	})
	return rows
}

// A Limit is how far a view may be off for outages that are long enough to be seen.
type Limit struct {
	View      string
	Tolerance time.Duration
}

// Least is the shortest injected outage that a limit holds for.
const Least = 5 * time.Millisecond

// Misses lists what broke a limit: a view that was off by more, or that did not measure at all.
func Misses(rows []Row, limits []Limit) []string {
	var misses []string
	for _, r := range rows {
		if !r.Injected.Known {
			misses = append(misses, fmt.Sprintf("%s: the injected outage is not known: %s", r.Trial, r.Injected.Why))
			continue
		}
		if r.Injected.Value < Least.Seconds() {
			continue
		}
		for _, l := range limits {
			e, ok := r.Error(l.View)
			switch {
			case !ok:
				misses = append(misses, fmt.Sprintf("%s: %s did not measure: %s", r.Trial, l.View, r.Measured[l.View].Why))
			case math.Abs(e) > l.Tolerance.Seconds():
				misses = append(misses, fmt.Sprintf("%s: %s is off by %+.3f ms, more than %s", r.Trial, l.View, e*1e3, l.Tolerance))
			}
		}
	}
	return misses
}

// Write prints the rows: all figures in ms, each view with its error against the injected outage.
func Write(w io.Writer, rows []Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "injected/ms\t")
	for _, v := range Views {
		fmt.Fprintf(tw, "%s\terror\t", v)
	}
	fmt.Fprintln(tw)
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t", milliseconds(r.Injected))
		for _, v := range Views {
			fmt.Fprintf(tw, "%s\t", milliseconds(r.Measured[v]))
			fmt.Fprintf(tw, "%s\t", signed(r.Error(v)))
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "all in ms; error: measured less injected")
	return err
}

func signed(e float64, ok bool) string {
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%+.3f", e*1e3)
}

func milliseconds(q quantity.Quantity) string {
	switch {
	case !q.Known:
		return "unknown"
	case q.Censored:
		return "≥" + quantity.Fixed(q.Value, 1e-3, 3, quantity.Down)
	}
	return fmt.Sprintf("%.3f", q.Value*1e3)
}
