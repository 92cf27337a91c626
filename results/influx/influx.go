// Package influx ships the records of runs into InfluxDB and brings them back.
//
// The run folder stays the truth. Nothing that observes ever waits for a server: records go to disk, and a Shipper reads them there, as they come
// (results.Tail) or long after, and remembers beside them how far the server has taken them. What it sends is made by an Encoder, which gives the same
// lines for the same records each time, so that sending twice changes nothing.
package influx

import (
	"fmt"
	"virtscope/results"
)

// An Encoder turns the records of one attempt into line protocol. The same records in the same order give the same lines, and no two points of a run
// share measurement, tags and time, since InfluxDB would keep one of them alone:
//
//   - Tags are what a dashboard groups by, and only what is bounded by the experiment and not by how long it runs: run, experiment, treatment, one per
//     factor, host, source, guest, and those attributes that tell streams of one name apart (see the schema).
//   - The trial's order, the attempt and all other attributes are fields. Trials run one after another, so that time tells them apart.
//   - A point is at its record's time. Of records at one time in one series, each but the first is a ns behind the one before, and its field
//     shift_nanoseconds says how far: the record's time is the point's less that. So a burst, such as of a guest's messages that were read together, is
//     one series, and its times are right to some ns in a figure and exact in what is read back.
//   - A record that comes late, after one of a later time, has the tag late.
//   - A record that is not later than all of the attempts before it (a clock was set back) has the tag again: the trial's order and attempt.
//
// A Decoder makes the records again, to the bit. An Encoder is for one goroutine; its memory is bounded by the kinds of records, not by how many there are.
type Encoder struct {
	labels  Labels
	trial   results.Trial
	attempt int
	before  int64 // the latest time of the attempts before, ns
	latest  int64

	numbers []byte             // the fields that all lines begin with
	series  map[string]*series // by the shape of their records
	fields  map[string]field   // of attributes
	late    int                // late times that are remembered
	era     int                // how often they were forgotten

	attrs []attr // of the record at hand
	shape []byte
}

// Labels are what all points of a run have in common.
type Labels struct {
	Run        string
	Experiment string
}

// NewEncoder encodes an attempt. Before is the latest time of the run's earlier attempts in ns, as their Latest said; 0 if there are none.
func NewEncoder(labels Labels, trial results.Trial, attempt int, before int64) *Encoder {
	return &Encoder{
		labels: labels, trial: trial, attempt: attempt, before: before,
		numbers: fmt.Appendf(nil, "%s=%di,%s=%di", fieldTrial, trial.Order, fieldAttempt, attempt),
		series:  map[string]*series{}, fields: map[string]field{},
	}
}

// Latest is the latest time of the points of what was encoded, and of the attempts before, in ns.
func (e *Encoder) Latest() int64 { return max(e.latest, e.before) }
