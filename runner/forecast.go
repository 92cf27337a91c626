package runner

import (
	"time"
	"virtscope/experiments/plan"
)

// A forecast corrects the plan's estimates by what the trials so far really took.
type forecast struct {
	trials             []plan.Trial
	estimated, elapsed time.Duration // of the trials that ended
}

func newForecast(trials []plan.Trial) *forecast { return &forecast{trials: trials} }

func (f *forecast) took(i int, d time.Duration) {
	f.estimated += f.trials[i].Estimate
	f.elapsed += d
}

// from forecasts how long trial i and all after it will take.
func (f *forecast) from(i int) time.Duration {
	var sum time.Duration
	for _, t := range f.trials[i:] {
		sum += t.Estimate
	}
	if f.estimated <= 0 {
		return sum
	}
	return time.Duration(float64(sum) * float64(f.elapsed) / float64(f.estimated))
}
