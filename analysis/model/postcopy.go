package model

import (
	"fmt"
	"math"
)

// A PostCopy is what Hines, Deshpande and Gopalan (Post-copy live migration of virtual machines, ACM SIGOPS OSR 43(3), 2009,
// sections 3 and 4) say of post-copy: the guest is stopped for its device state alone, and every page that it has, and has not
// sent before, passes once.
type PostCopy struct {
	Resident  float64 // B of pages that hold anything, above 0
	LinkRate  float64 // B/s, above 0
	State     float64 // B of device state, at least 0
	DirtyRate float64 // B/s, at least 0: only before the switch
	// WorkingSet is the most that a round dirties, and that the guest may ask for, in B; 0 is all of Resident.
	WorkingSet float64
	Switch     float64 // s of pre-copy before the switch; 0 is none
}

// Faults bounds how many pages the guest asks for: none, if all are there before it touches them, to each page of its working
// set once.
type Faults struct{ Least, Most float64 }

// Predict is (what the rounds sent + what is left + state) / rate, and a downtime of state / rate. A round that the switch cuts
// short leaves what it had not sent, and what was dirtied since it began.
func (p PostCopy) Predict() (Prediction, Faults, error) {
	if err := positive("post-copy", map[string]float64{"resident memory": p.Resident, "link rate": p.LinkRate}); err != nil {
		return Prediction{}, Faults{}, err
	}
	for name, v := range map[string]float64{"device state": p.State, "dirty rate": p.DirtyRate, "working set": p.WorkingSet, "time of the switch": p.Switch} {
		if !(v >= 0) || math.IsInf(v, 1) {
			return Prediction{}, Faults{}, fmt.Errorf("predict post-copy: %s is %g: it must be known and not be negative", name, v)
		}
	}
	set := p.WorkingSet
	if set == 0 {
		set = p.Resident
	}
	out := Prediction{Converges: true}
	left := p.Resident
	for rest := p.Switch; rest > 0 && left > 0 && out.Rounds < manyRounds; {
		out.Rounds++
		length := min(left/p.LinkRate, rest)
		sent := length * p.LinkRate
		out.Bytes += sent
		left = min(left-sent+min(p.DirtyRate*length, set), p.Resident)
		rest -= length
	}
	out.Bytes += left + p.State
	out.Total = out.Bytes / p.LinkRate
	out.Downtime = p.State / p.LinkRate
	return out, Faults{Most: math.Ceil(min(set, left) / page)}, nil
}

// page is the size of a page in B (x86 guests).
const page = 4096

// StopAndCopy is the baseline of all: the guest is stopped, and memory B pass at rate B/s.
func StopAndCopy(memory, rate float64) (Prediction, error) {
	if err := positive("stop-and-copy", map[string]float64{"memory": memory, "link rate": rate}); err != nil {
		return Prediction{}, err
	}
	return Prediction{Converges: true, Bytes: memory, Total: memory / rate, Downtime: memory / rate}, nil
}
