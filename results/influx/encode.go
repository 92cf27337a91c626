package influx

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
	"virtscope/results"
)

// Times that InfluxDB can hold, in ns since the epoch.
const (
	minTime = math.MinInt64 + 2
	maxTime = math.MaxInt64 - 1 - 1<<30 // room for points that stand behind their records
)

// maxKey is the longest key of a series, in bytes; servers refuse longer ones than 65,535 with the field's name.
const maxKey = 65_000

// valueFields name the field that holds a record's value.
var valueFields = map[results.Unit]string{
	results.Event:          "value",
	results.Seconds:        "value_seconds",
	results.Bytes:          "value_bytes",
	results.BytesPerSecond: "value_bytes_per_second",
	results.One:            "value_number",
	results.Joules:         "value_joules",
	results.Watts:          "value_watts",
	results.Hertz:          "value_hertz",
}

type attr struct{ key, value string }

// Append appends the line of the attempt's next record. The error names what line protocol has no form for; nothing is appended then.
func (e *Encoder) Append(dst []byte, r results.Record) ([]byte, error) {
	value, err := check(r)
	if err != nil {
		return dst, err
	}
	e.attrs = e.attrs[:0]
	for k, v := range r.Attrs {
		if attributes[k].form != asTag && !utf8.ValidString(v) {
			return dst, fmt.Errorf("encode %s: attribute %s is not UTF-8: %q", r.Name, k, v)
		}
		e.attrs = append(e.attrs, attr{k, v})
	}
	slices.SortFunc(e.attrs, func(a, b attr) int { return cmp.Compare(a.key, b.key) })
	s, err := e.find(r)
	if err != nil {
		return dst, err
	}
	key, point := e.place(s, r.Time)
	e.latest = max(e.latest, point)
	dst = append(dst, key...)
	dst = append(dst, e.numbers...)
	if point != r.Time {
		dst = append(strconv.AppendInt(append(dst, ","+fieldShift+"="...), point-r.Time, 10), 'i')
	}
	if r.Unit == results.Event {
		dst = append(dst, ",event=true"...)
	}
	if r.Unit != results.Event || math.Float64bits(r.Value) != 0 {
		dst = append(append(append(dst, ','), value...), '=')
		dst = strconv.AppendFloat(dst, r.Value, 'g', -1, 64)
	}
	for _, a := range e.attrs {
		dst = e.attribute(dst, a)
	}
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, point, 10)
	return append(dst, '\n'), nil
}

// check returns the field of the record's value.
func check(r results.Record) (value string, err error) {
	value, ok := valueFields[r.Unit]
	if !ok {
		return "", fmt.Errorf("encode %s: unit %q is not known", r.Name, r.Unit)
	}
	if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
		return "", fmt.Errorf("encode %s: line protocol has no form for %v", r.Name, r.Value)
	}
	if r.Time < minTime || r.Time > maxTime {
		return "", fmt.Errorf("encode %s: InfluxDB has no time %d", r.Name, r.Time)
	}
	return value, nil
}

// attribute appends the field of an attribute that is no tag.
func (e *Encoder) attribute(dst []byte, a attr) []byte {
	known, ok := e.fields[a.key]
	if !ok {
		known = describe(a.key)
		if len(e.fields) < maxFields {
			e.fields[a.key] = known
		}
	}
	if known.form == asTag {
		return dst
	}
	n := len(dst)
	if known.form != asText {
		dst = append(append(append(dst, ','), known.number...), '=')
		if dst, ok := appendNumber(dst, known.attribute, a.value); ok {
			return dst
		}
		dst = dst[:n]
	}
	return appendText(dst, known.text, a.value)
}

// A field is how an attribute is named.
type field struct {
	attribute
	number []byte // the field of a number
	text   []byte // the field of a text, and of what should be a number and is none
}

func describe(key string) field {
	f := field{attribute: attributes[key]}
	if f.form == asWhole || f.form == asFloat {
		f.number = []byte(numberField(key, f.attribute))
	}
	_, clash := numberFields[attributePrefix+key]
	f.text = append(f.text, attributePrefix...)
	f.text = escapeName(f.text, key, clash)
	return f
}
