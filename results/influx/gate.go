package influx

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of the time between tries.
const (
	firstWait = 250 * time.Millisecond
	longWait  = 15 * time.Second
)

// A gate holds back all who send while a server is in trouble: what one of them learns holds for the others.
type gate struct {
	giveUp time.Duration // after so long without success; 0 never

	mu       sync.Mutex
	failures int
	first    time.Time // failure since the last success
	until    time.Time // nobody sends before
	reason   string    // of the last failure; "" if there was none since the last success
	retries  int64
}

// wait returns when one may send.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		left := time.Until(g.until)
		g.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

func (g *gate) succeeded() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failures, g.first, g.until, g.reason = 0, time.Time{}, time.Time{}, ""
}

// failed takes what came of a request that was begun at a time. It is an error when it is time to give up.
func (g *gate) failed(r reply, begun, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reason = r.reason
	g.retries++
	if g.first.IsZero() {
		g.first = begun
	}
	if g.giveUp > 0 && now.Sub(g.first) > g.giveUp {
		return fmt.Errorf("it did not take anything for %s: %s", now.Sub(g.first).Round(time.Second), r.reason)
	}
	if r.after > 0 {
		g.until = latest(g.until, now.Add(r.after))
		return nil
	}
	if begun.Before(g.until) || now.Before(g.until) {
		return nil // another one has said so
	}
	g.until = now.Add(backOff(g.failures))
	g.failures++
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// backOff doubles with each failure; half of it is by chance, so that many clients do not come back at once.
func backOff(failures int) time.Duration {
	d := longWait
	if failures < 10 {
		d = min(firstWait<<failures, longWait)
	}
	return d/2 + rand.N(d/2+1)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
