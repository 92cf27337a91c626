package report

import (
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/validity"
)

// Dataset is the run as statistics see it. Name is what a reader calls it.
func (r Run) Dataset(name string) dataset.Set {
	set := dataset.Set{Name: name, Manifest: r.Manifest, Planned: r.Planned}
	for _, t := range r.Trials {
		o := t.Outcome
		trial := dataset.Trial{
			Trial: o.Trial, Attempt: o.Attempt, Verdict: o.Verdict, Reason: o.Reason, Begin: o.Begin, Readable: t.Timeline != nil,
		}
		if t.Problem != "" {
			set.Problems = append(set.Problems, o.Trial.ID+": "+t.Problem)
		}
		if t.Timeline != nil {
			for _, m := range t.Timeline.Metrics {
				trial.Metrics = append(trial.Metrics, metric.Metric{Name: m.Name, Quantity: m.Quantity})
			}
		}
		set.Trials = append(set.Trials, trial)
	}
	if r.Noise == nil {
		validity.SpoilByDefaults(&set, orNoReason(r.NoNoise))
		return set
	}
	validity.Spoil(&set, *r.Noise)
	return set
}
