package runner

import (
	"maps"
	"sync"
	"virtscope/results"
)

// A stamper adds to what a driver records of a save the checkpoint that it belongs to: the one between whose begin and end it
// falls. A driver knows no catalogue. Its zero value is ready; it is safe for concurrent use.
type stamper struct {
	mu  sync.Mutex
	now map[string]string // the checkpoint that is under way, by guest
}

func (s *stamper) stamp(r results.Record) results.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	guest := r.Attrs[results.AttrGuest]
	switch r.Name {
	case results.CheckpointBegin:
		if s.now == nil {
			s.now = map[string]string{}
		}
		s.now[guest] = r.Attrs[results.AttrCheckpoint]
	case results.CheckpointEnd:
		delete(s.now, guest)
	case results.CheckpointFreeze, results.CheckpointDump, results.CheckpointDumped,
		results.CheckpointDisk, results.CheckpointDiskDone, results.CheckpointThaw:
		id := s.now[guest]
		if id == "" || r.Attrs[results.AttrCheckpoint] != "" {
			return r
		}
		r.Attrs = maps.Clone(r.Attrs)
		if r.Attrs == nil {
			r.Attrs = map[string]string{}
		}
		r.Attrs[results.AttrCheckpoint] = id
	}
	return r
}
