package runner

import (
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// A Progress is told what happens. Its methods return at once and are safe for concurrent use.
type Progress interface {
	// Trial begins: attempt (from 1) at trial t, of all trials of the plan; left is how long the run will
	// still take, roughly.
	Trial(t plan.Trial, attempt, all int, left time.Duration)
	// State begins; expect is how long it takes by plan, 0 where that is not known.
	State(state string, expect time.Duration)
	// Event is a turn in the action: a results.PreCopyRound, VMStop, VMResume, MigrationStatus, LinkDown, LinkUp or Fault.
	Event(r results.Record)
	// Done says how the attempt ended.
	Done(o results.Outcome)
}
