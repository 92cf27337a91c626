package timeline

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"virtscope/results"
)

// A Clock is how a host's clock stood to the controller's during the trial.
//
// The offset is measured before and after a trial. Offset and Bound cover all measurements and their own bounds, so
// they hold for any drift that stays between them. One offset for the whole trial keeps differences on one host exact.
type Clock struct {
	Host     string        `json:"host"`
	Offset   time.Duration `json:"offset_ns"` // host minus controller
	Bound    time.Duration `json:"bound_ns"`  // the true offset is within Bound of Offset
	Measured bool          `json:"measured"`  // false: taken to be the controller's own clock
}

// maxOffset bounds what is believed of a clock, in s: 30 years.
const maxOffset = 1e9

// readClocks finds each host's clock. A record that makes no sense is an error.
func readClocks(records []results.Record) (map[string]Clock, error) {
	type hull struct{ low, high float64 }
	hulls := map[string]hull{}
	for i := range records {
		r := &records[i]
		if r.Name != results.ClockOffset {
			continue
		}
		bound, err := strconv.ParseFloat(r.Attrs["bound"], 64)
		if err != nil || !(bound >= 0 && bound <= maxOffset) || math.Abs(r.Value) > maxOffset {
			return nil, fmt.Errorf("read clock offset of %q: offset %v s, bound %q: want seconds below %g", r.Attrs["host"], r.Value, r.Attrs["bound"], float64(maxOffset))
		}
		h, ok := hulls[r.Attrs["host"]]
		if !ok {
			h = hull{math.Inf(1), math.Inf(-1)}
		}
		hulls[r.Attrs["host"]] = hull{min(h.low, r.Value-bound), max(h.high, r.Value+bound)}
	}
	clocks := map[string]Clock{}
	for host, h := range hulls {
		mid := (h.low + h.high) / 2
		clocks[host] = Clock{
			Host: host, Measured: true,
			Offset: time.Duration(math.Round(mid * 1e9)), Bound: time.Duration(math.Ceil((h.high - h.low) / 2 * 1e9)),
		}
	}
	for i := range records {
		if h := records[i].Host; clocks[h].Host == "" {
			clocks[h] = Clock{Host: h}
		}
	}
	return clocks, nil
}

func sortedClocks(clocks map[string]Clock) []Clock {
	var list []Clock
	for _, c := range clocks {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Clock) int { return strings.Compare(a.Host, b.Host) })
	return list
}

// clockNotes says what is assumed of clocks that nobody measured.
func clockNotes(clocks []Clock, controller string) (notes, warnings []string) {
	var measured int
	var missing []string
	for _, c := range clocks {
		switch {
		case c.Measured:
			measured++
		case c.Host != controller:
			missing = append(missing, strconv.Quote(c.Host))
		}
	}
	switch {
	case measured == 0:
		return []string{"no clock offset was recorded: all hosts are taken to read one clock"}, nil
	case len(missing) > 0:
		return nil, []string{fmt.Sprintf("the clock of %v was not measured: it is taken to be the controller's, and its error is not in the bounds", missing)}
	}
	return nil, nil
}
