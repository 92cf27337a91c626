// Package plan turns an experiment into its trials: factors × levels × replicates, ordered by a seeded
// shuffle. It is pure: the same experiment gives the same plan.
package plan

import (
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// A Plan is what a run will do.
type Plan struct {
	Experiment *spec.Experiment // with defaults filled in, before any factor is set or anything is scaled
	Trials     []Trial          // in order
	MoreOf     *results.MoreOf  // of what it has more trials; nil: it is the whole experiment
}

// A Trial is one trial with all its factors set.
type Trial struct {
	results.Trial
	Spec     *spec.Experiment // what runs: this trial's levels set, defaults filled in, scaled, no factors left; shared with no other trial
	Estimate time.Duration    // how long it will take, roughly
}
