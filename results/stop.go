package results

import "path/filepath"

// A StopRule says when a treatment has enough trials: once an interval of a metric's median, that holds at all looks together, is narrow.
type StopRule struct {
	Metric     string  `json:"metric"`
	Within     float64 `json:"within"`     // half the interval's length, as a share of the median
	Confidence float64 `json:"confidence"` // of the interval, over all looks
	AtLeast    int     `json:"at_least"`   // trials before the first look
	AtMost     int     `json:"at_most"`    // replicates that are planned
}

// Skipped are the trials that were left out because enough was known of their treatment, with the reason. A trial that was run, before or after all, is not
// among them.
func (r *Run) Skipped() (map[string]string, error) {
	entries, err := r.Entries()
	if err != nil {
		return nil, err
	}
	skipped := map[string]string{}
	for _, e := range entries {
		switch e.Event {
		case TrialSkip:
			skipped[e.Trial] = e.Reason
		case TrialBegin:
			delete(skipped, e.Trial)
		}
	}
	for id := range skipped {
		if exists(filepath.Join(r.TrialDir(id), outcomeFile)) { // of an attempt before, that was invalid
			delete(skipped, id)
		}
	}
	return skipped, nil
}
