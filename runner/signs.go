package runner

import (
	"maps"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
)

// Ways to detect a failure.
const (
	byProcess   = "process"
	byHeartbeat = "heartbeat"
	byEcho      = "echo"
)

// signs are the guest's signs of life as they come. Its zero value is ready; it is safe for concurrent use.
type signs struct {
	mu      sync.Mutex
	last    map[string]time.Time // by way
	refused map[string]bool      // checkpoints
}

func (s *signs) see(r results.Record, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Name {
	case results.GuestHeartbeat:
		s.heard(byHeartbeat, now)
	case results.EchoHeard:
		s.heard(byEcho, now)
	case results.CheckpointRefused:
		if s.refused == nil {
			s.refused = map[string]bool{}
		}
		s.refused[r.Attrs[results.AttrCheckpoint]] = true
	}
}

func (s *signs) heard(by string, now time.Time) {
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[by] = now
}

// at is when the last sign of a kind came; zero: none has.
func (s *signs) at(by string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[by]
}

func (s *signs) wasRefused(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[id]
}

// A homecoming waits for the first words of a guest that was restored. Its zero value waits for none; it is safe for concurrent use.
type homecoming struct {
	mu    sync.Mutex
	attrs map[string]string // of the record that will be made; nil: none is awaited
	beat  *results.Record   // the first heartbeat, where no count of work has come
}

// wordless is for how long after a guest's first heartbeat its count of work, which comes each tenth of a second, is awaited.
const wordless = time.Second

// await makes the next words the first. The guest before must be closed: it says nothing any more.
func (h *homecoming) await(attrs map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attrs, h.beat = maps.Clone(attrs), nil
}

// see returns GuestRestored when r is what was awaited. A guest that counts no work has none in it.
func (h *homecoming) see(r results.Record) (results.Record, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.attrs == nil || r.Source != results.SourceGuest {
		return r, false
	}
	switch r.Name {
	case results.GuestDirtied, results.GuestWork:
		attrs := h.attrs
		attrs["work"], attrs["unit"] = strconv.FormatFloat(r.Value, 'f', -1, 64), string(r.Unit)
		if kind := r.Attrs["kind"]; kind != "" {
			attrs["kind"] = kind
		}
		return h.arrived(r)
	case results.GuestHeartbeat:
		if h.beat == nil {
			h.beat = &r
		}
		if time.Duration(r.Time-h.beat.Time) < wordless {
			return r, false
		}
		return h.arrived(*h.beat)
	}
	return r, false
}

func (h *homecoming) arrived(r results.Record) (results.Record, bool) {
	attrs := h.attrs
	h.attrs = nil
	mono, err := strconv.ParseInt(r.Attrs["mono"], 10, 64)
	if err != nil {
		return r, false // every message of an agent has one
	}
	attrs["mono"] = r.Attrs["mono"]
	return results.Record{
		Time: r.Time, Host: r.Host, Source: results.SourceGuest, Name: results.GuestRestored,
		Value: float64(mono) / 1e9, Unit: results.Seconds, Attrs: attrs,
	}, true
}
