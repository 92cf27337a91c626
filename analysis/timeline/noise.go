package timeline

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/noise"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// measured is the time in which what was observed counts: from the baseline's begin until the quiet time after the action is over.
func (o observation) measured() edges.Window {
	w := edges.Window{From: o.span.from, To: o.span.to}
	if o.baseline.length() > 0 {
		w.From, w.To = o.baseline.from, max(o.baseline.to, o.span.to)
	}
	return w
}

// measureNoise adds what else went on at the machine, and whether the guest was settled.
func (t *Timeline) measureNoise(x *index, obs observation) {
	t.take(noise.Measure(x.log(), obs.measured()))
	if t.Action == ActionBoot || t.Action == ActionJobs {
		return // there is no guest that could be settled
	}
	for _, d := range []drift{x.driftOfRTT(obs.baseline), x.driftOfWriting(obs.baseline)} {
		t.Metrics = append(t.Metrics, Metric{d.name, d.change})
		if d.found {
			t.Unsettled = append(t.Unsettled, d.String())
		}
	}
}

// A baseline is cut into so many pieces, or as few as leastPieces where there are few samples. The median or the rate of each is one datum:
// neighbouring samples depend on each other, pieces of a fifth of a second hardly do.
const (
	mostPieces  = 10
	leastPieces = 6
	inPiece     = 5 // samples a piece
)

// A drift is found where a trend is this unlikely by chance and this large: one in a hundred settled baselines would be called unsettled
// if only chance decided, and fewer as the change must be large, too.
const (
	driftAlpha = 0.01
	driftLeast = 0.1
)

// A drift is whether a figure rose or fell over the baseline.
type drift struct {
	name, what string
	change     quantity.Quantity
	p          float64
	found      bool
}

func (d drift) String() string {
	way := "rose"
	if d.change.Value < 0 {
		way = "fell"
	}
	return fmt.Sprintf("%s %s by %.0f %% over the baseline (p = %.2g): the guest was not settled when the action began", d.what, way, 100*math.Abs(d.change.Value), d.p)
}

func (x *index) driftOfRTT(w window) drift {
	d := drift{name: metric.BaselineRTT, what: "round trips"}
	list := x.in(results.EchoRTT, w)
	pieces := min(mostPieces, len(list)/inPiece)
	if w.length() <= 0 || pieces < leastPieces {
		return d.unknown(w, "echo probes")
	}
	byPiece := make([][]float64, pieces)
	for _, r := range list {
		i := min(pieces-1, int(float64(r.Time-w.from)/float64(w.length())*float64(pieces)))
		byPiece[i] = append(byPiece[i], r.Value)
	}
	values := make([]float64, pieces)
	for i, p := range byPiece {
		if len(p) == 0 {
			return d.unknown(w, "echo probes in each part of it")
		}
		slices.Sort(p)
		values[i] = stats.Quantile(p, 0.5)
	}
	return d.test(values)
}

func (x *index) driftOfWriting(w window) drift {
	d := drift{name: metric.BaselineDirty, what: "the rate at which the workload writes memory"}
	list := x.in(results.GuestDirtied, w)
	pieces := min(mostPieces, (len(list)-1)/2)
	if w.length() <= 0 || pieces < leastPieces {
		return d.unknown(w, "reports of the workload")
	}
	if list[0].Value == list[len(list)-1].Value {
		d.change = quantity.Unknown(results.One, "the workload wrote no memory that it counts")
		return d
	}
	var counter []sample
	for _, r := range list {
		counter = append(counter, sample{r.Time, r.Value})
	}
	from, to := counter[0].at, counter[len(counter)-1].at
	values := make([]float64, pieces)
	for i := range values {
		a, b := from+(to-from)*int64(i)/int64(pieces), from+(to-from)*int64(i+1)/int64(pieces)
		values[i] = (at(counter, b) - at(counter, a)) / seconds(b-a)
	}
	return d.test(values)
}

func (d drift) unknown(w window, what string) drift {
	d.change = quantity.Unknown(results.One, "the baseline has too few "+what)
	if w.length() <= 0 {
		d.change.Why = "there was no baseline"
	}
	return d
}

// test looks for a monotonous trend over the pieces, by Kendall's test, and takes Theil and Sen's slope for its size.
func (d drift) test(values []float64) drift {
	var data []stats.Datum
	for i, v := range values {
		data = append(data, stats.Datum{Trial: fmt.Sprint("piece ", i), Order: i + 1, Value: v, Known: true})
	}
	s, err := stats.NewSample(data)
	if err != nil {
		d.change = quantity.Unknown(results.One, err.Error())
		return d
	}
	trend := stats.ExecutionTrend([]stats.Sample{s})
	if !trend.Slope.Known {
		d.change = quantity.Unknown(results.One, "the median over the baseline is 0")
		return d
	}
	d.change = quantity.Exactly(trend.Slope.Value*float64(len(values)-1), results.One)
	d.p = trend.Test.P
	d.found = trend.Test.Known && d.p < driftAlpha && math.Abs(d.change.Value) >= driftLeast
	return d
}
