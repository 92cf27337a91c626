package probes

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// An Offset is a host's CLOCK_REALTIME minus the controller's. The true value is within Bound of it.
type Offset struct {
	Value time.Duration
	Bound time.Duration // never negative
}

// SameKernel is the offset of a host that is a namespace of this machine: it reads the controller's own
// clock (no Linux namespace virtualizes CLOCK_REALTIME, see time_namespaces(7)), so the offset is zero and so
// is its bound, by construction.
func SameKernel() Offset { return Offset{} }

// Record is the offset of host as a record of the controller.
func (o Offset) Record(controller, source, host string, at time.Time) results.Record {
	return results.Record{
		Time: at.UnixNano(), Host: controller, Source: source, Name: results.ClockOffset,
		Value: o.Value.Seconds(), Unit: results.Seconds,
		Attrs: map[string]string{"host": host, "bound": strconv.FormatFloat(o.Bound.Seconds(), 'g', -1, 64)},
	}
}

// An Exchange is one question and its answer, in ns since the Unix epoch: NTP's four timestamps
// (RFC 5905, section 8).
type Exchange struct {
	Sent     int64 // controller's clock
	Received int64 // host's clock
	Answered int64 // host's clock
	Returned int64 // controller's clock
}

// delay is the time on the way, both ways together, in ns.
func (e Exchange) delay() int64 { return e.Returned - e.Sent - (e.Answered - e.Received) }

// Estimate is the offset that the exchange with the shortest delay shows: θ = ((t2−t1) + (t3−t4)) / 2
// (RFC 5905, section 8). Whatever share of the delay each way took, the error is at most half of it.
// Exchanges whose delay is negative (a clock was stepped, or they lie) are an error.
func Estimate(exchanges []Exchange) (Offset, error) {
	if len(exchanges) == 0 {
		return Offset{}, errors.New("estimate clock offset: no exchange was answered")
	}
	best, shortest := Offset{}, int64(math.MaxInt64)
	for i, e := range exchanges {
		d := e.delay()
		if d < 0 || e.Returned < e.Sent || e.Answered < e.Received {
			return Offset{}, fmt.Errorf("estimate clock offset: exchange %d ends before it begins: a clock was stepped", i)
		}
		if d >= shortest {
			continue
		}
		shortest = d
		// The halves are taken apart so that the sum of two large differences cannot overflow.
		theta := (e.Received-e.Sent)/2 + (e.Answered-e.Returned)/2
		best = Offset{Value: time.Duration(theta), Bound: time.Duration(d/2 + 2)} // + 2 ns: integer division
	}
	return best, nil
}

// StepTolerance is the least step of the wall clock that a StepDetector reports.
const StepTolerance = time.Millisecond

// A StepDetector notices when the wall clock is set while a probe runs. CLOCK_REALTIME and CLOCK_MONOTONIC
// are slewed together (clock_gettime(2)); only a step moves one against the other. It is not safe for
// concurrent use.
type StepDetector struct{ base lead }

// NewStepDetector remembers how the clocks stand now.
func NewStepDetector() *StepDetector { return &StepDetector{base: readLead()} }

// Check is an error if the wall clock was stepped since the detector was made, or since the last error.
func (d *StepDetector) Check() error {
	now := readLead()
	step := now.value - d.base.value
	if step.Abs() < StepTolerance+now.bound+d.base.bound {
		return nil
	}
	d.base = now
	return fmt.Errorf("measure time: the wall clock was stepped by %v: let the time daemon slew it, not step it, while a trial runs", step)
}

// A lead is CLOCK_REALTIME − CLOCK_MONOTONIC and by how much it may be wrong.
type lead struct{ value, bound time.Duration }

// readLead reads the clocks a few times: being scheduled away between two readings would look like a step,
// so the pair that was read in the shortest time counts.
func readLead() lead {
	best := lead{bound: math.MaxInt64}
	for range 5 {
		before, wall, after := read(unix.CLOCK_MONOTONIC), read(unix.CLOCK_REALTIME), read(unix.CLOCK_MONOTONIC)
		if gap := time.Duration(after - before); gap < best.bound {
			best = lead{value: time.Duration(wall - before), bound: gap}
		}
		if best.bound < 10*time.Microsecond {
			break
		}
	}
	return best
}

// read is a clock's time in ns. The clocks used here exist on every Linux.
func read(clock int32) int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(clock, &ts)
	return ts.Nano()
}
