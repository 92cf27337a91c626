package report

import (
	"bytes"
	"html"
	"strings"
	"testing"
	"virtscope/results"
)

// A littleRun is a run of which little can be said, and what its page must say.
type littleRun struct {
	name string
	run  Run
	says []string
}

func little(t *testing.T) []littleRun {
	t.Helper()
	r := sample(t)
	with := func(trials ...Trial) Run {
		c := r
		c.Trials = trials
		return c
	}
	var failed []Trial
	for _, trial := range r.Trials {
		trial.Outcome.Verdict, trial.Outcome.Reason = results.Failed, "it did not converge within 15 s"
		failed = append(failed, trial)
	}
	corrupt := r.Trials[4]
	corrupt.Timeline, corrupt.Problem = nil, "read records: line 812: file is cut off"
	mixed := r
	mixed.State = []string{"from 2026-01-02 03:04:05 on: virtscope is v2, was v1 (3 trials had ended before: they may not be comparable)"}
	under := with(r.Trials[:3]...)
	under.State = []string{"the run is still under way, or was killed: trial 004 began at 03:04:05 and has not ended"}
	return []littleRun{
		{"empty", with(), []string{"No trial has ended of 6 that are planned: there is no answer yet.", "0 of 6 trials ended"}},
		{"one", with(r.Trials[0]), []string{"There is one trial: nothing is compared", "1 of 6 trials ended", "n = 1 is too small"}},
		{"failed", with(failed...), []string{"3 of 3 trials failed: it did not converge within 15 s.", "No trial completed."}},
		{"mixed", mixed, []string{"From 2026-01-02 03:04:05 on: virtscope is v2, was v1 (3 trials had ended before"}},
		{"under-way", under, []string{"The run is still under way, or was killed: trial 004 began", "3 of 6 trials ended", "1 of 3 trials is in no figure, as it is invalid"}},
		{"corrupt", with(append(r.Trials[:4:4], corrupt, r.Trials[5])...), []string{
			"1 of 6 trials is in no figure, as its records cannot be read: 005-rate-32MiB-r2.", "read records: line 812: file is cut off", "(1 not readable)",
		}},
	}
}

func TestHTMLSaysWhatCannotBeSaid(t *testing.T) {
	for _, c := range little(t) {
		var b bytes.Buffer
		if err := WriteHTML(&b, c.run); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		page := html.UnescapeString(b.String())
		for _, want := range c.says {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", c.name, want)
			}
		}
		if strings.Contains(page, "NaN ") {
			t.Errorf("%s: the page says NaN", c.name)
		}
		offline(t, b.String())
	}
}
