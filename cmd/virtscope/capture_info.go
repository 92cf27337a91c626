package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/wire"
	"virtscope/results"
)

// A captureInfo is what there is to know of what was read, beside what is in it.
type captureInfo struct {
	Files       []fileInfo    `json:"files"`
	Clocks      []clockOffset `json:"clocks,omitempty"`
	Begin       int64         `json:"begin_ns,omitzero"` // of the first frame, ns since the Unix epoch; 0, and not in JSON, if there is none
	End         int64         `json:"end_ns,omitzero"`
	Frames      int64         `json:"frames"`
	Bytes       int64         `json:"captured_bytes"`
	Cut         int64         `json:"cut_frames,omitempty"` // by the capture's snap length
	Malformed   int64         `json:"malformed_frames,omitempty"`
	Unsupported int64         `json:"unsupported_frames,omitempty"` // of link types that are not known
}

// A fileInfo is one capture.
type fileInfo struct {
	Name      string `json:"name"`
	Frames    int64  `json:"frames"`
	Dropped   *int64 `json:"dropped_frames,omitempty"` // nil: not known
	Counted   bool   `json:"drops_counted"`            // false: the file does not say how many frames were dropped; there may be more
	Truncated bool   `json:"truncated,omitempty"`
	Partial   int64  `json:"partial_bytes,omitempty"` // of the last record, which is not whole
	Untimed   int64  `json:"untimed_frames,omitempty"`
}

// describe notes what was read from files.
func (f *findings) describe(s *wire.Session, files []*file.File, paths []string, clocks []clockOffset) {
	f.about = infoOf(s)
	f.about.Clocks = clocks
	for i, c := range files {
		stats, _ := c.Stats() // of a file: it cannot fail
		partial, truncated := c.Truncated()
		info := fileInfo{
			Name: filepath.Base(paths[i]), Frames: stats.Frames, Counted: c.CountsDrops(),
			Truncated: truncated, Partial: partial, Untimed: c.Untimed(),
		}
		if info.Counted || stats.Dropped > 0 {
			info.Dropped = &stats.Dropped
		}
		f.about.Files = append(f.about.Files, info)
	}
}

// describeLive notes what was read from an interface.
func (f *findings) describeLive(s *wire.Session, name string, stats capture.Stats) {
	f.about = infoOf(s)
	f.about.Files = []fileInfo{{Name: name, Frames: stats.Frames, Dropped: &stats.Dropped, Counted: true}}
}

func infoOf(s *wire.Session) captureInfo {
	n := s.Counts()
	return captureInfo{
		Begin: s.First().Time, End: s.Last().Time,
		Frames: n.Frames, Bytes: n.Bytes, Cut: n.Cut, Malformed: n.Malformed, Unsupported: n.Unsupported,
	}
}

// write prints what was read, a line each, and what a reader must know of it.
func (a captureInfo) write(b *bytes.Buffer) {
	for _, f := range a.Files {
		line := fmt.Sprintf("%s: %s frames", f.Name, showCount(f.Frames))
		switch {
		case f.Dropped == nil:
			line += "; the file does not say how many were dropped"
		case *f.Dropped > 0:
			line += fmt.Sprintf(", and %s were dropped by the capture: sums below may be too low", showCount(*f.Dropped))
		default:
			line += ", none dropped"
		}
		if f.Truncated {
			line += fmt.Sprintf("; the file ends within a record (%d B of it)", f.Partial)
		}
		if f.Untimed > 0 {
			line += fmt.Sprintf("; %s frames have no time and take that of the frame before", showCount(f.Untimed))
		}
		text.Wrapped(b, "", line)
	}
	for i, c := range a.Clocks {
		if i > 0 {
			text.Wrapped(b, "", c.String())
		}
	}
	if a.Frames > 0 {
		length := quantity.Exactly(float64(a.End-a.Begin)/1e9, results.Seconds)
		fmt.Fprintf(b, "from %s on, %s, %s captured\n", time.Unix(0, a.Begin).UTC().Format("2006-01-02 15:04:05.000000 UTC"),
			quantity.Show(length), quantity.Show(quantity.Exactly(float64(a.Bytes), results.Bytes)))
	}
	if a.Cut > 0 {
		text.Wrapped(b, "", fmt.Sprintf("%s frames were cut by the snap length: what a stream carries behind the cut is missing (capture with tcpdump -s 0)", showCount(a.Cut)))
	}
	if a.Malformed > 0 {
		fmt.Fprintf(b, "%s frames have headers that make no sense, and were left out\n", showCount(a.Malformed))
	}
	if a.Unsupported > 0 {
		fmt.Fprintf(b, "%s frames are of a link type that is not known, and were left out\n", showCount(a.Unsupported))
	}
	b.WriteString("\n")
}

func showCount(n int64) string { return quantity.Count(quantity.Exactly(float64(n), results.One)) }
