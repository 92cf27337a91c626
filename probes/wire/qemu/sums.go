package qemu

import (
	"maps"
	"slices"
	"virtscope/probes/wire/tcp"
)

// Sums of page records. Sizes are B of stream, heads included.
type sums struct {
	pages, bytes [kinds]int64
	stream       int64 // all forward bytes, those that are no page records too
}

func (s *sums) add(o *sums) {
	for k := range o.pages {
		s.pages[k] += o.pages[k]
		s.bytes[k] += o.bytes[k]
	}
	s.stream += o.stream
}

// Spans count distinct pages of a block.
type spans struct{ span, resent int64 }

// An epoch is a stretch of the stream without a dirty bitmap synchronisation in it: QEMU synchronises between the sections
// of RAM only, since it holds the bitmap's lock within one. With multifd it is what channels send between two SYNC marks.
type epoch struct {
	begin   tcp.Stamp // of its section's first byte
	queued  tcp.Stamp // the source can have begun it so early
	walk    int64     // walk coordinate of the page that is looked at next
	sums    sums
	spans   []spans // by block
	started bool    // begin is set
}

// An epoch's pages in block i.
func (e *epoch) of(i int) *spans {
	for len(e.spans) <= i {
		e.spans = append(e.spans, spans{})
	}
	return &e.spans[i]
}

// A Round is what one pass between two synchronisations sent.
type Round struct {
	Number           int              // from 1
	How              string           // start, again, final or postcopy
	Begin            tcp.Stamp        // the best estimate
	Earliest, Latest tcp.Stamp        // the truth lies between
	Bytes            int64            // B of stream, all forward channels
	Pages            map[string]int64 // by results.Page…
	Span, Resent     int64            // distinct pages that it sent; of them those that an earlier round had sent
	first            int              // epoch
	end              int              // epoch behind its last; 0 while it goes on
	blocks           []spans
}

// clone copies what a caller may keep.
func (r *Round) clone() Round {
	c := *r
	c.Pages = maps.Clone(r.Pages)
	c.blocks = slices.Clone(r.blocks)
	return c
}
