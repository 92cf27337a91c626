package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/offset"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"
)

// A clockOffset is how the clock of a capture stood to that of the first one.
type clockOffset struct {
	File   string        `json:"file"`
	Known  bool          `json:"known"`
	Offset time.Duration `json:"offset_ns"` // this clock less the first; in JSON there is none if it is not known
	Bound  time.Duration `json:"bound_ns"`  // likewise
	Shared int           `json:"shared_packets"`
	Why    string        `json:"why,omitempty"` // it is not known; it is taken to be 0
}

// MarshalJSON leaves out what is not known.
func (c clockOffset) MarshalJSON() ([]byte, error) {
	type plain clockOffset
	if c.Known {
		return json.Marshal(plain(c))
	}
	return json.Marshal(struct {
		plain
		Offset *time.Duration `json:"offset_ns,omitempty"`
		Bound  *time.Duration `json:"bound_ns,omitempty"`
	}{plain: plain(c)})
}

func (c clockOffset) String() string {
	if !c.Known {
		return fmt.Sprintf("clock of %s: not known, taken to be the first file's: %s", c.File, c.Why)
	}
	return fmt.Sprintf("clock of %s: %s ahead of the first file's, ± %s, from %s packets that both saw",
		c.File, c.Offset, c.Bound, showCount(int64(c.Shared)))
}

// estimateClocks works out how the clocks of captures differ, from packets that two of them saw. Files are read once for
// that; a single one is not.
func estimateClocks(ctx context.Context, paths []string) ([]clockOffset, error) {
	if len(paths) < 2 {
		return nil, nil
	}
	estimators := make([]*offset.Estimator, len(paths)-1)
	for i := range estimators {
		estimators[i] = offset.New()
	}
	for i, path := range paths {
		if path == stdin {
			return nil, specError(errors.New("standard input can not be read twice, as several captures must be: name files"))
		}
		err := eachTCP(ctx, path, func(at int64, p *packet.Packet) {
			if i > 0 {
				estimators[i-1].Add(offset.B, at, p)
				return
			}
			for _, e := range estimators {
				e.Add(offset.A, at, p)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	clocks := []clockOffset{{File: filepath.Base(paths[0]), Known: true}}
	for i, e := range estimators {
		r := e.Estimate()
		clocks = append(clocks, clockOffset{
			File: filepath.Base(paths[i+1]), Known: r.Known, Offset: r.Offset, Bound: r.Bound, Shared: r.Packets, Why: r.Why,
		})
	}
	return clocks, nil
}

// eachTCP gives the TCP packets of the first interface of a capture that has any: an estimate wants one place.
func eachTCP(ctx context.Context, path string, give func(at int64, p *packet.Packet)) error {
	f, err := file.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var p packet.Packet
	only := -1
	for n := 0; ; n++ {
		if n%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		frame, err := f.Next()
		var damaged *file.DamageError
		if errors.Is(err, io.EOF) || errors.As(err, &damaged) { // told when the capture is decoded
			return nil
		}
		if err != nil {
			return err
		}
		if p.Decode(frame.Link, frame.Data, frame.Length) != nil || p.Kind != packet.TCP || frame.Time == capture.NoTime {
			continue
		}
		if only < 0 {
			only = frame.Interface
		}
		if frame.Interface == only {
			give(frame.Time, &p)
		}
	}
}

// drinkMerged gives the frames of several files in the order of the first one's clock.
func drinkMerged(ctx context.Context, s *wire.Session, files []*file.File, clocks []clockOffset) error {
	inputs := make([]file.Input, len(files))
	for i, f := range files {
		inputs[i] = file.Input{Source: f, Correction: -clocks[i].Offset.Nanoseconds()}
	}
	merged := file.Merge(inputs...)
	var errs []error
	last := int64(0)
	for n := 0; ; n++ {
		if n%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		frame, err := merged.Next()
		if errors.Is(err, io.EOF) {
			return errors.Join(errs...)
		}
		if err != nil {
			errs = append(errs, err) // the other files go on
			continue
		}
		if frame.Time == capture.NoTime {
			frame.Time = last
		}
		last = frame.Time
		s.Frame(frame.Source, frame.Frame)
	}
}
