package influx

import (
	"cmp"
	"slices"
	"strings"
	"virtscope/results"
)

// DefaultSeriesLimit is how many series a run may make unless it is told otherwise. InfluxDB 1.x keeps an index of all series of a database in memory.
const DefaultSeriesLimit = 100_000

// A Plan is what bounds how many series a run makes.
type Plan struct {
	Treatments int    // combinations of the factors' levels that run
	Hosts      int    // hosts of guests
	Guests     int    // at most, in a trial
	Action     string // migrate, boot, checkpoint, recover or jobs; "" is any
	VCPUs      int    // of a guest
	Channels   int    // connections of a migration beside the first
}

// An Estimate is an upper bound of the series that a run makes.
//
// Its reasoning: the tags run and experiment have one value, and those of all factors together as many as there are treatments, since a factor's level
// follows from the treatment. So a measurement has at most: treatments × those who observe it × the product of the values of its other tags, and as many
// again for records that come late, where one observer does not record all of a series in order. Nothing is counted for a clock that is set back between two trials (tag again), nor for a trial that forgets its late
// records: more than 131,072 of them.
type Estimate struct {
	Series int
	Parts  []Part // the largest first
}

// A Part is an estimate of one measurement.
type Part struct {
	Measurement string
	Series      int
}

// EstimateSeries estimates the series of a run: of all its plans together, if treatments differ in more than their number.
func EstimateSeries(plans ...Plan) Estimate {
	counts := map[string]int{MeasurementRun: len(RunFiles)}
	for _, p := range plans {
		p.Treatments, p.Hosts, p.Guests = max(1, p.Treatments), max(2, p.Hosts), max(1, p.Guests)
		for _, m := range measurements {
			if m.of(p.Action) {
				counts[m.Name] += p.Treatments * p.series(m)
			}
		}
		counts[MeasurementAnnotation] += p.Treatments * (phases + views + rounds)
		counts[MeasurementTrial] += p.Treatments
	}
	var e Estimate
	for name, n := range counts {
		e.Series += n
		e.Parts = append(e.Parts, Part{name, n})
	}
	slices.SortFunc(e.Parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Series, a.Series), cmp.Compare(a.Measurement, b.Measurement))
	})
	return e
}

// series are those of a measurement in one treatment.
func (p Plan) series(m Measurement) int {
	n := p.streams(m.where)
	for a := range strings.FieldsSeq(m.Attributes) {
		if attributes[a].form == asTag {
			n *= p.values(m.Name, a)
		}
	}
	if m.where.mixed() {
		n *= 2
	}
	return n
}

// Names that the tag phase of annotations has at most, by kind.
const (
	phases = 40 // of all actions together
	views  = 5  // of an outage
	rounds = 1
)

// of reports whether trials with an action record the measurement.
func (m Measurement) of(action string) bool {
	bit, ok := map[string]int{"migrate": migrate, "boot": boot, "checkpoint": checkpoint, "recover": recovery, "jobs": jobs}[action]
	return !ok || m.actions&bit != 0
}

// mixed reports whether a series may hold records out of order: what is seen in frames and by clients is told when it is over, and time is its begin.
func (w where) mixed() bool {
	return w == once || w == perClient || w == perCapture || w == perCaptureGuest || w == perRunner
}

// streams are how many observe a measurement, and of how many guests.
func (p Plan) streams(w where) int {
	const others = 2 // the client's host and the image server's
	switch w {
	case perNode:
		return p.Hosts + others
	case perHost:
		return p.Hosts
	case perGuest:
		return p.Guests
	case perGuestHost:
		return p.places()
	case perInit:
		return p.places() * 2
	case perCapture:
		return p.Hosts + 1
	case perCaptureGuest:
		return (p.Hosts + 1) * p.Guests
	case perProbe:
		const kinds = 12 // echo, usage, energy, wire, ready, and the clients of loads
		return p.Hosts + 1 + kinds
	default:
		return 1
	}
}

// places are the pairs of a guest and a host on which it may run. Guests that are booted go to the hosts in turn, so that each has its own; and a host may
// have one that others are cloned from.
func (p Plan) places() int {
	if p.Action == "boot" {
		return p.Guests + p.Hosts
	}
	return p.Guests * p.Hosts
}

// tagValues are how many values a tag has at most, where neither the plan nor the measurement says less.
var tagValues = map[string]int{
	"action": 1, "cause": 3, "dir": 2, "direction": 2, "domain": 8, "flow": 5, "kind": 6, "port": 2, "link": 2, "mode": 8, "of": 3, "outcome": 3, "process": 2, "resource": 3,
	"stage": 8, "stat": 7, "state": 8, "status": 16, "test": 2, "thread": 24, "trigger": 3,
}

// oneValue are the tags that an experiment sets to one value a treatment.
var oneValue = map[string]string{
	results.ActionBegin: "mode action", results.ActionEnd: "mode action", results.CheckpointBegin: "mode", results.WireBytes: "kind",
}

// values are how many a tag of a measurement has.
func (p Plan) values(measurement, tag string) int {
	switch {
	case slices.Contains(strings.Fields(oneValue[measurement]), tag):
		return 1
	case tag == "channel":
		const more = 2 // preempt, and a disk's
		return 1 + p.Channels + more
	case tag == "port" && strings.HasPrefix(measurement, "wire."):
		return p.Hosts + 1
	case tag == "port":
		return 2 // a host's capture sees its own port, the switch's those of all hosts and of the client
	case tag == "interface":
		const own = 6 // of a node's own
		return own + p.Guests
	case tag == "thread":
		return tagValues[tag] + p.VCPUs + p.Channels
	}
	return tagValues[tag]
}
