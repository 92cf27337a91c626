package main

import "virtscope/results"

// unended are the trials of a run that have no outcome, or one that ends says is none; those that were not needed are none of them.
func unended(r *results.Run, ends func(results.Outcome) bool) ([]string, error) {
	skipped, err := r.Skipped()
	if err != nil {
		return nil, err
	}
	var list []string
	for _, t := range r.Plan {
		if _, ok := skipped[t.ID]; ok {
			continue
		}
		o, ok, err := r.Outcome(t.ID)
		if err != nil {
			return list, err
		}
		if !ok || !ends(o) {
			list = append(list, t.ID)
		}
	}
	return list, nil
}

// stays reports whether an outcome is the last of its trial: an interrupted one is run again.
func stays(o results.Outcome) bool { return o.Verdict != results.Interrupted }

// anyOutcome is for what reads records, which even an interrupted trial has.
func anyOutcome(results.Outcome) bool { return true }
