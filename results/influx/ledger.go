package influx

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	lost    int64 // of them refused
}

// openLedger opens the file of what is refused; what was written there after the state is cut off, as it is found again.
func openLedger(s *State, path, refusedPath string, every time.Duration) (*ledger, error) {
	f, err := os.OpenFile(refusedPath, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, onDisk("keep what is refused in "+filepath.Dir(refusedPath), err)
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

// advance writes what was refused, and only then counts the batch as settled: a disk that is full must not make it seem that the target has it.
func (l *ledger) advance(b *batch) error {
	if b.attempt >= 0 {
		a := l.state.Attempts[b.attempt]
		for i := range b.refused {
			b.refused[i].Trial, b.refused[i].Attempt = a.Trial, a.Attempt
		}
	}
	lost, kept, err := l.keep(b.refused)
	if err != nil {
		return onDisk("keep what is refused in "+filepath.Dir(l.refused.Name()), err)
	}
	l.state.Lost += lost
	l.lost += lost
	l.state.Kept += kept
	l.state.Refused += int64(len(b.refused))
	if b.attempt < 0 {
		l.state.Head = l.state.Head || b.last
		return nil
	}
	a := &l.state.Attempts[b.attempt]
	l.sent += b.records - a.Records
	a.Records = b.records
	if b.last {
		a.Done, a.Note = true, b.note
	}
	return nil
}

// keep writes refusals by number; it returns how many of them are records, and how many bytes they take.
func (l *ledger) keep(list []Refusal) (lost, kept int64, err error) {
	slices.SortStableFunc(list, func(x, y Refusal) int { return cmp.Compare(x.Number, y.Number) })
	for i := range list {
		if list[i].Number > 0 {
			lost++
		}
		line, err := json.Marshal(list[i])
		if err != nil {
			return lost, kept, err
		}
		n, err := l.refused.Write(append(line, '\n'))
		if err != nil {
			return lost, kept, err
		}
		kept += int64(n)
	}
	return lost, kept, nil
}

// save writes the state. What it says is refused is on disk before.
func (l *ledger) save() error {
	if err := l.refused.Sync(); err != nil {
		return onDisk("keep what is refused in "+filepath.Dir(l.refused.Name()), err)
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
