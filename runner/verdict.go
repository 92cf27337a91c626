package runner

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// judge says how a trial ended that ended with err. The subject's own outcome stands even if the user then asked to stop.
func judge(interrupted bool, err error) (results.Verdict, string) {
	if err == nil {
		return results.Completed, ""
	}
	reason := strings.ReplaceAll(err.Error(), "\n", "; ") // joined errors, on one line
	var outcome *guest.OutcomeError
	if errors.As(err, &outcome) {
		return results.Failed, reason
	}
	if interrupted {
		return results.Interrupted, "interrupted"
	}
	return results.Invalid, reason
}

var _ results.Recorder = (*witness)(nil)

// A witness passes records on, shows the turns of the action, and remembers what spoils a trial.
type witness struct {
	to   results.Recorder
	show func(results.Record)

	mu     sync.Mutex
	spoilt []string
}

// Record implements results.Recorder.
func (w *witness) Record(r results.Record) {
	switch r.Name {
	case results.PreCopyRound, results.VMStop, results.VMResume:
		w.show(r)
	}
	if reason := spoils(r); reason != "" {
		w.mu.Lock()
		w.spoilt = append(w.spoilt, reason)
		w.mu.Unlock()
	}
	w.to.Record(r)
}

// spoils says why a record makes its trial invalid, or "".
func spoils(r results.Record) string {
	switch {
	case r.Name == results.CaptureDropped && r.Value > 0:
		return fmt.Sprintf("%s dropped %.0f frames", r.Source, r.Value)
	case r.Name == results.ProbeDropped && r.Value > 0:
		return fmt.Sprintf("probe %s dropped %.0f records", r.Source, r.Value)
	}
	return ""
}

// err is nil while nothing spoilt the trial.
func (w *witness) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, s := range w.spoilt {
		errs = append(errs, errors.New(s))
	}
	return errors.Join(errs...)
}
