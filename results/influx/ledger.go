package influx

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// A ledger keeps the state while batches are settled in any order: it only advances over those before which all are settled.
type ledger struct {
	path  string
	every time.Duration // the state is written, at most

	mu      sync.Mutex
	state   *State
	refused *os.File
	pending []*batch // in order; the first is not settled
	saved   time.Time
	sent    int64 // records that this process settled
}

// openLedger opens the file of what is refused; what was written there after the state is cut off, as it is found again.
func openLedger(s *State, path, refusedPath string, every time.Duration) (*ledger, error) {
	f, err := os.OpenFile(refusedPath, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keep what is refused: %w", err)
	}
	l := &ledger{path: path, every: every, state: s, refused: f}
	info, err := f.Stat()
	if err == nil && info.Size() < s.Kept {
		err = fmt.Errorf("%s has %d B of %d: push --again finds again what is refused", refusedPath, info.Size(), s.Kept)
	}
	if err == nil {
		err = f.Truncate(s.Kept)
	}
	if err == nil {
		_, err = f.Seek(s.Kept, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep what is refused: %w", err), f.Close())
	}
	return l, nil
}

// expect takes a batch before it is sent.
func (l *ledger) expect(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, b)
}

// settle takes a batch that was delivered.
func (l *ledger) settle(b *batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.settled = true
	b.text, b.chunks = nil, nil
	for len(l.pending) > 0 && l.pending[0].settled {
		if err := l.advance(l.pending[0]); err != nil {
			return err
		}
		l.pending = l.pending[1:]
	}
	if time.Since(l.saved) < l.every {
		return nil
	}
	return l.save()
}

func (l *ledger) advance(b *batch) error {
	if b.attempt < 0 {
		l.state.Head = l.state.Head || b.last
	} else {
		a := &l.state.Attempts[b.attempt]
		l.sent += b.records - a.Records
		a.Records = b.records
		if b.last {
			a.Done, a.Note = true, b.note
		}
		for i := range b.refused {
			b.refused[i].Trial, b.refused[i].Attempt = a.Trial, a.Attempt
		}
	}
	slices.SortStableFunc(b.refused, func(x, y Refusal) int { return cmp.Compare(x.Number, y.Number) })
	for i := range b.refused {
		if b.refused[i].Number > 0 {
			l.state.Lost++
		}
		line, err := json.Marshal(b.refused[i])
		if err != nil {
			return fmt.Errorf("keep what is refused: %w", err)
		}
		n, err := l.refused.Write(append(line, '\n'))
		if err != nil {
			return fmt.Errorf("keep what is refused: %w", err)
		}
		l.state.Kept += int64(n)
	}
	l.state.Refused += int64(len(b.refused))
	return nil
}

// save writes the state. What it says is refused is on disk before.
func (l *ledger) save() error {
	if err := l.refused.Sync(); err != nil {
		return fmt.Errorf("keep what is refused: %w", err)
	}
	l.saved = time.Now()
	return l.state.save(l.path)
}

func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := errors.Join(l.save(), l.refused.Close())
	if l.state.Kept == 0 {
		err = errors.Join(err, os.Remove(l.refused.Name()))
	}
	return err
}
