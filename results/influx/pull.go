package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"virtscope/results"
)

// A Found is what a server has of a run, but for its records.
type Found struct {
	Run        string
	Experiment string            // its name
	Files      map[string][]byte // of the run folder, by name: those that are there whole
	Broken     []string          // files of which a piece is missing
	Ended      []Ended           // the attempts that ended, by begin
	Spans      []Extent          // of the measurements of its records
}

// An Ended is how an attempt ended.
type Ended struct {
	results.Outcome
	Records int64  // that it had; -1 if that is not known
	Problem string // why no metrics were derived when it was sent; "" if there were
}

// An Extent is when a measurement has points.
type Extent struct {
	Measurement string
	From, To    int64 // ns, both included
}

// ErrNoRun says that a server has nothing of a run.
var ErrNoRun = errors.New("the server has no such run")

// Runs are the names of the runs that the server has.
func (r *Reader) Runs(ctx context.Context) ([]string, error) {
	names := map[string]bool{}
	err := r.ask(ctx, fmt.Sprintf("SHOW TAG VALUES WITH KEY = %s", quoteName(tagRun)), func(s *answerSeries) error {
		for _, v := range s.Values {
			if len(v) == 2 {
				names[unescape(fmt.Sprint(v[1]))] = true
			}
		}
		return nil
	})
	return slices.Sorted(maps.Keys(names)), err
}

// Find looks for a run. ErrNoRun if there is nothing of it.
func (r *Reader) Find(ctx context.Context, run string) (*Found, error) {
	f := &Found{Run: run, Files: map[string][]byte{}}
	where := "WHERE " + quoteName(tagRun) + " = " + quoteText(escape(run))
	var names []string
	err := r.ask(ctx, "SHOW MEASUREMENTS "+where, func(s *answerSeries) error {
		for _, v := range s.Values {
			if name := fmt.Sprint(v[0]); !isMeasurement(name) {
				names = append(names, name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.findFiles(ctx, f, where); err != nil {
		return nil, err
	}
	if err := r.findOutcomes(ctx, f, where); err != nil {
		return nil, err
	}
	if err := r.findExtents(ctx, f, where, names); err != nil {
		return nil, err
	}
	if len(f.Spans) == 0 && len(f.Files) == 0 && len(f.Ended) == 0 {
		return nil, fmt.Errorf("find run %s: %w", run, ErrNoRun)
	}
	return f, nil
}

// rows gives each row of an answer to each.
func (r *Reader) rows(ctx context.Context, query string, each func(row) error) error {
	return r.ask(ctx, query, func(s *answerSeries) error {
		for _, values := range s.Values {
			one, err := s.row(values)
			if err != nil {
				return err
			}
			if err := each(one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *Reader) findFiles(ctx context.Context, f *Found, where string) error {
	pieces := map[string]map[int]string{}
	size := map[string]int64{}
	err := r.rows(ctx, fmt.Sprintf("SELECT * FROM %s %s GROUP BY *", quoteName(MeasurementRun), where), func(p row) error {
		f.Experiment = cmp.Or(unescape(p.series.Tags[tagExperiment]), f.Experiment)
		name := unescape(p.series.Tags[tagFile])
		if pieces[name] == nil {
			pieces[name] = map[int]string{}
		}
		n, _ := p.fields["piece"].(int64)
		pieces[name][int(n)], _ = p.fields["text"].(string)
		if bytes, ok := p.fields["size_bytes"].(int64); ok && n == 1 {
			size[name] = bytes
		}
		return nil
	})
	for name, parts := range pieces {
		whole, err := joined(parts)
		if err != nil || int64(len(whole)) != size[name] {
			f.Broken = append(f.Broken, name)
			continue
		}
		f.Files[name] = []byte(whole)
	}
	slices.Sort(f.Broken)
	return err
}

func (r *Reader) findOutcomes(ctx context.Context, f *Found, where string) error {
	err := r.rows(ctx, fmt.Sprintf("SELECT %s FROM %s %s GROUP BY *", "/^(outcome|problem|"+fieldRecords+")/", quoteName(MeasurementTrial), where), func(p row) error {
		f.Experiment = cmp.Or(unescape(p.series.Tags[tagExperiment]), f.Experiment)
		parts, problem := map[int]string{}, map[int]string{}
		for name, v := range p.fields {
			key, part := partOf(name)
			switch key {
			case "outcome":
				parts[part], _ = v.(string)
			case "problem":
				problem[part], _ = v.(string)
			}
		}
		text, err := joined(parts)
		if err != nil {
			return fmt.Errorf("read how a trial ended: %w", err)
		}
		e := Ended{Records: -1}
		e.Problem, _ = joined(problem)
		if err := json.Unmarshal([]byte(text), &e.Outcome); err != nil {
			return fmt.Errorf("read how a trial ended: %w", err)
		}
		if n, ok := p.fields[fieldRecords].(int64); ok {
			e.Records = n
		}
		f.Ended = append(f.Ended, e)
		return nil
	})
	slices.SortFunc(f.Ended, func(a, b Ended) int { return a.Begin.Compare(b.Begin) })
	return err
}

func (r *Reader) findExtents(ctx context.Context, f *Found, where string, names []string) error {
	extents := map[string]*Extent{}
	for _, which := range []string{"first", "last"} {
		var q strings.Builder
		for _, name := range names {
			fmt.Fprintf(&q, "SELECT %s(%s) FROM %s %s;", which, quoteName(fieldTrial), quoteName(name), where)
		}
		if q.Len() == 0 {
			return nil
		}
		err := r.rows(ctx, q.String(), func(p row) error {
			x := extents[p.series.Name]
			if x == nil {
				x = &Extent{p.series.Name, math.MaxInt64, math.MinInt64}
				extents[p.series.Name] = x
			}
			x.From, x.To = min(x.From, p.time), max(x.To, p.time)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(extents)) {
		f.Spans = append(f.Spans, *extents[name])
	}
	return nil
}
