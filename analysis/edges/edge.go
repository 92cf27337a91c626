// Package edges holds the instants at which something began or ended, the spans between them, and the records of a trial in
// which they are found. Every instant carries its error, and every time between two of them is a quantity with bounds.
package edges

import (
	"fmt"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// An Edge is an instant at which a span begins or ends.
type Edge struct {
	Time  int64         `json:"t"`        // ns since the Unix epoch, controller's clock
	Stamp time.Duration `json:"stamp_ns"` // error bound of the stamp itself
	Clock time.Duration `json:"clock_ns"` // error bound of the offset of Host's clock; it cancels between edges of one host
	Host  string        `json:"host"`
	What  string        `json:"what"` // the record that set it
	// Early is by how much the truth may be earlier than Time, beside Stamp: what was seen came with a delay.
	Early time.Duration `json:"early_ns,omitempty"`
}

// Bound is the edge's whole error: the truth is within Bound of Time.
func (e Edge) Bound() time.Duration { return e.Stamp + e.Clock + e.Early }

// QMPStamp is the error of a hypervisor's own stamp. QEMU cuts the time to whole µs (g_get_real_time), so the truth is
// up to 1 µs later.
const QMPStamp = time.Microsecond

// Between is the time from a to b in s, with its error. The clock's offset cancels on one host.
func Between(a, b Edge) quantity.Quantity {
	slack := a.Stamp + b.Stamp
	if a.Host != b.Host {
		slack += a.Clock + b.Clock
	}
	less, more := slack+b.Early, slack+a.Early
	d := b.Time - a.Time
	if d < 0 && d+int64(more) < 0 {
		return quantity.Unknown(results.Seconds, fmt.Sprintf("%s is stamped %v after %s, which the clocks' error of %v cannot explain: check the clock offsets", a.What, time.Duration(-d), b.What, more))
	}
	return quantity.Within(seconds(max(0, d)), seconds(max(0, d-int64(less))), seconds(d+int64(more)), results.Seconds)
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
