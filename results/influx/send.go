package influx

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A sender brings batches to a target.
type sender struct {
	client *client
	gate   *gate
	took   *atomic.Bool // the server has taken something, ever
}

// enough lines that are refused one by one, where nothing was ever taken: then it may not be the lines.
const enough = 16

// errTakesNothing says that so many lines were refused one by one.
var errTakesNothing = errors.New("it refuses all that it is sent")

// A span is some chunks of a batch, and how the server refused them.
type span struct {
	from, to int
	reply    reply
}

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
		return s.halve(ctx, b, span{0, len(b.chunks), r})
	}
	groups := b.group()
	if len(groups) == 1 {
		return s.halve(ctx, b, span{0, len(b.chunks), r})
	}
	s.tookSome(r)
	return s.deliverGroups(ctx, b, groups)
}

// deliverGroups delivers each measurement by itself. Where nothing was ever taken and the lines of one are refused, a line of each other tells whether it is
// the lines.
func (s *sender) deliverGroups(ctx context.Context, b *batch, ends []int) error {
	var doubtful []span
	var trouble error
	from := 0
	for _, to := range ends {
		g := span{from: from, to: to}
		from = to
		if trouble != nil && !s.took.Load() {
			var err error
			if g.reply, err = s.send(ctx, b.slice(g.from, g.from+1)); err != nil {
				return err
			}
			if g.reply.kind != accepted {
				doubtful = append(doubtful, g)
				continue
			}
		}
		refused, single := len(b.refused), b.single
		g, err := s.part(ctx, b, g.from, g.to)
		if errors.Is(err, errTakesNothing) {
			doubtful, trouble = append(doubtful, g), err
			b.refused, b.single = b.refused[:refused], single
			continue
		}
		if err != nil {
			return err
		}
	}
	if trouble != nil && !s.took.Load() {
		return trouble
	}
	for _, g := range doubtful {
		if err := s.halve(ctx, b, g); err != nil {
			return err
		}
	}
	return nil
}

// part delivers some chunks of a batch, and returns how they were refused, if they were.
func (s *sender) part(ctx context.Context, b *batch, from, to int) (span, error) {
	r, err := s.send(ctx, b.slice(from, to))
	g := span{from, to, r}
	if err != nil || r.kind == accepted {
		return g, err
	}
	return g, s.halve(ctx, b, g)
}

// halve finds which of some chunks it is that the server refused; those that it took with the others it takes again.
func (s *sender) halve(ctx context.Context, b *batch, g span) error {
	all := g.reply.dropsAll(b.slice(g.from, g.to))
	if g.to-g.from == 1 || all {
		b.refuse(g.from, g.to, g.reply.reason)
		b.single++
		if b.single >= min(enough, len(b.chunks)) && !all && !s.took.Load() {
			return fmt.Errorf("%w: %s", errTakesNothing, g.reply.reason)
		}
		return nil
	}
	s.tookSome(g.reply)
	middle := (g.from + g.to) / 2
	if _, err := s.part(ctx, b, g.from, middle); err != nil {
		return err
	}
	_, err := s.part(ctx, b, middle, g.to)
	return err
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
