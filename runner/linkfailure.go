package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// The links that an experiment may cut, as the vocabulary names them.
const (
	lanLink       = "link"
	migrationLink = "migration-link"
)

// whenPostcopy is spec.Link.DownWhen for a cut that counts from the begin of post-copy.
const whenPostcopy = "postcopy"

// A linkFailure cuts one link for a while, once, in the action or after it.
type linkFailure struct {
	link    string
	when    string          // DownWhen
	begin   <-chan struct{} // closed when down-after begins to count
	after   time.Duration
	lasting time.Duration
}

// linkFailures are those that the trial's experiment asks for.
func (e *execution) linkFailures() []linkFailure {
	var list []linkFailure
	add := func(name string, l spec.Link) {
		if l.DownFor <= 0 {
			return
		}
		f := linkFailure{link: name, when: l.DownWhen, begin: e.rec.acted, after: time.Duration(l.DownAfter), lasting: time.Duration(l.DownFor)}
		if l.DownWhen == whenPostcopy {
			f.begin = e.rec.postcopy
		}
		list = append(list, f)
	}
	add(lanLink, e.trial.Spec.Testbed.Link)
	if l := e.trial.Spec.Testbed.MigrationLink; l != nil {
		add(migrationLink, *l)
	}
	return list
}

// failLinks makes the failures happen when their time comes. What it returns ends those that have not, mends what is
// cut, and says what went wrong.
func (e *execution) failLinks(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, f := range e.linkFailures() {
		wg.Go(func() {
			err := e.failLink(ctx, f)
			mu.Lock()
			defer mu.Unlock()
			var uncut *uncutError
			if errors.As(err, &uncut) {
				e.uncut = append(e.uncut, uncut)
				return
			}
			errs = append(errs, err)
		})
	}
	return once(func() error {
		cancel()
		wg.Wait()
		return errors.Join(errs...)
	})
}

// allCut is the outcome of a trial that was observed to its end without a cut that was asked for: it is none of the treatment
// that it stands for. It is called behind mend.
func (e *execution) allCut() error {
	if len(e.uncut) == 0 {
		return nil
	}
	return &guest.OutcomeError{Reason: e.uncut[0].Error()}
}

// once makes f run once: a later call does nothing, and repeats no error.
func once(f func() error) func() error {
	var do sync.Once
	return func() (err error) {
		do.Do(func() { err = f() })
		return err
	}
}

func (e *execution) failLink(ctx context.Context, f linkFailure) error {
	select {
	case <-f.begin:
	case <-ctx.Done():
		return &uncutError{f}
	}
	if !sleep(ctx, f.after) {
		return &uncutError{f}
	}
	attrs := map[string]string{"link": f.link, "host": e.site.Source().Name()}
	restore, err := e.site.Cut(ctx, f.link, e.site.Source())
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the trial ended before the link was cut
		}
		return fmt.Errorf("cut the %s: %w", f.link, err)
	}
	e.record(time.Now(), results.LinkDown, attrs)
	sleep(ctx, f.lasting)
	if err := restore(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("mend the %s: %w", f.link, err)
	}
	e.record(time.Now(), results.LinkUp, attrs)
	return nil
}

// An uncutError says that a trial ended before its link was to be cut.
type uncutError struct{ linkFailure }

func (e *uncutError) Error() string {
	return fmt.Sprintf("the %s was not cut: the observation ended before %s after the begin of %s", e.link, e.after, begins[e.when])
}

// begins names what DownWhen counts from.
var begins = map[string]string{"": "the action", "action": "the action", whenPostcopy: "post-copy"}

// sleep reports whether d passed before ctx was done.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
