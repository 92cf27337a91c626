package influx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"virtscope/results"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// unitFields name the field that holds a value, by its unit.
var unitFields = map[results.Unit]string{
	results.Event:          "value",
	results.Seconds:        "value_seconds",
	results.Bytes:          "value_bytes",
	results.BytesPerSecond: "value_bytes_per_second",
	results.One:            "value_number",
	results.Joules:         "value_joules",
	results.Watts:          "value_watts",
}

// tagAttributes are the attributes that are tags: they tell streams of one name apart, and the experiment bounds how many there are.
var tagAttributes = map[string]bool{
	results.AttrGuest: true, "action": true, "channel": true, "dir": true, "direction": true, "domain": true, "flow": true, "interface": true,
	"kind": true, "link": true, "mode": true, "outcome": true, "port": true, "process": true, "stage": true, "stat": true, "state": true,
	"status": true, "thread": true, "trigger": true,
}

type tag struct{ key, value string }

// Append appends the line of the attempt's next record. The error names what line protocol has no form for.
func (e *Encoder) Append(dst []byte, r results.Record) ([]byte, error) {
	field, ok := unitFields[r.Unit]
	if !ok {
		return dst, fmt.Errorf("encode %s: unit %q is not known", r.Name, r.Unit)
	}
	tags := e.tags(r)
	e.line.Reset()
	e.line.SetPrecision(lineprotocol.Nanosecond)
	e.line.StartLine(r.Name)
	for _, t := range tags {
		e.line.AddTag(t.key, t.value)
	}
	e.line.AddField("trial", lineprotocol.IntValue(int64(e.trial.Order)))
	e.line.AddField("attempt", lineprotocol.IntValue(int64(e.attempt)))
	if r.Unit == results.Event {
		e.line.AddField("event", lineprotocol.BoolValue(true))
	}
	if r.Unit != results.Event || r.Value != 0 {
		v, ok := lineprotocol.FloatValue(r.Value)
		if !ok {
			return dst, fmt.Errorf("encode %s: line protocol has no form for %v", r.Name, r.Value)
		}
		e.line.AddField(field, v)
	}
	for k, text := range r.Attrs {
		if tagAttributes[k] {
			continue
		}
		v, ok := lineprotocol.StringValue(text)
		if !ok {
			return dst, fmt.Errorf("encode %s: attribute %s is not UTF-8: %q", r.Name, k, text)
		}
		e.line.AddField("attr_"+k, v)
	}
	e.line.EndLine(time.Unix(0, r.Time))
	if err := e.line.Err(); err != nil {
		return dst, fmt.Errorf("encode %s: %w", r.Name, err)
	}
	e.latest = max(e.latest, r.Time)
	return append(dst, e.line.Bytes()...), nil
}

// tags of a record, by key. Those without a value are left out.
func (e *Encoder) tags(r results.Record) []tag {
	tags := []tag{
		{"run", e.labels.Run},
		{"experiment", e.labels.Experiment},
		{"treatment", e.trial.Treatment},
		{"host", r.Host},
		{"source", r.Source},
	}
	for _, l := range e.trial.Levels {
		tags = append(tags, tag{l.Factor, l.Value})
	}
	for k, v := range r.Attrs {
		if tagAttributes[k] {
			tags = append(tags, tag{k, v})
		}
	}
	tags = slices.DeleteFunc(tags, func(t tag) bool { return t.value == "" })
	if r.Time <= e.before {
		tags = append(tags, tag{"again", fmt.Sprintf("%d-%d", e.trial.Order, e.attempt)})
	}
	slices.SortFunc(tags, func(a, b tag) int { return cmp.Compare(a.key, b.key) })
	if t, ok := e.apart(r, tags); ok {
		i, _ := slices.BinarySearchFunc(tags, t.key, func(a tag, key string) int { return cmp.Compare(a.key, key) })
		tags = slices.Insert(tags, i, t)
	}
	return tags
}

// apart is the tag that tells the record from those before it in its series, if it needs one.
func (e *Encoder) apart(r results.Record, tags []tag) (t tag, needed bool) {
	var key strings.Builder
	key.WriteString(r.Name)
	for _, t := range tags {
		key.WriteString("\x00" + t.key + "\x00" + t.value)
	}
	s := e.series[key.String()]
	switch {
	case s == nil:
		e.series[key.String()] = &last{time: r.Time, same: 1}
	case r.Time > s.time:
		s.time, s.same = r.Time, 1
	case r.Time == s.time:
		s.same++
		return tag{"nth", strconv.Itoa(s.same)}, true
	default:
		if s.late == nil {
			s.late = map[int64]int{}
		}
		s.late[r.Time]++
		return tag{"late", strconv.Itoa(s.late[r.Time])}, true
	}
	return tag{}, false
}
