package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"virtscope/analysis/report"
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
func influxBeside(r *results.Run) func(results.Attempted) ([]byte, error) {
	specs := sync.OnceValue(func() map[string]*spec.Experiment { return trialSpecs(r) })
	return func(a results.Attempted) ([]byte, error) {
		o, err := outcomeOf(a)
		if err != nil {
			return nil, err
		}
		spans, point := []influx.Annotation(nil), noData(o)
		if o.Verdict.Final() {
			t := report.Trial{Outcome: o}
			if t.Timeline, err = buildTimeline(r, o, specs()[a.Trial.ID]); err != nil {
				t.Problem = err.Error()
			}
			spans, point = annotateTrial(t)
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
