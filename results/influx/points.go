package influx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"virtscope/results"
)

// Measurements that are not records.
const (
	MeasurementAnnotation = "annotation"
	MeasurementTrial      = "trial"
	MeasurementRun        = "run"
)

func isMeasurement(name string) bool {
	return name == MeasurementAnnotation || name == MeasurementTrial || name == MeasurementRun
}

// Kinds of annotations.
const (
	KindPhase  = "phase"
	KindRound  = "round"
	KindOutage = "outage"
)

// annotationTags are those of annotations and of run beside the trial's.
var annotationTags = []string{tagKind, tagPhase, tagFile}

const (
	tagKind  = "kind"
	tagPhase = "phase"
	tagFile  = "file"
)

// An Annotation is a span of a trial that a figure shows behind its curves. It is derived from the trial's records.
type Annotation struct {
	Kind  string // one of the Kind constants
	Phase string // the phase's name, or the view of the outage; of few values
	Title string
	Text  string
	Begin int64         // ns since the epoch, on the controller's clock
	End   int64         // ns
	Bound float64       // s: by how much either edge may be wrong; NaN if it is not known
	Trial results.Trial // that it is of
	// Attempt at the trial, from 1.
	Attempt int
}

// A Metric is one number of a trial. One that is not Known has no value, and Why says why; of one that is Censored the truth is at least Value.
type Metric struct {
	Name      string
	Unit      results.Unit
	Known     bool
	Censored  bool
	Value     float64
	Low, High float64 // the truth lies between them; of a censored one High is not told
	Why       string
}

// A TrialPoint is how an attempt at a trial ended, and what it came to.
type TrialPoint struct {
	Outcome results.Outcome
	Records int      // how many it has, so that who reads them back knows whether all are there; 0 if that is not known
	Metrics []Metric // none, and Problem says why, if the records could not be read or the attempt counts in no result
	Problem string
}

// AppendAnnotations appends the lines of a run's annotations. The order in which they come does not matter.
func AppendAnnotations(dst []byte, l Labels, list []Annotation) ([]byte, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.Trial.Order, b.Trial.Order), cmp.Compare(a.Attempt, b.Attempt),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.End, b.End), cmp.Compare(a.Title, b.Title))
	})
	last := map[string]int64{} // points, by series
	for _, a := range list {
		if a.Begin < minTime || a.Begin > maxTime {
			return dst, fmt.Errorf("encode annotation %s of trial %s: InfluxDB has no time %d", a.Phase, a.Trial.ID, a.Begin)
		}
		tags := append(trialTags(l, a.Trial), tag{tagKind, a.Kind}, tag{tagPhase, a.Phase})
		key := appendKey(nil, []byte(MeasurementAnnotation), withValues(tags))
		point := a.Begin + apart(a.Trial)
		if before, ok := last[string(key)]; ok { // a phase of no length: the next one begins with it
			point = max(point, before+1)
		}
		last[string(key)] = point
		dst = append(dst, key...)
		dst = fmt.Appendf(dst, "%s=%di,%s=%di,%s=%di,end_nanoseconds=%di", fieldTrial, a.Trial.Order, fieldAttempt, a.Attempt, fieldShift, point-a.Begin, a.End)
		dst = appendFloat(dst, "duration_seconds", float64(a.End-a.Begin)/1e9)
		dst = appendFloat(dst, "bound_seconds", a.Bound)
		dst = appendText(dst, []byte("title"), a.Title)
		dst = appendText(dst, []byte("text"), a.Text)
		dst = fmt.Appendf(dst, " %d\n", point)
	}
	return dst, nil
}

// apart is by how many ns the points of a trial that are no records stand behind their time: trials that begin at one time, such as imported ones, have
// points of their own.
func apart(t results.Trial) int64 { return int64(t.Order) }

// withValues leaves out tags without a value, and sorts.
func withValues(tags []tag) []tag {
	tags = slices.DeleteFunc(tags, func(t tag) bool { return t.value == "" })
	sortTags(tags)
	return tags
}

// appendFloat appends a field after a comma; what is not finite is not known and has none.
func appendFloat(dst []byte, name string, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dst
	}
	return strconv.AppendFloat(fmt.Appendf(dst, ",%s=", name), v, 'g', -1, 64)
}

