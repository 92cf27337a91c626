package influx

import "slices"

// A Derived is a measurement that is no record.
type Derived struct {
	Name    string
	Meaning string
	Keys    []Key
}

// A Key is a tag or a field.
type Key struct {
	Name    string
	Type    string // tag, float, integer, boolean or text
	Meaning string
}

func (d Derived) has(name, kind string) bool {
	return slices.ContainsFunc(d.Keys, func(k Key) bool { return k.Name == name && k.Type == kind })
}

var trialKeys = []Key{
	{tagRun, "tag", "the run's name"},
	{tagExperiment, "tag", "the experiment's name"},
	{tagTreatment, "tag", "the trial's treatment"},
	{"<factor>", "tag", "the trial's level, one tag for each factor"},
	{fieldTrial, "integer", "the trial's place in the run, from 1"},
	{fieldAttempt, "integer", "the attempt at it, from 1"},
	{fieldShift, "integer", "by how many ns the point stands behind its time: those of trials that began at one time have points of their own"},
}

// derived are the measurements beside those of records.
var derived = []Derived{
	{
		MeasurementAnnotation, "A span of a trial, to stand behind a figure's curves, at its begin. It is derived from the trial's records once the trial has ended.",
		append(slices.Clone(trialKeys),
			Key{tagKind, "tag", "phase (of the action), round (of pre-copy) or outage (one view of it)"},
			Key{tagPhase, "tag", "the phase's name; of a round, pre-copy round; of an outage, the view's name"},
			Key{"end_nanoseconds", "integer", "its end, ns since the epoch"},
			Key{"duration_seconds", "float", "how long it is"},
			Key{"bound_seconds", "float", "by how much either edge may be wrong; none if that is not known"},
			Key{"title", "text", "in a few words"},
			Key{"text", "text", "the rest: the value of an outage with its bounds, and why one is not known exactly"}),
	},
	{
		MeasurementTrial, "An attempt at a trial that has ended, at its begin. Of a metric that is not known there is no number, and of a censored one (the trial failed, or timed out) the truth is at least the value.",
		append(slices.Clone(trialKeys),
			Key{"id", "text", "the trial's name in the run folder"},
			Key{"replicate", "integer", "from 1"},
			Key{"block", "text", "empty if there are no blocks"},
			Key{"verdict", "text", "completed, failed, invalid or interrupted"},
			Key{"reason", "text", "why it is not completed; empty if it is"},
			Key{"warnings", "text", "what a reader must know beside the numbers, one a line; empty if there is nothing"},
			Key{"problem", "text", "why there are no metrics: its records could not be read, or it counts in no result; empty if there are some"},
			Key{"end_nanoseconds", "integer", "its end, ns since the epoch"},
			Key{"duration_seconds", "float", "from its begin to its end"},
			Key{"dropped_number", "integer", "records that could not be kept"},
			Key{fieldRecords, "integer", "records that it has: so many points of it there are; none if that is not known"},
			Key{"outcome", "text", "all of trial.json, as JSON"},
			Key{metricPrefix + "<name>_<unit>", "float", "a metric, such as metric_downtime_seconds, as trials.csv has it"},
			Key{metricPrefix + "<name>_<unit>_low", "float", "the truth is at least that"},
			Key{metricPrefix + "<name>_<unit>_high", "float", "the truth is at most that; a censored metric has none"},
			Key{metricPrefix + "<name>_censored", "boolean", "true: the truth is at least the value, and no upper bound is known"},
			Key{metricPrefix + "<name>_unknown", "text", "why the metric is not known; empty if it is. Where there is a text, a number that an earlier push wrote does not count"}),
	},
	{
		MeasurementRun, "The small files of the run folder without which it is no run, so that virtscope pull can write them again. Each is cut into pieces of at most 60,000 bytes; the k-th stands k−1 ns after the run was created.",
		[]Key{
			{tagRun, "tag", "the run's name"},
			{tagExperiment, "tag", "the experiment's name"},
			{tagFile, "tag", "the file's name"},
			{"piece", "integer", "its place, from 1"},
			{"pieces", "integer", "how many there are"},
			{"size_bytes", "integer", "of the whole file"},
			{"text", "text", "the piece"},
		},
	},
}

// DerivedMeasurements are those that are no records.
func DerivedMeasurements() []Derived { return slices.Clone(derived) }
