package timeline

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Names of the metrics of the decoded packets. A difference is the packets' figure less the hypervisor's.
const (
	WireRounds         = "wire.rounds"                  // 1: rounds in which pages passed while the guest ran at the source
	WirePagesNormal    = "wire.pages.normal"            // 1: pages sent whole, in the main channel or multifd's
	WirePagesZero      = "wire.pages.zero"              // 1
	WirePagesTotal     = "wire.pages.total"             // 1: page records of all kinds
	WireSyncs          = "wire.syncs"                   // 1: bitmap synchronisations that the stream implies
	WireBytes          = "wire.bytes"                   // B: distinct TCP payload from source to destination, over all channels
	WireDowntime       = "wire.downtime"                // s: from the guest's stop to its start, as packets show them
	WireStopError      = "wire.stop.error"              // s: stop as packets show it less QMP STOP
	WireResumeError    = "wire.resume.error"            // s: start at the destination as packets show it less QMP RESUME
	WireNormalDiffers  = "wire.pages.normal.difference" // 1
	WireZeroDiffers    = "wire.pages.zero.difference"   // 1
	WirePagesDiffer    = "wire.pages.total.difference"  // 1: of pages sent whole and zero pages
	WireSyncsDiffer    = "wire.syncs.difference"        // 1
	WireRoundsDiffer   = "wire.rounds.difference"       // 1
	WireBytesDiffer    = "wire.bytes.difference"        // B: device state and headers are in it
	WireDowntimeDiffer = "wire.downtime.difference"     // s
)

// measureWire adds the metrics of the decoded packets.
func (t *Timeline) measureWire(add func(string, quantity.Quantity)) {
	for _, d := range []struct {
		name       string
		unit       results.Unit
		comparison string
		part       func(Comparison) quantity.Quantity
	}{
		{WireRounds, results.One, CompareRounds, wirePart},
		{WirePagesNormal, results.One, CompareNormal, wirePart},
		{WirePagesZero, results.One, CompareZero, wirePart},
		{WirePagesTotal, results.One, "", nil},
		{WireSyncs, results.One, CompareSyncs, wirePart},
		{WireBytes, results.Bytes, CompareBytes, wirePart},
		{WireDowntime, results.Seconds, CompareDowntime, wirePart},
		{WireStopError, results.Seconds, CompareStop, differencePart},
		{WireResumeError, results.Seconds, CompareResume, differencePart},
		{WireNormalDiffers, results.One, CompareNormal, differencePart},
		{WireZeroDiffers, results.One, CompareZero, differencePart},
		{WirePagesDiffer, results.One, ComparePages, differencePart},
		{WireSyncsDiffer, results.One, CompareSyncs, differencePart},
		{WireRoundsDiffer, results.One, CompareRounds, differencePart},
		{WireBytesDiffer, results.Bytes, CompareBytes, differencePart},
		{WireDowntimeDiffer, results.Seconds, CompareDowntime, differencePart},
	} {
		switch {
		case t.Wire == nil:
			add(d.name, quantity.Unknown(d.unit, t.WireMissing))
		case d.part == nil:
			add(d.name, t.Wire.Total)
		default:
			add(d.name, d.part(t.Comparison(d.comparison)))
		}
	}
}

func wirePart(c Comparison) quantity.Quantity       { return c.Wire }
func differencePart(c Comparison) quantity.Quantity { return c.Difference }

// Comparison returns a comparison by name; one of unknowns if the trial has none of that name.
func (t *Timeline) Comparison(name string) Comparison {
	for _, c := range t.Comparisons {
		if c.Name == name {
			return c
		}
	}
	why := quantity.Unknown(results.One, "this trial has no such comparison")
	return Comparison{Name: name, Wire: why, Hypervisor: why, Difference: why}
}
