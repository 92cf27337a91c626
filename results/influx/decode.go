package influx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"virtscope/results"
)

// Fields of every record beside its value and its attributes.
const (
	fieldTrial   = "trial"
	fieldAttempt = "attempt"
	fieldEvent   = "event"
	fieldShift   = "shift_nanoseconds"
)

// unitOf are the units by the field of the value.
var unitOf = func() map[string]results.Unit {
	m := map[string]results.Unit{}
	for u, name := range valueFields {
		m[name] = u
	}
	return m
}()

// A Decoder makes records of the points of one series, which an Encoder made.
type Decoder struct {
	name, host, source string
	tags               []attr
	treatment          string
	levels             []results.Level
	late               int
}

// NewDecoder decodes a series, by its measurement and its tags as the server has them.
func NewDecoder(measurement string, tags map[string]string) *Decoder {
	d := &Decoder{name: unescape(measurement), host: unescape(tags[tagHost]), source: unescape(tags[tagSource])}
	for k, v := range tags {
		if attributes[k].form == asTag && v != "" { // a server that lists tags of other series says that this one has none
			d.tags = append(d.tags, attr{k, unescape(v)})
			continue
		}
		if v != "" && !slices.Contains(recordTags, k) && !slices.Contains(apartTags, k) {
			d.levels = append(d.levels, results.Level{Factor: unescape(k), Value: unescape(v)})
		}
	}
	d.treatment = unescape(tags[tagTreatment])
	d.late, _ = strconv.Atoi(tags[tagLate]) // none is 0
	slices.SortFunc(d.levels, func(a, b results.Level) int { return cmp.Compare(a.Factor, b.Factor) })
	return d
}

// A Point is the fields of one: float64, int64, bool or string, by name.
type Point map[string]any

// Decoded is a record, and which attempt it is of.
type Decoded struct {
	results.Record
	Trial     int // the trial's order
	Attempt   int
	Treatment string
	Levels    []results.Level // by factor; records share it: do not change it

	// Point is the time of its point, in ns. Late is 0 unless it came after a record of its series with a later time, and grows with the place where it came.
	// An Encoder that gets those of one Late after those of a lower one, each series by Point, makes the same points again.
	Point int64
	Late  int
}

// Decode makes the record of a point at a time in ns.
func (d *Decoder) Decode(time int64, p Point) (Decoded, error) {
	out := Decoded{Record: results.Record{Time: time, Host: d.host, Source: d.source, Name: d.name}, Treatment: d.treatment, Levels: d.levels, Point: time, Late: d.late}
	valued := false
	texts := map[string]map[int]string{}
	for name, v := range p {
		switch v := v.(type) {
		case bool:
			valued = valued || name == fieldEvent && v
		case int64:
			switch attribute := numberFields[name]; {
			case name == fieldTrial:
				out.Trial = int(v)
			case name == fieldAttempt:
				out.Attempt = int(v)
			case name == fieldShift:
				out.Time -= v
			case attribute != "":
				out.set(attribute, fmt.Sprint(v))
			default:
				return out, unknown(d.name, name)
			}
		case float64:
			if u, ok := unitOf[name]; ok {
				out.Value, out.Unit, valued = v, u, true
			} else if attribute := numberFields[name]; attribute != "" {
				out.set(attribute, formatFloat(v))
			} else {
				return out, unknown(d.name, name)
			}
		case string:
			key, part := partOf(name)
			if texts[key] == nil {
				texts[key] = map[int]string{}
			}
			texts[key][part] = v
		default:
			return out, fmt.Errorf("decode %s: field %s is a %T", d.name, name, v)
		}
	}
	if !valued {
		return out, fmt.Errorf("decode %s: the point has no value", d.name)
	}
	for _, t := range d.tags {
		out.set(t.key, t.value)
	}
	for field, parts := range texts {
		key, ok := strings.CutPrefix(field, attributePrefix)
		if !ok {
			return out, unknown(d.name, field)
		}
		text, err := joined(parts)
		if err != nil {
			return out, fmt.Errorf("decode %s: field %s: %w", d.name, field, err)
		}
		out.set(unescape(key), text)
	}
	return out, nil
}

func (d *Decoded) set(key, value string) {
	if d.Attrs == nil {
		d.Attrs = map[string]string{}
	}
	d.Attrs[key] = value
}

func unknown(measurement, field string) error {
	return fmt.Errorf("decode %s: field %s is not of this schema: it is newer, or not of virtscope", measurement, field)
}