// AppendTrial appends the line of an attempt at its begin, and its order in ns. Field outcome is all of it, as JSON: it comes back exactly.
func AppendTrial(dst []byte, l Labels, t TrialPoint) ([]byte, error) {
	o := t.Outcome
	whole, err := json.Marshal(o)
	if err != nil {
		return dst, fmt.Errorf("encode trial %s: %w", o.Trial.ID, err)
	}
	dst = appendKey(dst, []byte(MeasurementTrial), withValues(trialTags(l, o.Trial)))
	dst = fmt.Appendf(dst, "%s=%di,%s=%di,%s=%di,replicate=%di,dropped_number=%di,end_nanoseconds=%di",
		fieldTrial, o.Trial.Order, fieldAttempt, o.Attempt, fieldShift, apart(o.Trial), o.Trial.Replicate, o.Dropped, o.End.UnixNano())
	if t.Records > 0 {
		dst = fmt.Appendf(dst, ",%s=%di", fieldRecords, t.Records)
	}
	dst = appendFloat(dst, "duration_seconds", o.End.Sub(o.Begin).Seconds())
	dst = appendText(dst, []byte("id"), o.Trial.ID)
	dst = appendText(dst, []byte("verdict"), string(o.Verdict))
	// Empty ones too: a point that is written again keeps the fields that it is not written with.
	for _, f := range []struct{ name, text string }{
		{"block", o.Trial.Block}, {"reason", o.Reason}, {"warnings", strings.Join(o.Warnings, "\n")}, {"problem", t.Problem}, {"outcome", string(whole)},
	} {
		dst = appendText(dst, []byte(f.name), strings.ToValidUTF8(f.text, "\uFFFD"))
	}
	for _, m := range t.Metrics {
		dst = appendMetric(dst, m)
	}
	return fmt.Appendf(dst, " %d\n", o.Begin.UnixNano()+apart(o.Trial)), nil
}

// fieldRecords is how many records an attempt has.
const fieldRecords = "records_number"

// metricPrefix begins the fields of metrics, and keeps them apart from all others.
const metricPrefix = "metric_"

// MetricField names the field of a metric.
func MetricField(name string, u results.Unit) string {
	return string(escapeName([]byte(metricPrefix), name, false)) + "_" + unitNames[u]
}

func appendMetric(dst []byte, m Metric) []byte {
	short := string(escapeName([]byte(metricPrefix), m.Name, false))
	why := ""
	if !m.Known {
		why = cmp.Or(m.Why, "not known")
	}
	dst = appendText(dst, []byte(short+"_unknown"), why)
	dst = fmt.Appendf(dst, ",%s_censored=%t", short, m.Known && m.Censored)
	if !m.Known {
		return dst
	}
	name := MetricField(m.Name, m.Unit)
	dst = appendFloat(dst, name, m.Value)
	dst = appendFloat(dst, name+"_low", m.Low)
	if !m.Censored {
		dst = appendFloat(dst, name+"_high", m.High)
	}
	return dst
}

// AppendFile appends the lines of a file of the run folder, such as manifest.json, which is then not lost with the folder. It is cut into pieces, the
// k-th of which stands k ns after created, when the run was. A file that has grown is sent again: its pieces take the place of those before.
func AppendFile(dst []byte, l Labels, created time.Time, name string, content []byte) ([]byte, error) {
	tags := withValues([]tag{{tagRun, l.Run}, {tagExperiment, l.Experiment}, {tagFile, name}})
	key := appendKey(nil, []byte(MeasurementRun), tags)
	text := string(content)
	if strings.ToValidUTF8(text, "") != text {
		return dst, fmt.Errorf("encode file %s: it is not UTF-8", name)
	}
	pieces := cut(text)
	for k, piece := range pieces {
		dst = append(dst, key...)
		dst = fmt.Appendf(dst, "piece=%di,pieces=%di,size_bytes=%di", k+1, len(pieces), len(text))
		dst = appendText(dst, []byte("text"), piece)
		dst = fmt.Appendf(dst, " %d\n", created.UnixNano()+int64(k))
	}
	return dst, nil
}

// RunFiles are the files of a run folder that AppendFile may be given: small ones, without which a folder is no run.
var RunFiles = []string{"manifest.json", "plan.ndjson", "experiment.yaml", "journal.ndjson"}
