package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/results/influx"
)

// annotations derives what InfluxDB is told of a run's attempts that have ended, beside their records: spans to stand behind a figure's curves, and a point
// of each, with metrics where it counts. It reads all records of the run again.
func annotations(ctx context.Context, r *results.Run) ([]influx.Annotation, []influx.TrialPoint, error) {
	attempts, err := r.Attempts()
	if err != nil {
		return nil, nil, err
	}
	specs := trialSpecs(r)
	var spans []influx.Annotation
	var points []influx.TrialPoint
	for _, a := range attempts {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if !a.Ended {
			continue
		}
		list, point, err := annotateAttempt(ctx, a, specs[a.Trial.ID])
		if err != nil {
			return nil, nil, err
		}
		spans, points = append(spans, list...), append(points, point)
	}
	return spans, points, nil
}

// annotateAttempt is what one attempt gives; s is its experiment, nil if that cannot be read. One that counts in no result (invalid, interrupted) has no
// metrics and no spans. Records that cannot be read are the attempt's problem, and no error.
func annotateAttempt(ctx context.Context, a results.Attempted, s *spec.Experiment) ([]influx.Annotation, influx.TrialPoint, error) {
	o, err := outcomeOf(a)
	if err != nil {
		return nil, influx.TrialPoint{}, err
	}
	point := influx.TrialPoint{Outcome: o}
	spans, err := derive(ctx, &point, a, s)
	if ctx.Err() != nil {
		return nil, influx.TrialPoint{}, ctx.Err()
	}
	if err != nil {
		point.Problem = err.Error()
	}
	return spans, point, nil
}

// derive fills in what an attempt's records show; the error is why there are no metrics.
func derive(ctx context.Context, point *influx.TrialPoint, a results.Attempted, s *spec.Experiment) ([]influx.Annotation, error) {
	records, err := recordsOf(ctx, a)
	if err != nil {
		return nil, err
	}
	o := point.Outcome
	point.Records = len(records)
	if !o.Verdict.Final() {
		return nil, fmt.Errorf("an attempt that is %s counts in no result", o.Verdict)
	}
	t, err := timeline.BuildWithin(o, records, limitsOf(s))
	if err != nil {
		return nil, err
	}
	for _, m := range t.Metrics {
		point.Metrics = append(point.Metrics, influx.Metric{
			Name: m.Name, Unit: m.Unit, Known: m.Known, Censored: m.Censored, Value: m.Value, Low: m.Low, High: m.High, Why: m.Why,
		})
	}
	return spansOf(t, o), nil
}

// outcomeOf reads how an attempt ended.
func outcomeOf(a results.Attempted) (o results.Outcome, err error) {
	data, err := os.ReadFile(filepath.Join(a.Dir, "trial.json"))
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err == nil && o.Attempt != a.Number {
		err = fmt.Errorf("its folder holds attempt %d", o.Attempt)
	}
	if err != nil {
		return o, fmt.Errorf("read how attempt %d at trial %s ended: %w", a.Number, a.Trial.ID, err)
	}
	return o, nil
}

// recordsOf reads an attempt's records.
func recordsOf(ctx context.Context, a results.Attempted) ([]results.Record, error) {
	f, err := os.Open(filepath.Join(a.Dir, "records.ndjson.gz"))
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	defer f.Close()
	records, err := results.ReadRecords(endable{ctx, f})
	if err != nil {
		return nil, fmt.Errorf("read records: the file is damaged or cut off after %d: %w", len(records), err)
	}
	return records, nil
}

// An endable is a file whose reading ends with ctx.
type endable struct {
	ctx context.Context //nolint:containedctx // an io.Reader has no other way
	f   io.Reader
}

func (e endable) Read(b []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.f.Read(b)
}

// spansOf are the phases, rounds and outages of a trial.
func spansOf(t *timeline.Timeline, o results.Outcome) []influx.Annotation {
	var list []influx.Annotation
	add := func(a influx.Annotation) {
		a.Trial, a.Attempt = o.Trial, o.Attempt
		list = append(list, a)
	}
	for _, p := range t.Phases {
		if strings.HasPrefix(p.Name, roundPhase) {
			continue // the rounds tell more
		}
		add(influx.Annotation{
			Kind: influx.KindPhase, Phase: p.Name, Title: p.Name, Text: quantity.Duration(float64(p.End.Time-p.Start.Time) / 1e9),
			Begin: p.Start.Time, End: p.End.Time, Bound: edgesBound(p.Start, p.End),
		})
	}
	for _, r := range t.Rounds {
		if r.N == 0 {
			continue // stop-and-copy and post-copy are phases
		}
		add(influx.Annotation{
			Kind: influx.KindRound, Phase: roundPhase, Title: r.Name, Text: roundText(r),
			Begin: r.Start.Time, End: r.End.Time, Bound: edgesBound(r.Start, r.End),
		})
	}
	for _, view := range t.Outages {
		if view.From == 0 || view.To == 0 {
			continue // no edges: it is a metric of the trial alone
		}
		text := quantity.ShowWithin(view.Quantity)
		if view.Why != "" {
			text += ": " + view.Why
		}
		add(influx.Annotation{
			Kind: influx.KindOutage, Phase: view.Name, Title: view.Name, Text: text, Begin: view.From, End: view.To, Bound: outageBound(view),
		})
	}
	return list
}

// roundPhase begins the names of all rounds of pre-copy.
const roundPhase = "pre-copy round"

func roundText(r timeline.Round) string {
	return fmt.Sprintf("sent %s, at %s; then the guest dirtied %s", quantity.Show(r.Bytes), quantity.Show(r.LinkRate), quantity.Show(r.DirtyRate))
}

// edgesBound is by how much either edge may be wrong, in s.
func edgesBound(a, b timeline.Edge) float64 { return max(a.Bound(), b.Bound()).Seconds() }

// outageBound is by how much the edges of an outage may be wrong: they enclose it, and it may be shorter by what its bounds leave open.
func outageBound(o timeline.Outage) float64 {
	if !o.Known || o.Censored {
		return math.NaN()
	}
	return max(0, float64(o.To-o.From)/1e9-o.Low)
}
