package convergence

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
)

// Title stands over an analysis.
const Title = "why it did, or did not, converge"

// RoundHead and PredictionHead are the heads of the two tables.
var (
	RoundHead      = []string{"round", "lasted", "link", "dirtied", "dirty rate", "hypervisor's", "ratio", "next: takes", "and leaves", "thread"}
	PredictionHead = []string{"model", "rounds", "total", "error", "downtime", "error"}
)

// RoundRows are the texts of the rounds.
func (a *Analysis) RoundRows() [][]string {
	var rows [][]string
	cell := quantity.Cell
	for _, r := range a.Rounds {
		rows = append(rows, []string{
			fmt.Sprint(r.N), cell(r.Duration), cell(r.LinkRate), cell(r.Dirtied), cell(r.DirtyRate), cell(r.Reported), cell(r.Ratio),
			cell(r.NextDuration), cell(r.NextLeft), quantity.Percent(r.CPU),
		})
	}
	return rows
}

// PredictionRows are the texts of the predictions.
func (a *Analysis) PredictionRows() [][]string {
	var rows [][]string
	for _, p := range a.Predictions {
		rounds := fmt.Sprint(p.Rounds)
		if !p.Converges {
			rounds = "no end"
		}
		name := p.Model
		if p.Hindsight {
			name += " (fit)"
		}
		rows = append(rows, []string{name, rounds, quantity.Cell(p.Total), signedPercent(p.TotalError), quantity.Cell(p.Downtime), signedPercent(p.DowntimeError)})
	}
	return rows
}

// Remarks are what must be read beside the tables: the reasons of what is not known, the models' papers and notes.
func (a *Analysis) Remarks() []string {
	var list []string
	add := func(s string) {
		if s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	why := func(q quantity.Quantity) {
		if !q.Known {
			add(q.Why)
		}
	}
	for _, r := range a.Rounds {
		why(r.LinkRate)
		why(r.Dirtied)
	}
	for _, p := range a.Predictions {
		s := fmt.Sprintf("%s: %s (%s)", p.Model, p.Formula, p.Source)
		for _, more := range []string{p.Why, p.Note} {
			if more != "" {
				s += "; " + more
			}
		}
		add(s)
		if !p.Downtime.Known && p.Converges {
			add(p.Model + ": " + p.Downtime.Why)
		}
	}
	for _, s := range a.Unpredicted {
		add("no prediction: " + s)
	}
	return list
}

// Verdict names the bottleneck with its evidence.
func (a *Analysis) Verdict() string { return a.Bottleneck + ": " + a.Evidence }

// Others are the rules beside the bottleneck's, in words.
func (a *Analysis) Others() []string {
	var list []string
	for _, f := range a.Findings {
		if f.Name == a.Bottleneck || a.Bottleneck == BottleneckUnknown && !f.Known {
			continue
		}
		list = append(list, f.Name+": "+f.Text)
	}
	return list
}

// Write prints an analysis for a terminal.
func (a *Analysis) Write(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%s\n", Title)
	text.Wrapped(b, "  ", a.Answer)
	if rows := a.RoundRows(); len(rows) > 0 {
		text.Aligned(b, indented(append([][]string{RoundHead}, rows...)))
	}
	text.Wrapped(b, "  bottleneck: ", a.Verdict())
	for _, s := range a.Others() {
		text.Wrapped(b, "  - ", s)
	}
	if rows := a.PredictionRows(); len(rows) > 0 {
		text.Aligned(b, indented(append([][]string{PredictionHead}, rows...)))
	}
	for _, s := range a.Remarks() {
		text.Wrapped(b, "  — ", s)
	}
}

func indented(rows [][]string) [][]string {
	for i := range rows {
		rows[i] = slices.Clone(rows[i])
		rows[i][0] = "  " + rows[i][0]
	}
	return rows
}

func signedPercent(q quantity.Quantity) string {
	if !q.Known {
		return "—"
	}
	sign := "+"
	if q.Value < 0 {
		sign = "−"
	}
	return fmt.Sprintf("%s%.0f %%", sign, 100*math.Abs(q.Value))
}
