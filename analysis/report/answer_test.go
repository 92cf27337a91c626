package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/compare"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/results"
)

func TestSays(t *testing.T) {
	shift := stats.Effect{Value: 2, Low: 1, High: 3, Confidence: 0.95, Known: true}
	row := func(v compare.Verdict, s stats.Effect, why string) compare.Main {
		m := compare.Main{}
		m.Verdict, m.Shift, m.Why, m.Unit, m.Floor, m.Info.Better = v, s, why, results.Seconds, 0.001, metric.Lower
		return m
	}
	for _, c := range []struct {
		m    compare.Main
		want string
	}{
		{row(compare.Worse, shift, ""), "longer: worse"},
		{row(compare.Better, stats.Effect{Value: -1, Known: true}, ""), "shorter: better"},
		{row(compare.Undecided, shift, "n is too small: of a family of 3"), "not shown: n is too small"},
		{row(compare.Undecided, shift, ""), "not shown"},
		{row(compare.Same, shift, ""), "too small to matter (below 1.000 ms)"},
		{row(compare.Unknown, shift, ""), "cannot be told: no reason was given"},
		{row(compare.Worse, stats.Effect{Why: "censored"}, ""), "shorter: worse; by how much is not known: censored"},
	} {
		if got := says(c.m); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// design is a run of algorithms × rates, n trials each, whose total time and downtime are given.
func design(n int, of func(algorithm, rate string, i int) (total, downtime quantity.Quantity, v results.Verdict)) Run {
	algorithms, rates := []string{"precopy", "postcopy"}, []string{"1MiB/s", "8MiB/s"}
	r := Run{Noise: new(validity.Defaults()), Manifest: results.Manifest{Name: "design", Factors: []results.Factor{{Path: "action.migrate.algorithm", Levels: algorithms}, {Path: "workload.rate", Levels: rates}}}}
	for _, a := range algorithms {
		for _, b := range rates {
			for i := range n {
				total, down, v := of(a, b, i)
				o := results.Outcome{Verdict: v, Trial: results.Trial{
					ID: fmt.Sprintf("%s-%s-%d", a, b, i), Order: len(r.Trials) + 1, Replicate: i + 1, Treatment: a + b,
					Levels: []results.Level{{Factor: "action.migrate.algorithm", Value: a}, {Factor: "workload.rate", Value: b}},
				}}
				if v == results.Failed {
					o.Reason = "it did not converge"
				}
				tl := &timeline.Timeline{Trial: o.Trial, Verdict: v, Action: "migrate", Metrics: []timeline.Metric{{Name: timeline.TotalTime, Quantity: total}, {Name: timeline.Downtime, Quantity: down}}}
				r.Trials = append(r.Trials, Trial{Outcome: o, Timeline: tl})
			}
		}
	}
	return r
}

func answerOf(t *testing.T, r Run) answer {
	t.Helper()
	groups := r.groups()
	a, err := newAnswer(r, groups, kindOf(groups))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The rate adds a second whatever the algorithm; the algorithm moves the downtime by less than matters, and no total time.
func TestAnswerByFactor(t *testing.T) {
	seconds := func(v float64) quantity.Quantity { return quantity.Exactly(v, results.Seconds) }
	a := answerOf(t, design(8, func(algorithm, rate string, i int) (total, down quantity.Quantity, v results.Verdict) {
		x, y := 3+0.01*float64(i), 0.1+1e-6*float64(i)
		if rate == "8MiB/s" {
			x++
		}
		if algorithm == "postcopy" {
			y += 1e-4
		}
		return seconds(x), seconds(y), results.Completed
	}))
	want := []string{
		"Total time depends on rate; algorithm makes no difference to total time that matters.",
		"Algorithm and rate make no difference to downtime that matters.",
	}
	if fmt.Sprint(a.Lead) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", a.Lead, want)
	}
	if len(a.Effects) != 4 || a.Effects[1].Says != "longer: worse" || !strings.HasPrefix(a.Effects[1].Size, "+1.00") || !strings.HasPrefix(a.Effects[2].Says, "too small to matter") {
		t.Errorf("%+v", a.Effects)
	}
}

// What did not converge is said first, and is in no mean.
func TestAnswerOfFailures(t *testing.T) {
	a := answerOf(t, design(3, func(algorithm, rate string, i int) (total, down quantity.Quantity, v results.Verdict) {
		if algorithm == "precopy" && rate == "8MiB/s" {
			return quantity.AtLeast(15, results.Seconds, "it did not converge"), quantity.Unknown(results.Seconds, "no stop"), results.Failed
		}
		return quantity.Exactly(3+float64(i), results.Seconds), quantity.Exactly(0.1, results.Seconds), results.Completed
	}))
	if len(a.Failed) != 1 || a.Failed[0] != "algorithm precopy, rate 8MiB/s: 3 of 3 trials failed: it did not converge." {
		t.Errorf("%q", a.Failed)
	}
	if notes := strings.Join(a.Notes, "\n"); !strings.Contains(notes, "Total time: how much each factor explains, and whether one depends on another, is not known: trial precopy-8MiB/s-0 is censored") {
		t.Errorf("%q", a.Notes)
	}
	last := a.Effects[len(a.Effects)-1]
	if last.Metric != "Failed trials" || last.Size != "0 of 6, against 3 of 6" && last.Size != "3 of 6, against 0 of 6" {
		t.Errorf("%+v", last)
	}
}

// Where what one factor does depends on another, it is said.
func TestAnswerOfInteraction(t *testing.T) {
	a := answerOf(t, design(6, func(algorithm, rate string, i int) (total, down quantity.Quantity, v results.Verdict) {
		x := 3 + 0.01*float64(i*i%7)
		if algorithm == "precopy" && rate == "8MiB/s" {
			x += 5
		}
		return quantity.Exactly(x, results.Seconds), quantity.Exactly(0.1+0.001*float64(i), results.Seconds), results.Completed
	}))
	if notes := strings.Join(a.Notes, "\n"); !strings.Contains(notes, "What algorithm does to total time depends on rate: read their levels together.") {
		t.Errorf("%q", a.Notes)
	}
}

func TestAnswerOfLittle(t *testing.T) {
	r := sample(t)
	invalid := r.Trials[1:2]
	mixed := slices.Clone(r.Trials[1:4])
	mixed[1].Outcome.Verdict, mixed[2].Outcome.Verdict = results.Untold, results.Interrupted
	lost := Trial{Outcome: r.Trials[0].Outcome, Problem: "read records: file is cut off"}
	for name, c := range map[string]struct {
		run  Run
		want string
	}{
		"nothing":    {Run{}, "No trial has ended: there is no answer yet."},
		"invalid":    {Run{Trials: invalid}, "None of the 1 trial that ended counts, as each was invalid: there is no answer."},
		"mixed":      {Run{Trials: mixed}, "None of the 3 trials that ended counts, as each was invalid or was interrupted or has an outcome that cannot be read: there is no answer."},
		"no records": {Run{Trials: []Trial{lost}}, "No trial that ended has figures, as their records cannot be read: there is no answer."},
		"one":        {Run{Trials: r.Trials[:1]}, "There is one trial: nothing is compared, and how much another one would differ is not known."},
		"one kind":   {Run{Trials: r.Trials[:3]}, "There is one treatment: nothing is compared."},
	} {
		if a := answerOf(t, c.run); len(a.Lead) == 0 || a.Lead[0] != c.want {
			t.Errorf("%s: %q, want %q", name, a.Lead, c.want)
		}
	}
}
