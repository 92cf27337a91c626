package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"virtscope/analysis/quantity"
	"virtscope/analysis/report"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// mostDamage is how many records of damage are kept: a stream that is damaged throughout has no end of them.
const mostDamage = 1000

// Findings gathers what a capture holds. It implements results.Recorder, for one goroutine.
type findings struct {
	tell    func(results.Record) // called with each record; may be nil
	records []results.Record
	damage  int
	about   captureInfo
}

// Record implements results.Recorder.
func (f *findings) Record(r results.Record) {
	if f.tell != nil {
		f.tell(r)
	}
	if r.Name == results.WireDamage || r.Name == results.WireResync {
		if f.damage++; f.damage > mostDamage {
			return
		}
	}
	f.records = append(f.records, r)
}

// print gives the result in all forms that were asked for.
func (f *findings) print(w io.Writer, o pcapOptions) error {
	c, err := stream.Build(f.records)
	if err != nil {
		return err
	}
	if f.damage > mostDamage {
		c.Notes = append(c.Notes, fmt.Sprintf("%d places were damaged or taken up again; the first %d are told", f.damage, mostDamage))
	}
	errs := []error{f.write(w, c, o.json)}
	if o.records != "" {
		errs = append(errs, f.keep(o.records))
	}
	if o.plot != "" {
		errs = append(errs, plotCapture(c, o.plot))
	}
	return errors.Join(errs...)
}

func (f *findings) write(w io.Writer, c *stream.Capture, asJSON bool) error {
	if asJSON {
		data, err := quantity.JSON(struct {
			About captureInfo `json:"capture"`
			*stream.Capture
		}{f.about, c}, "  ")
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	var b bytes.Buffer
	f.about.write(&b)
	if err := stream.Write(&b, c); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// keep writes the raw records, one a line.
func (f *findings) keep(path string) (err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	e := json.NewEncoder(out)
	for _, r := range f.records {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("write records to %s: %w", path, err)
		}
	}
	return nil
}

func plotCapture(c *stream.Capture, path string) error {
	if len(c.Migrations) == 0 {
		return fmt.Errorf("draw %s: there is no migration to draw", path)
	}
	return report.PlotCapture(c, path)
}

// checkPlot is an error if a figure can not be drawn to path.
func checkPlot(path string) error {
	if path == "" {
		return nil
	}
	switch ext := filepath.Ext(path); ext {
	case ".png", ".svg", ".pdf":
		return nil
	default:
		return fmt.Errorf("--plot %s: it ends in %q: end it in .png, .svg or .pdf", path, ext)
	}
}
