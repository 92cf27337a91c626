package runner

import (
	"errors"
	"strings"
	"sync"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// A NoiseJudge says what the machine did, while a trial was measured, that makes the trial invalid. It is given the records of the runner
// and of the usage probe about the machine, those of processes and networks left out.
type NoiseJudge func(t plan.Trial, records []results.Record) []string

var _ results.Recorder = (*noiseKeeper)(nil)

// A noiseKeeper passes records on, and keeps those that a NoiseJudge is given.
type noiseKeeper struct {
	to results.Recorder

	mu   sync.Mutex
	kept []results.Record
}

// Record implements results.Recorder.
func (k *noiseKeeper) Record(r results.Record) {
	if r.Source == results.SourceRunner || r.Source == results.SourceUsage && aboutMachine(r.Name) {
		k.mu.Lock()
		k.kept = append(k.kept, r)
		k.mu.Unlock()
	}
	k.to.Record(r)
}

func aboutMachine(name string) bool {
	return name == results.UsageAbsent || strings.HasPrefix(name, "host.") && !strings.HasPrefix(name, "host.net.")
}

// judge is an error if the machine made the trial invalid.
func (k *noiseKeeper) judge(t plan.Trial, judge NoiseJudge) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if reasons := judge(t, k.kept); len(reasons) > 0 {
		return errors.New("the machine was too noisy: " + strings.Join(reasons, "; "))
	}
	return nil
}
