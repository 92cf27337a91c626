package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
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

	acted    chan struct{} // closed when the action begins
	postcopy chan struct{} // closed when post-copy begins: the guest runs at the destination

	saves    stamper
	signs    signs
	restored homecoming

	mu     sync.Mutex
	turned bool // the migration has turned to post-copy; the guest may not run yet
	spoilt []string
	heard  time.Time // when the last heartbeat came
	shared []string  // identities that several guests showed on the wire
}

func newWitness(to results.Recorder, show func(results.Record)) *witness {
	return &witness{to: to, show: show, acted: make(chan struct{}), postcopy: make(chan struct{})}
}

// postcopyActive is the status from the turn to post-copy on (QAPI MigrationStatus).
const postcopyActive = "postcopy-active"

// Record implements results.Recorder.
func (w *witness) Record(r results.Record) {
	r = w.saves.stamp(r)
	w.signs.see(r, time.Now())
	if first, ok := w.restored.see(r); ok {
		defer w.to.Record(first)
	}
	switch r.Name {
	case results.CheckpointEnd, results.CheckpointRefused, results.FailureInjected, results.FailureDetected, results.RestartEnd:
		w.show(r)
	case results.PreCopyRound, results.VMStop, results.VMResume, results.LinkDown, results.LinkUp, results.Fault, results.MigrationStatus:
		w.show(r)
		w.watchPostcopy(r)
	case results.ActionBegin:
		w.close(w.acted)
	case results.GuestHeartbeat:
		w.mu.Lock()
		w.heard = time.Now()
		w.mu.Unlock()
	case results.IdentityConflict:
		w.noteConflict(r)
	}
	if reason := spoils(r); reason != "" {
		w.mu.Lock()
		w.spoilt = append(w.spoilt, reason)
		w.mu.Unlock()
	}
	w.to.Record(r)
}

// noteConflict keeps a conflict that a capture saw; others are found by who records them.
func (w *witness) noteConflict(r results.Record) {
	if r.Source == results.SourceRunner {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shared = append(w.shared, fmt.Sprintf("%s share the %s %s on the wire (%s)", r.Attrs["guests"], r.Attrs["kind"], r.Attrs["value"], r.Source))
}

// identityConflicts are those that captures saw so far.
func (w *witness) identityConflicts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shared)
}

// watchPostcopy finds the begin of post-copy as the timeline has it. Before it, between the turn and the guest's start at the
// destination, the guest's state is on its way: a link that is cut there loses the guest.
func (w *witness) watchPostcopy(r results.Record) {
	w.mu.Lock()
	w.turned = w.turned || r.Name == results.MigrationStatus && r.Attrs["status"] == postcopyActive
	runs := w.turned && r.Name == results.VMResume
	w.mu.Unlock()
	if runs {
		w.close(w.postcopy)
	}
}

// close closes ch, once.
func (w *witness) close(ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-ch:
	default:
		close(ch)
	}
}

// spoils says why a record makes its trial invalid, or "".
func spoils(r results.Record) string {
	switch {
	case r.Name == results.CaptureDropped && r.Value > 0:
		return fmt.Sprintf("%s dropped %.0f frames", r.Source, r.Value)
	case r.Name == results.RelayDropped && r.Value > 0:
		return fmt.Sprintf("the frame relay of %s dropped %.0f frames (%s)", r.Attrs["link"], r.Value, r.Attrs["cause"])
	case r.Name == results.ProbeDropped && r.Value > 0:
		return fmt.Sprintf("probe %s dropped %.0f records", r.Source, r.Value)
	}
	return ""
}

// silentFor is for how long a guest may be silent before the action. Emulated guests stall for up to 0.8 s with nothing
// being done to them; one that is silent for longer is not undisturbed.
const silentFor = time.Second

// alive is an error if the guest's agent has fallen silent.
func (w *witness) alive(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard.IsZero() {
		return errors.New("no heartbeat of the guest has come before the action")
	}
	if silent := now.Sub(w.heard); silent > silentFor {
		return fmt.Errorf("the guest stalled before the action: its last heartbeat came %s ago", silent.Round(time.Millisecond))
	}
	return nil
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
