package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"virtscope/testbed/guest"
)

const (
	// unitsLimit is how long all guests together may take to end their starts and to say how these went.
	unitsLimit = 30 * time.Second
	// unitsAgain is between two questions to a guest whose start is not over: each costs it a program.
	unitsAgain = 2 * time.Second
)

// askUnits has guests that booted with systemd say how they started; what they say is recorded as it comes. Those that do not are
// told in the trial's warnings: it is no failure of a guest that is ready.
func (a *boot) askUnits(ctx context.Context) {
	g := a.e.trial.Spec.Guest
	if g.Image != "debian" || g.Start != "cold" {
		return
	}
	limited, cancel := context.WithTimeout(ctx, unitsLimit)
	defer cancel()
	errs := make([]error, len(a.up))
	slots := make(chan struct{}, callers)
	var all sync.WaitGroup
	for i, b := range a.up {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = askUnits(limited, b.instance)
		})
	}
	all.Wait()
	silent := 0
	for _, err := range errs {
		if err != nil {
			silent++
		}
	}
	if silent > 0 {
		a.e.outcome.Warnings = append(a.e.outcome.Warnings,
			fmt.Sprintf("what systemd says of the start is not known of %d of %d guests: %v", silent, len(a.up), errors.Join(errs...)))
	}
}

// askUnits asks until the guest's start is over.
func askUnits(ctx context.Context, g guest.Instance) error {
	client, err := agentOf(g)
	if err != nil {
		return err
	}
	for {
		_, err := client.Units(ctx)
		if err == nil || !sleep(ctx, unitsAgain) {
			return err
		}
	}
}
