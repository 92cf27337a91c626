package results

import "time"

// A Level is one factor set to one of its levels.
type Level struct {
	Factor string `json:"factor"` // dotted path in the experiment, such as workload.rate
	Value  string `json:"value"`  // as the experiment writes it, such as 8MiB/s
}

// A Trial is one execution of one treatment: the unit of statistics.
type Trial struct {
	ID        string  `json:"id"`        // unique in the run, derived from order, levels and replicate; a valid file name
	Order     int     `json:"order"`     // place in the run, from 1
	Treatment string  `json:"treatment"` // derived from the levels, equal for all replicates
	Levels    []Level `json:"levels"`    // in the order of the experiment's factors
	Replicate int     `json:"replicate"` // from 1
	Block     string  `json:"block,omitempty"`
}

// A Verdict says how a trial ended.
type Verdict string

// Completed trials are measured; failed ones are the subject's own outcome, data that is reported as
// censored; invalid ones are our fault and are retried; interrupted ones were cut off by the user.
const (
	Completed   Verdict = "completed"
	Failed      Verdict = "failed"
	Invalid     Verdict = "invalid"
	Interrupted Verdict = "interrupted"
)

// Untold stands for the verdict of a trial of which it cannot be read how it ended. No attempt ends with it, and no file has it.
const Untold Verdict = "unknown"

// Told reports whether it is one of the verdicts that attempts end with.
func (v Verdict) Told() bool {
	return v == Completed || v == Failed || v == Invalid || v == Interrupted
}

// Final reports whether a trial with this verdict is not run again on resume.
func (v Verdict) Final() bool { return v == Completed || v == Failed }

// An Outcome is what came of one attempt at a trial.
type Outcome struct {
	Trial    Trial         `json:"trial"`
	Attempt  int           `json:"attempt"` // from 1
	Verdict  Verdict       `json:"verdict"`
	Reason   string        `json:"reason,omitempty"`   // why it is not completed
	Warnings []string      `json:"warnings,omitempty"` // what a reader must know beside the numbers
	Begin    time.Time     `json:"begin"`
	End      time.Time     `json:"end"`
	Facts    []Fact        `json:"facts,omitempty"` // what was found only at run time, such as the accelerator
	Overhead time.Duration `json:"overhead_ns"`     // wall time outside boot, warm-up, baseline, action and quiesce; negative if it is not known
	Dropped  int64         `json:"dropped"`         // records that could not be kept
}

// A Fact is one thing found out about the machine or a host.
type Fact struct {
	Subject string `json:"subject"` // "machine", a host or a tool
	Name    string `json:"name"`
	Value   string `json:"value"`
}
