package convergence

import (
	"virtscope/analysis/quantity"
)

// Limits are what the experiment set. A zero value is: none, or not known.
type Limits struct {
	DowntimeLimit     float64 `json:"downtime_limit,omitempty"`     // s that the source may plan to stop the guest for
	MaxBandwidth      float64 `json:"max_bandwidth,omitempty"`      // B/s that the hypervisor may use
	PostCopyBandwidth float64 `json:"postcopy_bandwidth,omitempty"` // B/s that it may use in post-copy
	Link              float64 `json:"link,omitempty"`               // B/s of frames on the slowest link that the migration takes
	WorkingSet        float64 `json:"working_set,omitempty"`        // B that the workload writes to
	// Compressed: fewer bytes pass for a page than it has.
	Compressed bool `json:"compressed,omitempty"`
}

// An Input is what was measured of one migration.
type Input struct {
	Algorithm string // one of results.Algorithm…; "" is pre-copy
	Limits    Limits
	Rounds    []Measured // of pre-copy, in order
	// Switched: the migration turned to post-copy. StoppedFirst: the guest was stopped before anything was sent.
	Switched, StoppedFirst bool
	// Held: the guest was stopped on purpose in the middle of the last round, and the rest copied.
	Held      bool
	Completed bool
	// Ended says in words how a migration ended that did not complete; OnPurpose: it was broken off on purpose.
	Ended     string
	OnPurpose bool

	Switch    quantity.Quantity // s of pre-copy before the guest was stopped
	Left      quantity.Quantity // B that the hypervisor had left when the guest was stopped
	Resident  quantity.Quantity // B: memory without the pages that were sent as zero
	State     quantity.Quantity // B of device state
	DirtyRate quantity.Quantity // B/s that the workload wrote in the baseline
	LinkRate  quantity.Quantity // B/s while memory was sent
	// PreRate and PostRate are its parts before and after the switch to post-copy, where it turned to that.
	PreRate, PostRate quantity.Quantity
	// Beside names what else passed the migration's link meanwhile, and is in no rate.
	Beside    []string
	Threads   []Thread          // the source's migration threads while memory was sent
	NoThreads string            // why there are none
	Throttle  quantity.Quantity // 1: share of CPU time taken from the guest, in the last sample that told it
	Requests  quantity.Quantity // 1: pages that the destination asked for
	Total     quantity.Quantity // s, measured
	Downtime  quantity.Quantity // s, measured
}

// A Measured round.
type Measured struct {
	N        int
	Duration quantity.Quantity // s
	LinkRate quantity.Quantity // B/s
	Sent     quantity.Quantity // B
	Pages    quantity.Quantity // B: pages that were sent, whole or as zero, each for as long as it is
	Left     quantity.Quantity // B to be sent as it begins
	After    quantity.Quantity // B to be sent as the next synchronisation has found
	Reported quantity.Quantity // B/s: the hypervisor's own dirty rate at its end
	CPU      quantity.Quantity // 1: the busiest migration thread's share of one core
}

// A Thread is one of the source's.
type Thread struct {
	Name  string            `json:"name"`
	Share quantity.Quantity `json:"share"` // of one core
}

// An Analysis is the outcome.
type Analysis struct {
	Answer      string       `json:"answer"`
	Rounds      []Round      `json:"rounds,omitempty"`
	Bottleneck  string       `json:"bottleneck"` // one of the Bottleneck constants
	Evidence    string       `json:"evidence"`   // for it, in words
	Findings    []Finding    `json:"findings"`   // all rules
	Predictions []Prediction `json:"predictions,omitempty"`
	// Unpredicted says why there is no prediction, or none by some model.
	Unpredicted []string `json:"unpredicted,omitempty"`
}

// Analyse draws the conclusions.
func Analyse(in Input) *Analysis {
	a, in := &Analysis{}, in.whole()
	for i := range in.Rounds {
		a.Rounds = append(a.Rounds, in.round(i))
	}
	a.Findings = in.findings(a.Rounds)
	a.Bottleneck, a.Evidence = name(a.Findings)
	a.predict(in)
	a.Answer = in.answer(a)
	return a
}
