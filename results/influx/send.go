package influx

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A sender brings batches to a target.
type sender struct {
	client *client
	gate   *gate
	took   atomic.Bool // the server has taken something
}

// enough lines that are refused one by one, where nothing was ever taken: then it is not the lines.
const enough = 16

// deliver returns when every line of the batch was taken, or refused for what it is.
func (s *sender) deliver(ctx context.Context, b *batch) error {
	if len(b.chunks) == 0 {
		return nil
	}
	r, err := s.send(ctx, b.text)
	if err != nil || r.kind == accepted {
		return err
	}
	// A server seldom dislikes one line: mostly all that are of one measurement, and it can say so when they are alone.
	if r.dropsAll(b.text) {
		return s.halve(ctx, b, 0, len(b.chunks), r)
	}
	groups := b.group()
	if len(groups) == 1 {
		return s.halve(ctx, b, 0, len(b.chunks), r)
	}
	s.tookSome(r)
	from := 0
	for _, to := range groups {
		if err := s.part(ctx, b, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// part delivers some chunks of a batch.
func (s *sender) part(ctx context.Context, b *batch, from, to int) error {
	r, err := s.send(ctx, b.slice(from, to))
	if err != nil || r.kind == accepted {
		return err
	}
	return s.halve(ctx, b, from, to, r)
}

// halve finds which of some chunks it is that the server refused; those that it took with the others it takes again.
func (s *sender) halve(ctx context.Context, b *batch, from, to int, r reply) error {
	all := r.dropsAll(b.slice(from, to))
	if to-from == 1 || all {
		b.refuse(from, to, r.reason)
		b.single++
		if b.single >= min(enough, len(b.chunks)) && !all && !s.took.Load() {
			return fmt.Errorf("it refuses all that it is sent: %s", r.reason)
		}
		return nil
	}
	s.tookSome(r)
	middle := (from + to) / 2
	if err := s.part(ctx, b, from, middle); err != nil {
		return err
	}
	return s.part(ctx, b, middle, to)
}

// tookSome notes that a server that says how many it dropped took the others.
func (s *sender) tookSome(r reply) {
	if r.dropped > 0 {
		s.took.Store(true)
	}
}

// send sends until the server takes or refuses it.
func (s *sender) send(ctx context.Context, text []byte) (reply, error) {
	for {
		if err := s.gate.wait(ctx); err != nil {
			return reply{}, err
		}
		begun := time.Now()
		r := s.client.write(ctx, text)
		if err := ctx.Err(); err != nil && r.kind != accepted {
			return r, err
		}
		switch r.kind {
		case accepted:
			s.took.Store(true)
			s.gate.succeeded()
			return r, nil
		case refused:
			s.gate.succeeded()
			return r, nil
		case hopeless:
			return r, fmt.Errorf("it answers %s", r.reason)
		}
		if err := s.gate.failed(r, begun, time.Now()); err != nil {
			return r, err
		}
	}
}

// dropsAll reports whether the server says that it dropped every line.
func (r reply) dropsAll(text []byte) bool { return r.dropped > 0 && r.dropped >= countLines(text) }
