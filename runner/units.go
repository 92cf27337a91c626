package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"virtscope/testbed/guest"
)

// unitsLimit is how long all guests together may take to say how their systemd started: a start goes on after the first answer.
var unitsLimit = 90 * time.Second

// unitsPause is between two questions to one guest: each costs CPU that its start needs.
const unitsPause = time.Second

// askUnits asks guests that booted a system with systemd for its units; what they say is recorded as it comes. What is not said is not
// known, and the outcome warns of it: it is no failure of the guest, which answered.
func (r *rollCall) askUnits(ctx context.Context) {
	if s := r.e.trial.Spec.Guest; s.Image != "debian" || s.Start != "cold" {
		return // a saved guest was started before the trial
	}
	bounded, cancel := context.WithTimeoutCause(ctx, unitsLimit, fmt.Errorf("its start was not over within %s", unitsLimit))
	defer cancel()
	errs := make([]error, len(r.list))
	slots := make(chan struct{}, callers)
	var all sync.WaitGroup
	for i, c := range r.list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = unitsOf(bounded, c.instance)
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			r.e.outcome.Warnings = append(r.e.outcome.Warnings, fmt.Sprintf("the systemd units of %s are not known: %v", r.list[i].name, err))
		}
	}
}

// unitsOf asks one guest until its start is over.
func unitsOf(ctx context.Context, g guest.Instance) error {
	client, err := agentOf(g)
	if err != nil {
		return err
	}
	ctx, release := untilEnded(ctx, g)
	defer release()
	for {
		_, err := client.Units(ctx)
		if err == nil {
			return nil
		}
		if !sleep(ctx, unitsPause) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
