package timeline

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Names of the metrics of post-copy's page requests as the packets show them; present with PostCopyTime.
const (
	WirePagesRequested = "wire.pages.requested" // 1: pages that the destination asked for
	WireFault50        = "wire.fault.p50"       // s: from a page's request to its last byte on the wire, the median
	WireFault99        = "wire.fault.p99"       // s
	WireFaultMax       = "wire.fault.max"       // s
)

// measureRequests adds what the packets show of page requests.
func (t *Timeline) measureRequests(add func(string, quantity.Quantity)) {
	requests := quantity.Unknown(results.One, t.WireMissing)
	fault := func(string) quantity.Quantity { return quantity.Unknown(results.Seconds, t.WireMissing) }
	if t.Wire != nil {
		requests = quantity.Unknown(results.One, "no page request was recorded")
		fault = func(string) quantity.Quantity {
			return quantity.Unknown(results.Seconds, "no page was sent that had been asked for")
		}
	}
	if t.Wire != nil && t.Wire.PostCopy != nil {
		p := t.Wire.PostCopy
		requests = p.Requests
		none := fault("")
		fault = func(stat string) quantity.Quantity {
			if q, ok := p.Faults[stat]; ok && p.Faults["count"].Value > 0 {
				return q
			}
			return none
		}
	}
	add(WirePagesRequested, requests)
	add(WireFault50, fault("p50"))
	add(WireFault99, fault("p99"))
	add(WireFaultMax, fault("max"))
}
