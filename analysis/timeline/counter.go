package timeline

import (
	"math"
	"strconv"
	"virtscope/results"
)

// A sample is one reading of a cumulative counter.
type sample struct {
	at    int64
	value float64
}

// grown is how much a counter grew between two times.
//
// The value interpolates between the readings on either side of each edge; the bounds take the readings themselves.
// A counter that has no reading before from is taken to start at 0 with its first reading known only from above:
// processes are sampled from their birth on. After the last reading, rate is the most that it may have grown per second.
func grown(list []sample, from, to int64, rate float64) (value, low, high float64) {
	value = at(list, to) - at(list, from)
	lowFrom, highFrom := around(list, from)
	lowTo, highTo := around(list, to)
	if last := list[len(list)-1]; last.at < to {
		highTo = last.value + rate*seconds(to-last.at)
	}
	return max(0, value), max(0, lowTo-highFrom), max(0, highTo-lowFrom)
}

// at interpolates linearly; outside the readings it is the nearest one.
func at(list []sample, t int64) float64 {
	i := search(list, t)
	if i == 0 {
		return list[0].value
	}
	if i == len(list) {
		return list[i-1].value
	}
	a, b := list[i-1], list[i]
	if b.at == a.at {
		return b.value
	}
	return a.value + (b.value-a.value)*float64(t-a.at)/float64(b.at-a.at)
}

// around is the readings before and after t.
func around(list []sample, t int64) (before, after float64) {
	i := search(list, t)
	switch {
	case i == 0:
		return 0, list[0].value
	case i == len(list):
		return list[i-1].value, list[i-1].value
	}
	return list[i-1].value, list[i].value
}

// search is the index of the first reading at or after t.
func search(list []sample, t int64) int {
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if list[mid].at < t {
			lo = mid + 1
			continue
		}
		hi = mid
	}
	return lo
}

// counters groups the readings of a name by key; a record whose key is "" is left out.
func (x *index) counters(name string, key func(results.Record) string) map[string][]sample {
	groups := map[string][]sample{}
	for _, r := range x.byName[name] {
		if k := key(r); k != "" {
			groups[k] = append(groups[k], sample{r.Time, r.Value})
		}
	}
	return groups
}

// attrSeconds is an attribute that holds s; 0 if it does not.
func attrSeconds(r results.Record, name string) float64 {
	v, err := strconv.ParseFloat(r.Attrs[name], 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > maxOffset {
		return 0
	}
	return v
}
