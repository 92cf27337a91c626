package runner

import (
	"strings"
	"testing"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// The machine's noise makes a trial invalid that ended well, and never hides how one ended that did not.
func TestNoisyTrialIsRunAgain(t *testing.T) {
	for name, c := range map[string]struct {
		scripts []script
		noisy   int // attempts
		verdict results.Verdict
		attempt int
	}{
		"once":    {[]script{{}}, 1, results.Completed, 2},
		"always":  {[]script{{}}, 9, results.Invalid, 2},
		"never":   {[]script{{}}, 0, results.Completed, 1},
		"corrupt": {[]script{{corrupt: 1}}, 9, results.Failed, 1},
	} {
		p := testPlan(1)
		p.Trials[0].Spec.Noise.Action = "invalid"
		asked := 0
		judge := func(t plan.Trial, records []results.Record) []string {
			asked++
			if len(records) == 0 || t.ID != "a" {
				return []string{"no records"}
			}
			if asked <= c.noisy {
				return []string{"half of the CPUs was taken", "and the disk"}
			}
			return nil
		}
		ended, err := Runner{Lab: &fakeLab{scripts: c.scripts}, Progress: &quiet{}, Noisy: judge}.Run(t.Context(), testRun(t, p), p)
		if err != nil || len(ended) != 1 || ended[0].Verdict != c.verdict || ended[0].Attempt != c.attempt {
			t.Errorf("%s: %+v, %v", name, ended, err)
		}
		if c.verdict == results.Invalid && !strings.Contains(ended[0].Reason, "the machine was too noisy: half of the CPUs was taken; and the disk") {
			t.Errorf("%s: %q", name, ended[0].Reason)
		}
	}
}

func TestNoiseKeeper(t *testing.T) {
	passed := 0
	k := &noiseKeeper{to: results.RecorderFunc(func(results.Record) { passed++ })}
	for _, r := range []results.Record{
		{Source: results.SourceUsage, Name: results.HostPressure},
		{Source: results.SourceUsage, Name: results.UsageAbsent},
		{Source: results.SourceRunner, Name: results.TrialState},
		{Source: results.SourceUsage, Name: results.HostNetRx},
		{Source: results.SourceUsage, Name: results.ThreadCPU},
		{Source: results.SourceEcho, Name: results.EchoRTT},
	} {
		k.Record(r)
	}
	if passed != 6 || len(k.kept) != 3 {
		t.Errorf("%d passed, %d kept", passed, len(k.kept))
	}
}
