package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/results/influx"
)

// journalName is the run's journal, which grows.
const journalName = "journal.ndjson"

func labelsOf(r *results.Run) influx.Labels {
	return influx.Labels{Run: r.Manifest.Run, Experiment: r.Manifest.Name}
}

// influxHead are the lines that a run begins with: the files that are there from its begin, and that do not change.
func influxHead(r *results.Run) func() ([]byte, error) {
	return func() ([]byte, error) {
		var lines []byte
		for _, name := range influx.RunFiles {
			if name == journalName {
				continue
			}
			var err error
			if lines, err = appendRunFile(lines, r, name); err != nil {
				return nil, err
			}
		}
		return lines, nil
	}
}

// appendRunFile appends a file of the run folder, if it is there.
func appendRunFile(lines []byte, r *results.Run, name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(r.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return lines, nil
	}
	if err != nil {
		return lines, fmt.Errorf("send %s: %w", name, err)
	}
	return influx.AppendFile(lines, labelsOf(r), r.Manifest.Created, name, content)
}

// influxBeside are the lines that go beside an attempt's records once it has ended: its annotations, how it ended with its metrics, and the journal as far
// as it goes. It is called from one goroutine.
func influxBeside(r *results.Run) func(context.Context, results.Attempted) ([]byte, error) {
	specs := sync.OnceValue(func() map[string]*spec.Experiment { return trialSpecs(r) })
	return func(ctx context.Context, a results.Attempted) ([]byte, error) {
		spans, point, err := annotateAttempt(ctx, a, specs()[a.Trial.ID])
		if err != nil {
			return nil, err
		}
		lines, err := influx.AppendAnnotations(nil, labelsOf(r), spans)
		if err != nil {
			return nil, err
		}
		if lines, err = influx.AppendTrial(lines, labelsOf(r), point); err != nil {
			return nil, err
		}
		return appendRunFile(lines, r, journalName)
	}
}
