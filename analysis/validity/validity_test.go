package validity

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// add appends a trial with these metrics.
func add(set *dataset.Set, treatment string, metrics map[string]float64) *dataset.Trial {
	n := len(set.Trials) + 1
	t := dataset.Trial{Trial: results.Trial{ID: fmt.Sprintf("%03d", n), Order: n, Treatment: treatment}, Verdict: results.Completed, Readable: true}
	for name, v := range metrics {
		t.Metrics = append(t.Metrics, metric.Metric{Name: name, Quantity: quantity.Exactly(v, unit(name))})
	}
	set.Trials = append(set.Trials, t)
	return &set.Trials[n-1]
}

func unit(name string) results.Unit {
	switch name {
	case "total":
		return results.Seconds
	case metric.NoiseFreqMean:
		return results.Hertz
	}
	return results.One
}

func TestAbove(t *testing.T) {
	for _, c := range []struct {
		name  string
		q     quantity.Quantity
		limit func(*Limits)
		want  string
	}{
		{metric.NoiseSteal, quantity.Exactly(0.02, results.One), nil, "2 % of the CPUs' time was stolen by the hypervisor below, more than 1 %"},
		{metric.NoiseSteal, quantity.Within(0.02, 0.005, 0.03, results.One), nil, ""}, // not surely
		{metric.NoiseSteal, quantity.Unknown(results.One, "nobody looked"), nil, ""},
		{metric.NoiseOthersPart, quantity.Exactly(0.3, results.One), nil, "used by others"},
		{metric.NoiseOthersPart, quantity.Exactly(0.3, results.One), func(l *Limits) { l.Others = 1 }, ""},
		{metric.NoiseCPU, quantity.Exactly(1, results.One), nil, ""}, // the trial's own tasks wait
		{metric.NoiseCPU, quantity.Exactly(0.2, results.One), func(l *Limits) { l.PSICPU = 0.1 }, "waited for a CPU"},
		{metric.NoiseMemory, quantity.Exactly(0.02, results.One), nil, "waited for memory"},
		{metric.NoiseThrottled, quantity.Exactly(3, results.One), nil, "slowed down for heat 3 times"},
		{metric.NoiseThrottled, quantity.Exactly(0, results.One), nil, ""},
	} {
		l := Defaults()
		if c.limit != nil {
			c.limit(&l)
		}
		got := strings.Join(Above([]metric.Metric{{Name: c.name, Quantity: c.q}}, l), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s %+v: %q, want %q", c.name, c.q, got, c.want)
		}
	}
}

func TestOutliers(t *testing.T) {
	var set dataset.Set
	for i := range 5 { // one treatment loads the machine, and the other hardly does
		jitter := 0.004 * float64(i)
		add(&set, "light", map[string]float64{metric.NoiseCPU: 0.05 + jitter, metric.NoiseIO: 0, metric.NoiseFreqMean: 3e9})
		add(&set, "heavy", map[string]float64{metric.NoiseCPU: 0.8 + jitter, metric.NoiseIO: 0, metric.NoiseFreqMean: 3e9})
	}
	Spoil(&set, Defaults())
	for _, trial := range set.Trials {
		if trial.Spoiled != nil {
			t.Errorf("%s: %v", trial.ID, trial.Spoiled)
		}
	}
	set.Trials[4].Metrics[slices.IndexFunc(set.Trials[4].Metrics, func(m metric.Metric) bool { return m.Name == metric.NoiseCPU })].Quantity = quantity.Exactly(0.3, results.One)
	set.Trials[7].Metrics[slices.IndexFunc(set.Trials[7].Metrics, func(m metric.Metric) bool { return m.Name == metric.NoiseFreqMean })].Quantity = quantity.Exactly(2e9, results.Hertz)
	invalid := add(&set, "light", map[string]float64{metric.NoiseCPU: 1, metric.NoiseIO: 1, metric.NoiseSteal: 1})
	invalid.Verdict = results.Invalid
	alone := add(&set, "single", map[string]float64{metric.NoiseCPU: 1})
	_ = alone
	Spoil(&set, Defaults())
	for i, want := range map[int]string{
		4: "30 % of the time tasks waited for a CPU; the treatment's median is 6.2 %", 7: "2.000 GHz was the CPUs' mean frequency; the treatment's median is 3.000 GHz",
	} {
		if got := strings.Join(set.Trials[i].Spoiled, "; "); got != want {
			t.Errorf("%s: %q, want %q", set.Trials[i].ID, got, want)
		}
		set.Trials[i].Spoiled = nil
	}
	for _, trial := range set.Trials {
		if trial.Spoiled != nil {
			t.Errorf("%s: %v", trial.ID, trial.Spoiled)
		}
	}
	off := Defaults()
	off.Outliers = 0
	Spoil(&set, off)
	if set.Trials[4].Spoiled != nil {
		t.Errorf("outliers are off: %v", set.Trials[4].Spoiled)
	}
}

