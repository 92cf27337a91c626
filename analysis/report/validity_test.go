package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// noisyRun is the sample run on a machine of which somebody took much in its third trial.
func noisyRun(t *testing.T) Run {
	t.Helper()
	r := sample(t)
	for i := range r.Trials {
		tl := r.Trials[i].Timeline
		tl.Metrics = slices.DeleteFunc(tl.Metrics, func(m timeline.Metric) bool { return m.Name == metric.NoiseOthersPart })
		share := 0.02
		if i == 2 {
			share = 0.4
		}
		tl.Metrics = append(tl.Metrics, timeline.Metric{Name: metric.NoiseOthersPart, Quantity: quantity.Exactly(share, results.One)})
	}
	r.Trials[4].Timeline.Unsettled = []string{"round trips rose by 40 % over the baseline"}
	return r
}

func TestValidity(t *testing.T) {
	r := noisyRun(t)
	id := r.Trials[2].Outcome.Trial.ID
	want := []string{
		"the machine was too noisy in 1 of 5 trials; they stay in all figures",
		id + ": 40 % of the CPUs' time was used by others, more than 10 %",
		r.Trials[4].Outcome.Trial.ID + ": round trips rose by 40 % over the baseline",
	}
	var table, md, page bytes.Buffer
	if err := WriteTable(&table, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(table.String(), "\n  ", " ")
	for _, w := range want {
		for name, text := range map[string]string{"table": joined, "markdown": md.String(), "html": strings.ReplaceAll(page.String(), "&#39;", "'")} {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q", name, w)
			}
		}
	}
	for _, title := range []string{
		"noise floor: ", "clocks: ", "drops: frames: none in 6", "drops: records: none in 6", "invalid trials: ⚠ ", "disagreement of the outages: ",
		validity.SpoiledTitle + ": ", validity.OrderTitle + ": ", validity.WarmUpTitle + ": ", "warm-up within a trial: ",
	} {
		if !strings.Contains(md.String(), "- "+title) {
			t.Errorf("markdown lacks %q", title)
		}
	}
	set := r.Dataset("x")
	for i, trial := range set.Trials {
		if (len(trial.Spoiled) > 0) != (i == 2) {
			t.Errorf("%s: %v", trial.ID, trial.Spoiled)
		}
	}
	r.Noise = new(validity.Defaults())
	r.Noise.Others = 1
	r.Noise.Outliers = 0
	if got := r.Dataset("x").Trials[2].Spoiled; got != nil {
		t.Errorf("the experiment allows it: %v", got)
	}
}

// An experiment that allows nothing at all is judged by that, and one of which that is not known says by what it is.
func TestNoLimitIsNotLimitsOfNought(t *testing.T) {
	spoiled := func(r Run) int {
		n := 0
		for _, trial := range r.Dataset("x").Trials {
			if len(trial.Spoiled) > 0 {
				n++
			}
		}
		return n
	}
	r := noisyRun(t)
	r.Noise = new(validity.Limits{})
	if n, assumed := spoiled(r), r.Dataset("x").Assumed; n != 5 || assumed != "" {
		t.Errorf("by limits of 0, %d trials are spoiled, and %q is assumed; want all 5 that count, by the experiment's own limits", n, assumed)
	}
	r.Noise, r.NoNoise = nil, "line 7: unknown key"
	if n, assumed := spoiled(r), r.Dataset("x").Assumed; n != 1 || !strings.HasSuffix(assumed, "not known: line 7: unknown key") {
		t.Errorf("by no limits, %d trials are spoiled, and %q is assumed", n, assumed)
	}
	r.NoNoise = ""
	if assumed := r.Dataset("x").Assumed; !strings.HasSuffix(assumed, "not known: no reason was given") {
		t.Errorf("by no limits and for no reason, %q is assumed", assumed)
	}
}

func TestValidityOfNothing(t *testing.T) {
	r := sample(t)
	r.Trials = nil
	if got := r.validityParts(); got != nil {
		t.Errorf("no trials: %+v", got)
	}
	r = sample(t)
	for i := range r.Trials {
		r.Trials[i] = Trial{Outcome: r.Trials[i].Outcome, Problem: "its records are torn"}
	}
	found := false
	for _, p := range r.validityParts() {
		for _, l := range p.Lines {
			found = found || strings.Contains(l.Text, "its records are torn")
			if strings.Contains(l.Text, "NaN") || strings.HasPrefix(l.Text, "none of 6, none") {
				t.Errorf("%s: %s", p.Title, l.Text)
			}
		}
	}
	if !found {
		t.Errorf("got %+v", r.validityParts())
	}
}
