package model

import (
	"fmt"
	"math"
)

// A Stop says when a hypervisor ends pre-copy and stops the guest: as soon as one of its rules holds. A zero field is no rule.
type Stop struct {
	Downtime float64 // s: what is left can be sent within it
	Least    float64 // B: no more than this was dirtied in the last round
	Rounds   int     // so many rounds were sent
	Factor   float64 // more than Factor times the memory was sent
}

// Xen is when Xen stops the guest, as Akoush et al. (MASCOTS 2010, section II) describe it and as xc_domain_save had it: fewer
// than 50 pages were dirtied in the last round, or 29 rounds were sent, or more than three times the guest's memory.
var Xen = Stop{Least: 50 * 4096, Rounds: 29, Factor: 3}

// QEMU stops the guest once what is left can be sent within downtime-limit, in s (migration_iteration_run in
// migration/migration.c), and goes on for as long as it takes.
func QEMU(downtimeLimit float64) Stop { return Stop{Downtime: downtimeLimit} }

// holds reports whether the guest is stopped after n rounds, the last of which left rest B of memory B, at rate B/s.
func (s Stop) holds(n int, sent, rest, memory, rate float64) bool {
	return s.Downtime > 0 && rest <= rate*s.Downtime ||
		s.Least > 0 && rest <= s.Least ||
		s.Rounds > 0 && n >= s.Rounds ||
		s.Factor > 0 && sent > s.Factor*memory
}

// walk goes through the rounds: V₁ = memory, Vᵢ₊₁ = dirtied(Vᵢ/rate), until stop holds. What is left then is sent while the
// guest is stopped. It gives up on rounds that do not shrink where no rule bounds their number.
func walk(memory, rate float64, dirtied func(seconds float64) float64, stop Stop) Prediction {
	var out Prediction
	bounded := stop.Rounds > 0 || stop.Factor > 0
	for volume := memory; out.Rounds < manyRounds; {
		out.Rounds++
		out.Bytes += volume
		rest := min(dirtied(volume/rate), memory)
		if rest == 0 || stop.holds(out.Rounds, out.Bytes, rest, memory, rate) {
			out.Converges = true
			out.Downtime = rest / rate
			out.Bytes += rest
			break
		}
		if rest >= volume && !bounded {
			out.Why = "a round leaves as much as it began with, and that cannot be sent within the downtime limit"
			break
		}
		volume = rest
	}
	if !out.Converges && out.Why == "" {
		out.Why = fmt.Sprintf("the rounds do not end within %d", manyRounds)
	}
	out.Total = out.Bytes / rate
	return out
}

// positive checks that values are finite and above 0.
func positive(model string, values map[string]float64) error {
	for name, v := range values {
		if !(v > 0) || math.IsInf(v, 1) {
			return fmt.Errorf("predict %s: %s is %g: it must be known and above 0", model, name, v)
		}
	}
	return nil
}
