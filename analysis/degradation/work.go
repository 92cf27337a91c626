package degradation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// workBin is the least width of the bins of work, in ns: the guest tells its progress each tenth of a second, but of redis
// each second.
const workBin = int64(200e6)

// silence is for how long the guest may say nothing at the end of the span without that being a hole, in ns.
const silence = int64(500e6)

const kindDirty = "dirty"

// A work is what the guest says of one kind of work.
type work struct {
	kind  string
	ops   []reading
	bytes []reading
	asked []reading
	error string
}

// works finds the kinds of work.
func works(records []results.Record, w Windows) []Service {
	kinds := map[string]*work{}
	of := func(kind string) *work {
		if kinds[kind] == nil {
			kinds[kind] = &work{kind: kind}
		}
		return kinds[kind]
	}
	var times []results.Record
	for _, r := range records {
		switch r.Name {
		case results.GuestDirtied:
			of(kindDirty).bytes = append(of(kindDirty).bytes, read(r, r.Value))
		case results.GuestAsked:
			of(kindDirty).asked = append(of(kindDirty).asked, read(r, r.Value))
		case results.GuestWork:
			x := of(r.Attrs["kind"])
			x.ops = append(x.ops, read(r, r.Value))
			if n, ok := number(r.Attrs["bytes"]); ok {
				x.bytes = append(x.bytes, read(r, n))
			}
			if r.Attrs["error"] != "" {
				x.error = r.Attrs["error"]
			}
		case results.GuestDiskTimes:
			times = append(times, r)
		}
	}
	var list []Service
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if x := kinds[kind]; x.works() {
			s := x.service(w)
			if kind == kindDisk {
				s.Writes = writes(times, w)
			}
			list = append(list, s)
		}
	}
	return list
}

// kindDisk is the kind of work that writes the disk.
const kindDisk = "disk"

func read(r results.Record, value float64) reading {
	x := reading{at: r.Time, mono: -1, value: value, late: -1}
	if n, err := strconv.ParseInt(r.Attrs["mono"], 10, 64); err == nil && n >= 0 && n < maxTime {
		x.mono = n
	}
	if v, ok := number(r.Attrs["late"]); ok {
		x.late = v
	}
	return x
}

// works reports whether it ever did anything: an idle guest reports that it dirtied nothing.
func (x *work) works() bool {
	some := func(list []reading) bool {
		return slices.ContainsFunc(list, func(r reading) bool { return r.value > 0 })
	}
	return some(x.ops) || some(x.bytes) || some(x.asked)
}

// service measures one kind of work.
func (x *work) service(w Windows) Service {
	s := Service{Name: "work." + x.kind, Kind: x.kind, Unit: PerSecond}
	list := x.ops
	if x.kind == kindDirty || x.kind == kindDisk || x.kind == "net" && !slices.ContainsFunc(x.ops, func(r reading) bool { return r.value > 0 }) {
		list, s.Unit = x.bytes, results.BytesPerSecond
	}
	c, ok := newCounter(list, w)
	t := &track{unit: s.Unit, w: w, slack: c.slack}
	if ok {
		t.bins = c.bins(w)
		if c.coarse {
			t.between = c.between
		}
	} else {
		s.Warnings = append(s.Warnings, s.Name+": the guest's counter ran backwards: nothing is made of it")
	}
	s.measure(t, max(silence, c.width+tenth))
	s.KeptUp = x.keptUp(t, list)
	s.Series = series(t, nil)
	if len(x.asked) == 0 {
		s.warnKeptUp() // else the timeline does, which also knows of baselines that are too short for this
	}
	if x.error != "" {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: it ended by itself: %s", s.Name, x.error))
	}
	return s
}

// keptUp is what was done in the baseline of what was asked for: of what the guest says that it should have written, or
// else by how much it fell behind its rate.
func (x *work) keptUp(t *track, list []reading) quantity.Quantity {
	const u = results.One
	if t.why != "" {
		return quantity.Unknown(u, t.why)
	}
	first, last, ok := ends(list, t.w.Baseline)
	if !ok {
		return quantity.Unknown(u, "the guest reported no progress in the baseline")
	}
	if from, to, ok := ends(x.asked, t.w.Baseline); ok && to.value > from.value {
		return quantity.Exactly((last.value-first.value)/(to.value-from.value), u)
	}
	if first.late < 0 || last.late < 0 {
		return quantity.Unknown(u, "no rate was asked for")
	}
	long := seconds(last.at - first.at)
	return quantity.Exactly(min(1, max(0, 1-(last.late-first.late)/long)), u)
}

// ends are the first and the last reading in a window.
func ends(list []reading, w Window) (first, last reading, ok bool) {
	for _, r := range list {
		if r.at < w.From || r.at >= w.To {
			continue
		}
		if !ok || r.at < first.at {
			first = r
		}
		if !ok || r.at > last.at {
			last = r
		}
		ok = true
	}
	return first, last, ok && last.at > first.at
}
