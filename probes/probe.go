// Package probes runs what observes a trial. A probe records; it never decides.
package probes

import (
	"context"
	"virtscope/results"
)

// A Probe observes until ctx is done.
//
// Run calls armed exactly once, when it observes; the trial's baseline starts once all probes are armed. It
// returns nil when ctx is done and all records were given to rec, or the error that kept it from going on. A
// probe that returns an error makes the trial invalid. Before it returns, it records what it cost
// (results.ProbeCPU and its kin).
type Probe interface {
	Name() string
	Run(ctx context.Context, rec results.Recorder, armed func()) error
}
