package influx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"virtscope/results"
)

// Bounds of what an Encoder remembers. When there are too many late times, all are forgotten, and those that come after go to another series.
const (
	maxFields = 1 << 12
	maxLate   = 1 << 17
)

// Tags of every record, beside those of factors and attributes.
const (
	tagRun        = "run"
	tagExperiment = "experiment"
	tagTreatment  = "treatment"
	tagHost       = "host"
	tagSource     = "source"

	tagAgain = "again"
	tagLate  = "late"
)

var recordTags = []string{tagRun, tagExperiment, tagTreatment, tagHost, tagSource}

// apartTags tell points apart that would be one.
var apartTags = []string{tagAgain, tagLate}

type tag struct{ key, value string }

// A series is what an Encoder knows of one: measurement and tags, but for those that tell points apart.
type series struct {
	measurement []byte
	tags        []tag // by key; keys are as the server has them
	seen        bool
	time        int64 // the latest of its records, ns
	point       int64 // the latest of its points, ns: some ns behind, if records came at one time

	key     []byte // measurement and tags, as a line begins
	lateKey []byte // the same of late records
	lateEra int    // that lateKey is of
	late    map[int64]bool
}

// find is the series of a record.
func (e *Encoder) find(r results.Record) (*series, error) {
	again := byte('-')
	if e.before != 0 && r.Time <= e.before {
		again = '+'
	}
	k := append(e.shape[:0], again)
	k = appendSized(k, r.Name)
	k = appendSized(k, r.Host)
	k = appendSized(k, r.Source)
	for _, a := range e.attrs {
		if attributes[a.key].form == asTag {
			k = appendSized(appendSized(k, a.key), a.value)
		}
	}
	e.shape = k
	if s := e.series[string(k)]; s != nil {
		return s, nil
	}
	s, err := e.newSeries(r, again == '+')
	if err == nil {
		e.series[string(k)] = s
	}
	return s, err
}

func appendSized(dst []byte, s string) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	return append(append(dst, ':'), s...)
}

func (e *Encoder) newSeries(r results.Record, again bool) (*series, error) {
	s := &series{measurement: escapeName(nil, r.Name, isMeasurement(r.Name))}
	s.tags = append(trialTags(e.labels, e.trial), tag{tagHost, r.Host}, tag{tagSource, r.Source})
	s.tags = slices.DeleteFunc(s.tags, func(t tag) bool { return t.value == "" })
	for _, a := range e.attrs {
		if attributes[a.key].form == asTag {
			s.tags = append(s.tags, tag(a))
		}
	}
	if again {
		s.tags = append(s.tags, tag{tagAgain, fmt.Sprintf("%d-%d", e.trial.Order, e.attempt)})
	}
	sortTags(s.tags)
	s.key = appendKey(nil, s.measurement, s.tags)
	if n := len(s.key); n > maxKey {
		return nil, fmt.Errorf("encode %s: measurement and tags are %d bytes long, and InfluxDB takes %d", r.Name, n, maxKey)
	}
	return s, nil
}

// trialTags are those that all points of a trial have.
func trialTags(l Labels, t results.Trial) []tag {
	tags := []tag{{tagRun, l.Run}, {tagExperiment, l.Experiment}, {tagTreatment, t.Treatment}}
	for _, l := range t.Levels {
		tags = append(tags, tag{FactorTag(l.Factor), l.Value})
	}
	return tags
}

// FactorTag is the tag of a factor: its path. A factor whose path is a tag of something else has its first letter escaped.
func FactorTag(path string) string {
	_, known := attributes[path]
	reserved := known && attributes[path].form == asTag || path == "time" || slices.Contains(recordTags, path) || slices.Contains(apartTags, path) || slices.Contains(annotationTags, path)
	return string(escapeName(nil, path, reserved))
}

func sortTags(tags []tag) {
	slices.SortFunc(tags, func(a, b tag) int { return cmp.Compare(a.key, b.key) })
}

// appendKey appends a measurement and tags that are sorted.
func appendKey(dst, measurement []byte, tags []tag) []byte {
	dst = append(dst, measurement...)
	for _, t := range tags {
		dst = append(append(append(dst, ','), t.key...), '=')
		dst = escapeAppend(dst, t.value)
	}
	return append(dst, ' ')
}

// place finds a point for the series' next record, which is at time t: how its line begins, and its time, which is t or as many ns behind it as other
// points stand there.
func (e *Encoder) place(s *series, t int64) (key []byte, point int64) {
	if !s.seen || t >= s.time {
		point = t
		if s.seen {
			point = max(t, s.point+1)
		}
		s.seen, s.time, s.point = true, t, point
		return s.key, point
	}
	if e.late >= maxLate {
		e.forget()
	}
	if s.late == nil {
		s.late = map[int64]bool{}
	}
	for point = t; s.late[point]; point++ {
	}
	s.late[point] = true
	e.late++
	if s.lateKey == nil || s.lateEra != e.era {
		tags := append(slices.Clone(s.tags), tag{tagLate, strconv.Itoa(e.era + 1)})
		sortTags(tags)
		s.lateKey, s.lateEra = appendKey(nil, s.measurement, tags), e.era
	}
	return s.lateKey, point
}

// forget forgets all late times.
func (e *Encoder) forget() {
	for _, s := range e.series {
		s.late = nil
	}
	e.late = 0
	e.era++
}
