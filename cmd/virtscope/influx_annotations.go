package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"virtscope/analysis/quantity"
	"virtscope/analysis/report"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/results/influx"
)

// annotations derives what InfluxDB is told of a run's trials beside their records: spans to stand behind a figure's curves, and a point of each attempt
// that has ended, with the metrics of a trial's last one. It reads all records of the run again.
func annotations(ctx context.Context, r *results.Run) ([]influx.Annotation, []influx.TrialPoint, error) {
	var mu sync.Mutex
	var spans []influx.Annotation
	var points []influx.TrialPoint
	_, err := analyzeTrials(ctx, r, trialSpecs(r), func(t report.Trial) error {
		list, point := annotateTrial(t)
		mu.Lock()
		defer mu.Unlock()
		spans, points = append(spans, list...), append(points, point)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	earlier, err := earlierAttempts(r)
	return spans, append(points, earlier...), err
}

// earlierAttempts are those that were set aside.
func earlierAttempts(r *results.Run) ([]influx.TrialPoint, error) {
	attempts, err := r.Attempts()
	if err != nil {
		return nil, err
	}
	var points []influx.TrialPoint
	for _, a := range attempts {
		if !a.Ended || a.Dir == r.TrialDir(a.Trial.ID) {
			continue
		}
		o, err := outcomeOf(a)
		if err != nil {
			return nil, err
		}
		points = append(points, noData(o))
	}
	return points, nil
}

// outcomeOf reads how an attempt ended.
func outcomeOf(a results.Attempted) (o results.Outcome, err error) {
	data, err := os.ReadFile(filepath.Join(a.Dir, "trial.json"))
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		return o, fmt.Errorf("read how attempt %d at trial %s ended: %w", a.Number, a.Trial.ID, err)
	}
	return o, nil
}

// noData is an attempt that counts in no result: invalid, interrupted, or with another in its place. It has no metrics and no spans, whenever it is asked.
func noData(o results.Outcome) influx.TrialPoint {
	return influx.TrialPoint{Outcome: o, Problem: fmt.Sprintf("an attempt that is %s counts in no result", o.Verdict)}
}

// annotateTrial is what one trial gives.
func annotateTrial(t report.Trial) ([]influx.Annotation, influx.TrialPoint) {
	if !t.Outcome.Verdict.Final() {
		return nil, noData(t.Outcome)
	}
	point := influx.TrialPoint{Outcome: t.Outcome, Problem: t.Problem}
	if t.Timeline == nil {
		return nil, point
	}
	for _, m := range t.Timeline.Metrics {
		point.Metrics = append(point.Metrics, influx.Metric{
			Name: m.Name, Unit: m.Unit, Known: m.Known, Censored: m.Censored, Value: m.Value, Low: m.Low, High: m.High, Why: m.Why,
		})
	}
	var list []influx.Annotation
	add := func(a influx.Annotation) {
		a.Trial, a.Attempt = t.Outcome.Trial, t.Outcome.Attempt
		list = append(list, a)
	}
	for _, p := range t.Timeline.Phases {
		if strings.HasPrefix(p.Name, roundPhase) {
			continue // the rounds tell more
		}
		add(influx.Annotation{
			Kind: influx.KindPhase, Phase: p.Name, Title: p.Name, Text: quantity.Duration(float64(p.End.Time-p.Start.Time) / 1e9),
			Begin: p.Start.Time, End: p.End.Time, Bound: edgesBound(p.Start, p.End),
		})
	}
	for _, r := range t.Timeline.Rounds {
		if r.N == 0 {
			continue // stop-and-copy and post-copy are phases
		}
		add(influx.Annotation{
			Kind: influx.KindRound, Phase: roundPhase, Title: r.Name, Text: roundText(r),
			Begin: r.Start.Time, End: r.End.Time, Bound: edgesBound(r.Start, r.End),
		})
	}
	for _, o := range t.Timeline.Outages {
		if o.From == 0 || o.To == 0 {
			continue // no edges: it is a metric of the trial alone
		}
		text := quantity.ShowWithin(o.Quantity)
		if o.Why != "" {
			text += ": " + o.Why
		}
		add(influx.Annotation{Kind: influx.KindOutage, Phase: o.Name, Title: o.Name, Text: text, Begin: o.From, End: o.To, Bound: outageBound(o)})
	}
	return list, point
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
