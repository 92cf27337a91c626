package report

import (
	"virtscope/analysis/convergence"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// A pageWhy is a trial's section on why it did, or did not, converge.
type pageWhy struct {
	Title, Answer, Verdict string
	Others, Remarks        []string
	RoundHead, ModelHead   []string
	Rounds, Models         [][]string
}

func newWhy(a *convergence.Analysis) *pageWhy {
	if a == nil {
		return nil
	}
	return &pageWhy{
		Title: convergence.Title, Answer: a.Answer, Verdict: a.Verdict(), Others: a.Others(), Remarks: a.Remarks(),
		RoundHead: convergence.RoundHead, ModelHead: convergence.PredictionHead, Rounds: a.RoundRows(), Models: a.PredictionRows(),
	}
}

// convergenceRow is the trial, its verdict, why it did or did not converge, and what limited it.
func (t Trial) convergenceRow() []string {
	row := []string{t.Outcome.Trial.ID, string(t.Outcome.Verdict)}
	if t.Timeline == nil || t.Timeline.Convergence == nil {
		return append(row, "not known: "+t.blank(), "")
	}
	a := t.Timeline.Convergence
	return append(row, a.Answer, a.Verdict())
}

// blank says why a trial has no analysis.
func (t Trial) blank() string {
	if t.Timeline == nil {
		return t.Problem
	}
	return "the action did not begin"
}

// forecasts are the models' predictions of a trial that completed, or why there is none.
func (t Trial) forecasts() [][]string {
	id := t.Outcome.Trial.ID
	if t.Outcome.Verdict != results.Completed || t.Timeline == nil || t.Timeline.Convergence == nil {
		return nil
	}
	a := t.Timeline.Convergence
	if len(a.Predictions) == 0 {
		why := "no model was asked"
		if len(a.Unpredicted) > 0 {
			why = a.Unpredicted[0]
		}
		return [][]string{{id, "no prediction: " + why, "", "", "", "", "", ""}}
	}
	var rows [][]string
	measured, down := quantity.Show(t.metric(timeline.TotalTime)), quantity.Show(t.metric(timeline.Downtime))
	for i, row := range a.PredictionRows() {
		name := ""
		if i == 0 {
			name = id
		}
		rows = append(rows, []string{name, row[0], measured, row[2], row[3], down, row[4], row[5]})
		measured, down = "", ""
	}
	return rows
}
