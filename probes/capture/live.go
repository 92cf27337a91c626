package capture

import (
	"errors"
	"fmt"
	"io"
)

// A Live is a Source of the frames that pass now. Frame.Time is the kernel's software stamp, on CLOCK_REALTIME of this
// machine: taken when the frame was received or sent if anyone on the machine asked for such stamps, else when
// it was copied into the ring, which is some µs later. Hardware stamps are not asked for.
//
// Next may be called by one goroutine, or Next of each of Sources by one each, but not both. Stop may be called by any
// goroutine at any time; Stats and Close by the one that calls Next, or, with Sources, once all of them have ended.
type Live struct {
	rings []*ring
	names map[int]string
	at    int     // of rings: whose block is at hand
	idle  []*ring // those that have nothing
}

// Open starts to capture. It needs CAP_NET_RAW in the network's user namespace. The caller must close what it
// returns.
func Open(o LiveOptions) (*Live, error) {
	m, err := o.Filter.check(o.Snap)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	if o.Fanout < 0 || o.Fanout > maxFanout {
		return nil, fmt.Errorf("capture: fan out to %d rings: it must be between 0 and %d", o.Fanout, maxFanout)
	}
	if o.RingBytes < 0 {
		return nil, fmt.Errorf("capture: ring of %d B: it must be 0 (%d B) or more", o.RingBytes, DefaultRing)
	}
	if o.RingBytes == 0 {
		o.RingBytes = DefaultRing
	}
	var l Live
	do := func() error { return l.open(o, m) }
	if o.In == nil {
		err = do()
	} else {
		err = o.In.Do(do)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("capture: %w", err), l.Close())
	}
	return &l, nil
}

// open opens in the calling thread's network.
func (l *Live) open(o LiveOptions, m matcher) error {
	p, err := o.locate()
	if err != nil {
		return err
	}
	program, err := m.program(o.Direction, p.excluded)
	if err != nil {
		return err
	}
	l.names = p.names
	s := shape{bytes: o.RingBytes, block: blockFor(m.longest())}
	if o.Fanout < 2 {
		r, err := newRing(p.index, s, program, o.Direction)
		if err != nil {
			return err
		}
		l.rings = []*ring{r}
	} else if l.rings, err = fanOut(o.Fanout, p.index, s, program); err != nil {
		return err
	}
	if !o.Promiscuous {
		return nil
	}
	return promiscuous(l.rings[0].fd, p.listen)
}

// Interfaces are the names of the interfaces that existed at Open, by Frame.Interface.
func (l *Live) Interfaces() map[int]string { return l.names }

// Sources are the rings: one, or as many as Fanout asked for. Both directions of a TCP connection are in the same one and
// in order, so that as many goroutines can work without a word between them. Each must be read until io.EOF, and none be
// closed by itself, which would move connections between the others: close the Live.
func (l *Live) Sources() []Source {
	sources := make([]Source, len(l.rings))
	for i, r := range l.rings {
		sources[i] = r
	}
	return sources
}

// Next implements Source. With several rings it gives them block by block: frames of a connection are in order, those of
// different connections are out of order by what a block holds.
func (l *Live) Next() (Frame, error) {
	if r := l.rings[l.at]; r.left > 0 {
		return r.frame(), nil
	}
	return l.turn()
}

// turn goes on to the next block of any ring.
func (l *Live) turn() (Frame, error) {
	for {
		idle := l.idle[:0]
		for range l.rings {
			l.at = (l.at + 1) % len(l.rings)
			r := l.rings[l.at]
			s, err := r.step()
			switch {
			case err != nil:
				return Frame{}, err
			case s == ended:
				continue
			case r.left > 0:
				return r.frame(), nil
			}
			idle = append(idle, r)
		}
		if len(idle) == 0 {
			return Frame{}, io.EOF
		}
		if err := pause(idle...); err != nil {
			return Frame{}, err
		}
		l.idle = idle
	}
}

// Stop makes Next give what has arrived so far, and then io.EOF.
func (l *Live) Stop() {
	for _, r := range l.rings {
		r.stop()
	}
}

// Stats implements Source. It sums the rings'.
func (l *Live) Stats() (Stats, error) {
	var sum Stats
	for _, r := range l.rings {
		s, err := r.Stats()
		if err != nil {
			return Stats{}, err
		}
		sum.Frames += s.Frames
		sum.Dropped += s.Dropped
		sum.Full += s.Full
	}
	return sum, nil
}

// Close implements Source. Data of frames is invalid after it.
func (l *Live) Close() error {
	var errs []error
	for _, r := range l.rings {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
