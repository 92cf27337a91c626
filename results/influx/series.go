package influx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"virtscope/results"
)

// Bounds of what an Encoder remembers. There are few shapes of records, as series are few; late times are forgotten together, and the series that they
// would have been told apart by gets another number.
const (
	maxShapes = 1 << 14
	maxLate   = 1 << 17
	maxKeys   = 64 // of one series
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
	tagNth   = "nth"
)

var recordTags = []string{tagRun, tagExperiment, tagTreatment, tagHost, tagSource}

// apartTags tell points apart that would be one.
var apartTags = []string{tagAgain, tagLate, tagNth}

type tag struct{ key, value string }

// A series is what an Encoder knows of one: measurement and tags, but for those that tell points apart.
type series struct {
	measurement []byte
	tags        []tag  // by key; keys are as the server has them
	value       string // the field that holds its records' value

	time int64 // the latest of it, ns
	same int   // how many had that time
	seen bool
	late map[int64]int // how many came late, by time
	keys map[apartness][]byte
}

// An apartness is what tells a point from those before it.
type apartness struct {
	late, nth int // 0: none
	era       int // how often late times were forgotten before
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
	k = appendSized(k, string(r.Unit))
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
	s := &series{measurement: escapeName(nil, r.Name, isMeasurement(r.Name)), keys: map[apartness][]byte{}}
	s.value, _ = valueField(r.Unit)
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
	if n := len(s.key(apartness{})); n > maxKey {
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

// key is the start of a line: measurement and tags, sorted as the server stores them.
func (s *series) key(a apartness) []byte {
	if k, ok := s.keys[a]; ok {
		return k
	}
	tags := s.tags
	if a != (apartness{}) {
		tags = slices.Clone(tags)
		if a.late > 0 {
			late := strconv.Itoa(a.late)
			if a.era > 0 {
				late = fmt.Sprintf("%d-%d", a.era, a.late)
			}
			tags = append(tags, tag{tagLate, late})
		}
		if a.nth > 0 {
			tags = append(tags, tag{tagNth, strconv.Itoa(a.nth)})
		}
		sortTags(tags)
	}
	k := appendKey(nil, s.measurement, tags)
	if len(s.keys) < maxKeys {
		s.keys[a] = k
	}
	return k
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

// apart tells a record at time t from those before it in its series.
func (e *Encoder) apart(s *series, t int64) apartness {
	switch {
	case !s.seen || t > s.time:
		s.time, s.same, s.seen = t, 1, true
		return apartness{}
	case t == s.time:
		s.same++
		return apartness{nth: s.same}
	}
	if e.late >= maxLate {
		for _, other := range e.series {
			other.late = nil
		}
		e.late = 0
		e.era++
	}
	if s.late == nil {
		s.late = map[int64]int{}
	}
	s.late[t]++
	e.late++
	return apartness{late: s.late[t], era: e.era}
}
