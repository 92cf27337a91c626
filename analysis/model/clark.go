package model

import (
	"fmt"
	"math"
)

// A Clark is pre-copy down to the writable working set: Clark, Fraser, Hand, Hansen, Jul, Limpach, Pratt and Warfield (Live
// migration of virtual machines, NSDI 2005, section 4). Pages that are written faster than they can be sent are not worth
// sending while the guest runs: pre-copy pays until they are all that is left, and the stop-and-copy then sends them.
type Clark struct {
	Memory     float64 // B, above 0
	LinkRate   float64 // B/s, above 0
	DirtyRate  float64 // B/s, at least 0: a round dirties it times its length
	WorkingSet float64 // B, above 0: the most that a round dirties
}

// Predict walks through the rounds until one leaves as much as the one before did, within 1 %, or nothing: further rounds do not
// pay. Its downtime is therefore the least that rounds can reach, whatever limit was asked for.
func (c Clark) Predict() (Prediction, error) {
	if err := positive("by Clark", map[string]float64{"memory": c.Memory, "link rate": c.LinkRate, "working set": c.WorkingSet}); err != nil {
		return Prediction{}, err
	}
	if !(c.DirtyRate >= 0) || math.IsInf(c.DirtyRate, 1) {
		return Prediction{}, fmt.Errorf("predict by Clark: dirty rate is %g: it must be known and not be negative", c.DirtyRate)
	}
	set := min(c.WorkingSet, c.Memory)
	out := Prediction{Converges: true}
	for volume := c.Memory; ; {
		out.Rounds++
		out.Bytes += volume
		rest := min(c.DirtyRate*volume/c.LinkRate, set)
		next := min(c.DirtyRate*rest/c.LinkRate, set)
		if next >= 0.99*rest || rest < 4096 || out.Rounds >= manyRounds {
			out.Bytes += rest
			out.Downtime = rest / c.LinkRate
			out.Total = out.Bytes / c.LinkRate
			return out, nil
		}
		volume = rest
	}
}