// TestOutlierFalseAlarms simulates runs of a noisy machine on which no trial stands out: what is found must be rare, with a normal
// distribution and with a long tail.
func TestOutlierFalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for name, draw := range map[string]func() float64{
		"normal":      func() float64 { return 0.5 + 0.08*random.NormFloat64() },
		"exponential": func() float64 { return 0.2 + 0.08*random.ExpFloat64() },
	} {
		for _, design := range [][2]int{{1, 5}, {2, 5}, {4, 3}, {2, 20}} {
			const runs = 400
			alarms, trials := 0, 0
			for range runs {
				var set dataset.Set
				for k := range design[0] {
					for range design[1] {
						add(&set, fmt.Sprint(k), map[string]float64{metric.NoiseCPU: draw() + float64(k)})
					}
				}
				for range rules[2].outliers(set, Defaults()) {
					alarms++
				}
				trials += len(set.Trials)
			}
			rate := float64(alarms) / float64(trials)
			t.Logf("%s, %d treatments of %d: %.2f %% of trials", name, design[0], design[1], 100*rate)
			most := map[string]float64{"normal": 0.03, "exponential": 0.12}[name]
			if rate > most {
				t.Errorf("%s, %d treatments of %d: %.1f %% of trials are called outliers, want at most %.0f %%", name, design[0], design[1], 100*rate, 100*most)
			}
		}
	}
}

func lines(parts []Part, title string) string {
	var list []string
	for _, p := range parts {
		if p.Title == title {
			for _, l := range p.Lines {
				list = append(list, fmt.Sprintf("%v: %s", l.Found, l.Text))
			}
		}
	}
	return strings.Join(list, "\n")
}

func TestReview(t *testing.T) {
	var set dataset.Set
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 40 {
		treatment, base := "x=1", 1.0
		if i%2 == 1 {
			treatment, base = "x=2", 1.3
		}
		total := base * math.Exp(0.02*random.NormFloat64())
		if i < 4 {
			total *= 2
		}
		steal := 0.0
		if i == 20 {
			steal = 0.04
		}
		add(&set, treatment, map[string]float64{"total": total, metric.NoiseSteal: steal})
	}
	Spoil(&set, Defaults())
	parts := Review(set)
	spoiled := lines(parts, SpoiledTitle)
	for _, want := range []string{
		"true: the machine was too noisy in 1 of 40 trials; they stay in all figures", "true: 021: 4 % of the CPUs' time was stolen",
		"false: without them, no median", "false: 40 of 40 trials could not be judged by noise.others.share, noise.psi.cpu",
	} {
		if !strings.Contains(spoiled, want) {
			t.Errorf("got\n%s\nwant %s", spoiled, want)
		}
	}
	if got := lines(parts, WarmUpTitle); !strings.Contains(got, "true: the first trials differ from those after: the run was warming up, or something changed: total +") {
		t.Errorf("warm-up: %s", got)
	} else if !strings.Contains(got, "in the first 4 (p = ") {
		t.Errorf("warm-up: %s", got)
	}
	for i := range set.Trials {
		set.Trials[i].Metrics = slices.DeleteFunc(set.Trials[i].Metrics, func(m metric.Metric) bool { return m.Name != "total" })
	}
	Spoil(&set, Defaults())
	if got := lines(Review(set), SpoiledTitle); !strings.Contains(got, "cannot be told: nobody observed the machine") || strings.Contains(got, "none of") {
		t.Errorf("nothing was measured: %s", got)
	}
	if got := lines(Review(dataset.Set{}), SpoiledTitle); !strings.Contains(got, "no trial counts") {
		t.Errorf("no trials: %s", got)
	}
}

func TestDrift(t *testing.T) {
	var set dataset.Set
	for i := range 20 {
		add(&set, fmt.Sprint(i%2), map[string]float64{"total": float64(1+i%2) * (1 + 0.01*float64(i)), "downtime": []float64{0.3, 0.31, 0.29, 0.305}[(i/2)%4]})
	}
	got := lines(Review(set), OrderTitle)
	if !strings.Contains(got, "next: total +0.9") || !strings.Contains(got, "false: no trend was found: downtime") || !strings.Contains(got, "Holm-corrected over 2") {
		t.Errorf("got\n%s", got)
	}
}

func TestWithout(t *testing.T) {
	var set dataset.Set
	for i := range 7 {
		steal, extra := 0.0, 0.0
		if i > 2 {
			steal, extra = 0.05, 3
		}
		add(&set, "a", map[string]float64{"total": 10 + 0.01*float64(i), metric.NoiseSteal: 0})
		add(&set, "b", map[string]float64{"total": 10.005 + 0.01*float64(i)*float64(1-i%2*2) + extra, metric.NoiseSteal: steal})
		add(&set, "c", map[string]float64{"total": 10, metric.NoiseSteal: 0.5})
	}
	Spoil(&set, Defaults())
	clean, n := Without(set)
	if n != 11 || len(clean.Trials) != 10 || len(set.Trials) != 21 {
		t.Fatalf("%d left out, %d and %d trials", n, len(clean.Trials), len(set.Trials))
	}
	got := lines(Review(set), SpoiledTitle)
	for _, want := range []string{"all trials of c were spoiled", "total of b: median"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
}
