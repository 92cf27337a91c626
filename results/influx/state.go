package influx

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"virtscope/results"
)

// Dir is the folder of a run that says how far it was shipped.
const Dir = "influx"

// StateFormat is the version of a State's layout.
const StateFormat = 2

// A State is how far a run was shipped to one target. It holds no secret.
type State struct {
	Format   int            `json:"format"`
	Run      string         `json:"run"`
	URL      string         `json:"url"`
	Org      string         `json:"org,omitempty"`
	Bucket   string         `json:"bucket"`
	Refused  int64          `json:"refused"` // records and other lines, over all attempts
	Lost     int64          `json:"refused_records"`
	Kept     int64          `json:"refused_bytes"` // of the file that holds them
	Head     bool           `json:"head,omitempty"`
	Attempts []AttemptState `json:"attempts"` // in the order in which they are shipped
	Sum      string         `json:"sum"`      // of all else, so that a file that was edited is not believed
}

// An AttemptState is how far an attempt was shipped.
type AttemptState struct {
	Trial   string `json:"trial"`
	Attempt int    `json:"attempt"`
	Before  int64  `json:"before"`           // what its Encoder began with, ns
	Latest  int64  `json:"latest,omitempty"` // what it ended with, ns; 0 until it was wholly read
	Records int64  `json:"records"`          // the first so many are settled: the server has them, or they are among the refused
	Done    bool   `json:"done,omitempty"`   // all are, and it gets no more
	Note    string `json:"note,omitempty"`   // what is wrong with its file

	read bool // by this process, wholly
}

// Settled is how many records the server has, or has refused.
func (s *State) Settled() int64 {
	n := int64(0)
	for _, a := range s.Attempts {
		n += a.Records
	}
	return n
}

func (s *State) find(trial string, attempt int) int {
	return slices.IndexFunc(s.Attempts, func(a AttemptState) bool { return a.Trial == trial && a.Attempt == attempt })
}

func statePath(run string, t Target) string { return filepath.Join(run, Dir, t.ID()+".json") }

// RefusedPath is the file that holds what a target refused, and why: one JSON object a line.
func RefusedPath(run string, t Target) string {
	return filepath.Join(run, Dir, t.ID()+".refused.ndjson")
}

// ReadState reads how far a run was shipped to a target. A run that never was gives a fresh State.
func ReadState(r *results.Run, t Target) (*State, error) {
	fresh := &State{Format: StateFormat, Run: r.Manifest.Run, URL: strings.TrimRight(t.URL, "/"), Org: t.Org, Bucket: t.Bucket}
	path := statePath(r.Dir, t)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how far the run was shipped: %w", err)
	}
	s, err := parseState(data)
	if err == nil && (s.Run != fresh.Run || s.URL != fresh.URL || s.Org != fresh.Org || s.Bucket != fresh.Bucket) {
		err = errors.New("it is of another run or target")
	}
	if err != nil {
		return nil, fmt.Errorf("read how far the run was shipped: %s: %w: remove it, and all is shipped again", path, err)
	}
	return s, nil
}

func parseState(data []byte) (*State, error) {
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if s.Format != StateFormat {
		return nil, fmt.Errorf("format %d, want %d", s.Format, StateFormat)
	}
	if sum, err := s.sum(); err != nil || sum != s.Sum {
		return nil, errors.Join(errors.New("it is not as virtscope wrote it"), err)
	}
	return &s, s.check()
}

// check finds what cannot be.
func (s *State) check() error {
	if s.Refused < 0 || s.Lost < 0 || s.Kept < 0 {
		return errors.New("it counts below 0")
	}
	type key struct {
		trial   string
		attempt int
	}
	seen := map[key]bool{}
	for _, a := range s.Attempts {
		k := key{a.Trial, a.Attempt}
		if a.Records < 0 || a.Attempt < 1 || a.Trial == "" || seen[k] {
			return fmt.Errorf("attempt %d of trial %q cannot be", a.Attempt, a.Trial)
		}
		seen[k] = true
	}
	return nil
}

// marshal writes the state with its sum.
func (s *State) marshal() ([]byte, error) {
	sum, err := s.sum()
	if err != nil {
		return nil, err
	}
	out := *s
	out.Sum = sum
	return json.Marshal(&out)
}

// sum is the SHA-256 of the state without a sum, in hexadecimal.
func (s *State) sum() (string, error) {
	bare := *s
	bare.Sum = ""
	data, err := json.Marshal(&bare)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

func (s *State) save(path string) error {
	data, err := s.marshal()
	if err != nil {
		return fmt.Errorf("write how far the run was shipped: %w", err)
	}
	if err := results.WriteFile(path, append(data, '\n')); err != nil {
		return onDisk("write how far the run was shipped into "+filepath.Dir(path), err)
	}
	return nil
}

// ErrShipping says that another process ships the same run to the same target.
var ErrShipping = errors.New("another virtscope ships this run there")

// lockState makes this process the only one that ships the run to the target.
func lockState(run string, t Target) (release func(), err error) {
	if err := os.MkdirAll(filepath.Join(run, Dir), 0o755); err != nil {
		return nil, onDisk("ship run "+run, err)
	}
	f, err := os.OpenFile(filepath.Join(run, Dir, t.ID()+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, onDisk("ship run "+run, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("ship run %s: %w: wait for it, or end it", run, ErrShipping)
		}
		return nil, fmt.Errorf("ship run %s: %w", run, err)
	}
	return func() { _ = f.Close() }, nil
}

// Notes are what is wrong with the files of attempts, as far as they were shipped.
func (s *State) Notes() []string {
	var list []string
	for _, a := range s.Attempts {
		if a.Note != "" {
			list = append(list, fmt.Sprintf("attempt %d of trial %s: %s", a.Attempt, a.Trial, a.Note))
		}
	}
	return list
}
