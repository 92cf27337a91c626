package export

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"time"
	"virtscope/analysis/dataset"
	"virtscope/results"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// Line writes the figures as line protocol of InfluxDB: measurement virtscope_trial, tags run, trial, treatment and verdict, one field a metric, at the
// trial's begin in nanoseconds. What is not known has no field; a censored value has a second field, <metric>.censored. A trial whose begin is not known, as
// those of a CSV file, has no time: the server gives it its own. A trial of which nothing is known has no line.
func Line(w io.Writer, set dataset.Set) error {
	out := lineWriter{to: w}
	for _, t := range set.Trials {
		fields := false
		for _, m := range t.Metrics {
			fields = fields || m.Known
		}
		if !fields {
			continue
		}
		out.begin("virtscope_trial", [][2]string{{"run", set.Name}, {"treatment", t.Treatment}, {"trial", t.ID}, {"verdict", string(t.Verdict)}})
		for _, m := range t.Metrics {
			if !m.Known {
				continue
			}
			out.field(m.Name, m.Value)
			if m.Censored {
				out.field(m.Name+".censored", true)
			}
		}
		if err := out.end(t.Begin); err != nil {
			return fmt.Errorf("write line of trial %s: %w", t.ID, err)
		}
	}
	return out.flush()
}

// A linePoint is what InfluxDB knows a record by. Of two lines that share it, it keeps one.
type linePoint struct {
	time               int64
	host, source, name string
}

// LineRecords writes all raw records of a trial as line protocol: measurement virtscope_record, tags run, trial, host, source and name, fields value, unit
// and the record's own attributes, at the record's time. Records that share all of these, such as two kinds of pages counted at once, have a tag nth, from 2
// on: InfluxDB would keep the last alone. An event has the field event, and a value only if it is not 0: a record does not tell 0 from none there.
func LineRecords(w io.Writer, run, trial string, records []results.Record) error {
	out := lineWriter{to: w}
	seen := make(map[linePoint]int, len(records))
	for _, r := range records {
		p := linePoint{r.Time, r.Host, r.Source, r.Name}
		seen[p]++
		nth := ""
		if seen[p] > 1 {
			nth = strconv.Itoa(seen[p])
		}
		out.begin("virtscope_record", [][2]string{{"host", r.Host}, {"name", r.Name}, {"nth", nth}, {"run", run}, {"source", r.Source}, {"trial", trial}})
		if hasValue(r) {
			out.field("value", r.Value)
		}
		if r.Unit == results.Event {
			out.field("event", true)
		} else {
			out.field("unit", string(r.Unit))
		}
		for _, k := range sortedKeys(r.Attrs) {
			out.field("attr."+k, r.Attrs[k])
		}
		if err := out.end(time.Unix(0, r.Time)); err != nil {
			return fmt.Errorf("write line of a record %s of trial %s: %w", r.Name, trial, err)
		}
	}
	return out.flush()
}

// hasValue reports whether a record's value says anything: that of an event is 0 where its name defines none.
func hasValue(r results.Record) bool { return r.Unit != results.Event || r.Value != 0 }

// lineAtOnce bounds the bytes that wait to be written.
const lineAtOnce = 256 << 10

// A lineWriter escapes by the rules of line protocol; what these cannot hold, such as a tag with a line break or with a backslash at its end, is an error.
type lineWriter struct {
	to  io.Writer
	enc lineprotocol.Encoder
	err error // the first of a value that has no form
}

// begin starts a line; tags are sorted by name, and empty ones are left out.
func (l *lineWriter) begin(measurement string, tags [][2]string) {
	l.enc.SetPrecision(lineprotocol.Nanosecond)
	l.enc.StartLine(measurement)
	for _, t := range tags {
		if t[1] != "" {
			l.enc.AddTag(t[0], t[1])
		}
	}
}

func (l *lineWriter) field(name string, value any) {
	v, ok := lineprotocol.NewValue(value)
	if !ok {
		l.err = cmp.Or(l.err, fmt.Errorf("field %s: line protocol has no form for %v", name, value))
		return
	}
	l.enc.AddField(name, v)
}

func (l *lineWriter) end(at time.Time) error {
	l.enc.EndLine(at)
	if err := cmp.Or(l.err, l.enc.Err()); err != nil {
		return err
	}
	if len(l.enc.Bytes()) < lineAtOnce {
		return nil
	}
	return l.flush()
}

func (l *lineWriter) flush() error {
	_, err := l.to.Write(l.enc.Bytes())
	l.enc.Reset()
	return err
}
