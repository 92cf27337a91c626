package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What a journal says.
const (
	RunBegin   = "run.begin"
	RunEnd     = "run.end"
	TrialBegin = "trial.begin"
	TrialDone  = "trial.end"
)

// An Entry is a line of the journal.
type Entry struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`
	Trial   string    `json:"trial,omitempty"`
	Attempt int       `json:"attempt,omitempty"`
	Verdict Verdict   `json:"verdict,omitempty"`
	Reason  string    `json:"reason,omitempty"`
}

// A Journal says what happened, append-only, and is synced with each entry.
type Journal struct{ f *os.File }

// Journal opens the run's journal for appending. The caller closes it. A last line that a kill cut off is
// kept as it is, on a line of its own.
func (r *Run) Journal() (*Journal, error) {
	path := filepath.Join(r.Dir, journalFile)
	torn := false
	if data, err := os.ReadFile(path); err == nil {
		torn = len(data) > 0 && data[len(data)-1] != '\n'
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if torn {
		if _, err := f.WriteString("\n"); err != nil {
			return nil, errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
		}
	}
	return &Journal{f: f}, nil
}

// Append writes an entry and syncs. A zero Time is now.
func (j *Journal) Append(e Entry) error {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if _, err := j.f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Close closes the journal.
func (j *Journal) Close() error { return j.f.Close() }

// Entries reads the journal. Lines that a kill tore are left out.
func (r *Run) Entries() ([]Entry, error) {
	data, err := os.ReadFile(filepath.Join(r.Dir, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	var all []Entry
	for line := range strings.Lines(string(data)) {
		var e Entry
		if json.Unmarshal([]byte(line), &e) == nil {
			all = append(all, e)
		}
	}
	return all, nil
}
