package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// urgentRate is the highest rate (1/s) at which the client goes before all ordinary threads: a faster one does not sleep
// most of the time, and would keep a CPU from the guest.
const urgentRate = 20_000

// asks reports whether the kind is one of requests.
func (c Config) asks() bool { return c.Kind != Stream && c.Kind != Bulk }

func (c Config) codec() codec {
	switch c.Kind {
	case Bulk:
		return silent{}
	case Request:
		return newFrames(c.RequestSize, c.ResponseSize)
	}
	return newResp(c.ValueSize, c.Seed)
}

// runRequests is Run of all kinds over TCP.
func runRequests(ctx context.Context, c Config, meter *probes.Meter, rec results.Recorder, armed func()) (err error) {
	done := meter.Thread()
	defer done()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil { // else a wait may end 50 µs late (prctl(2))
		return fmt.Errorf("set timer slack: %w", err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()

	e := newEngine(c, c.codec())
	defer func() {
		if _, closeErr := e.close(); err == nil {
			err = closeErr
		}
	}()
	if err := e.prepare(ctx, c); err != nil {
		return err
	}
	if c.asks() && c.Rate <= urgentRate {
		// Without the right to it, the client may be late: it counts when it is.
		if ordinary, err := host.Urgent(); err == nil {
			defer ordinary()
		}
	}
	return e.measure(ctx, c, meter, rec, armed)
}

// prepare connects, and fills the store of kv and redis.
func (e *engine) prepare(ctx context.Context, c Config) error {
	if err := e.run(ctx, nothing{}, &list{}, e.open); err != nil {
		return fmt.Errorf("open %d connections: %w: the last attempt: %s", c.Connections, err, or(e.refused, "no answer"))
	}
	if c.Kind != KV && c.Kind != Redis {
		return nil
	}
	full, err := e.filled(ctx, c)
	if err != nil || full {
		return err
	}
	fill := &list{n: c.Keys, make: func(i int) request { return request{key: int32(i), op: opSet} }}
	if err := e.run(ctx, fill, fill, fill.done); err != nil {
		return fmt.Errorf("fill the store: %d of %d keys are set: %w", fill.right, c.Keys, err)
	}
	if fill.wrong > 0 {
		return fmt.Errorf("fill the store: %d of %d keys were not set: %s", fill.wrong, c.Keys, fill.why)
	}
	return nil
}

// filled asks whether the store holds all keys, by their number and by the size of the first and the last.
func (e *engine) filled(ctx context.Context, c Config) (bool, error) {
	asks := []request{{op: opSize}, {op: opGet}, {op: opGet, key: int32(c.Keys - 1)}}
	look := &list{n: len(asks), make: func(i int) request { return asks[i] }, keep: true}
	if err := e.run(ctx, look, look, look.done); err != nil {
		return false, fmt.Errorf("look into the store: %w", err)
	}
	if len(look.answers) < len(asks) {
		return false, fmt.Errorf("look into the store: %s", look.why)
	}
	for _, a := range look.answers {
		if a.kind == '-' {
			return false, fmt.Errorf("look into the store: the guest said %s", a.describe())
		}
		if a.kind == ':' && a.size < int64(c.Keys) {
			return false, nil
		}
	}
	return look.wrong == 0, nil
}

func (a answer) describe() string {
	if a.kind == '-' || a.kind == '+' {
		return strconv.Quote(a.text)
	}
	return fmt.Sprintf("%d where another size, or an error, was due", a.size)
}

// measure asks from the begin of a bin until ctx is done.
func (e *engine) measure(ctx context.Context, c Config, meter *probes.Meter, rec results.Recorder, armed func()) error {
	steps := probes.NewStepDetector()
	out := newWriter(c, rec)
	start := firstBin(e.wall(e.now()), c.Bin)
	t := newTally(c, e.wall(0), start, meter, rec, out)
	rec.Record(c.info(start))
	begun := func() bool { return e.wall(e.now()) >= start }
	err := e.run(ctx, nothing{}, idle{t}, begun)
	if err == nil {
		armed()
		err = e.loop(ctx, newOpenLoop(c, start-e.wall(0)), t)
	}
	left, closeErr := e.close()
	t.finish(left)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = nil
	}
	return errors.Join(err, closeErr, out.close(), steps.Check())
}

// idle observes what comes before the first bin: bulk comes from the first on.
type idle struct{ *tally }

func (idle) tick(int64)          {}
func (idle) received(int, int64) {}

// loop runs the plan until ctx is done, and then awaits the last answers.
func (e *engine) loop(ctx context.Context, p *openLoop, t *tally) error {
	if t.conf.Kind == Bulk {
		return e.run(ctx, nothing{}, t, func() bool { return false })
	}
	err := e.run(ctx, p, t, func() bool { return false })
	if ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)) {
		return err
	}
	until := e.now() + int64(t.conf.Linger)
	return e.run(context.WithoutCancel(ctx), nothing{}, t, func() bool { return e.unanswered == 0 || e.now() >= until })
}

// firstBin is the begin of the next bin, not at once: requests are due from then on.
func firstBin(now int64, bin time.Duration) int64 {
	return (now/int64(bin) + 1) * int64(bin)
}
