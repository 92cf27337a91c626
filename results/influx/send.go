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
	return s.part(ctx, b, 0, len(b.chunks))
}

// part delivers some chunks of a batch. If the server refuses any, it halves them to find which; those that it took with the others it takes again.
func (s *sender) part(ctx context.Context, b *batch, from, to int) error {
	text := b.slice(from, to)
	r, err := s.send(ctx, text)
	if err != nil || r.kind == accepted {
		return err
	}
	all := r.dropped > 0 && r.dropped >= countLines(text)
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
