package export

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/parquet-go/parquet-go"
)

// points are lines as InfluxDB stores them: by measurement, tags and time; fields of a later line replace those of an earlier one.
func points(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	stored := map[string]map[string]any{}
	d := lineprotocol.NewDecoder(strings.NewReader(text))
	for d.Next() {
		m, err := d.Measurement()
		if err != nil {
			t.Fatal(err)
		}
		key := string(m)
		for {
			k, v, err := d.NextTag()
			if err != nil {
				t.Fatal(err)
			}
			if k == nil {
				break
			}
			key += fmt.Sprintf(" %s=%q", k, v)
		}
		fields := map[string]any{}
		for {
			k, v, err := d.NextField()
			if err != nil {
				t.Fatal(err)
			}
			if k == nil {
				break
			}
			fields[string(k)] = v.Interface()
		}
		at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		key += fmt.Sprint(" ", at.UnixNano())
		if stored[key] == nil {
			stored[key] = map[string]any{}
		}
		for k, v := range fields {
			stored[key][k] = v
		}
	}
	return stored
}

func TestNoRecordReplacesAnother(t *testing.T) {
	var records []results.Record
	for at := range int64(3) {
		for v, kind := range []string{"normal", "zero", "skipped"} {
			records = append(records, results.Record{
				Time: at, Host: "src", Source: "qmp", Name: "migration.pages", Value: float64(v), Unit: results.One, Attrs: map[string]string{"kind": kind},
			})
		}
	}
	stored := points(t, written(t, func(w io.Writer) error { return LineRecords(w, "r", "t", records) }))
	if len(stored) != len(records) {
		t.Fatalf("%d of %d records are left: %v", len(stored), len(records), stored)
	}
	if got := stored[`virtscope_record host="src" name="migration.pages" nth="3" run="r" source="qmp" trial="t" 2`]; got["attr.kind"] != "skipped" || got["value"] != 2.0 {
		t.Errorf("%v", got)
	}
}

func TestTagsComeBack(t *testing.T) {
	for _, host := range []string{`a\b`, "a b=c,d", "é", `"q"`} {
		records := []results.Record{{Time: 7, Host: host, Name: "n", Unit: results.One, Attrs: map[string]string{"k": host + `\`}}}
		stored := points(t, written(t, func(w io.Writer) error { return LineRecords(w, "r", "t", records) }))
		if got := stored[fmt.Sprintf(`virtscope_record host=%q name="n" run="r" trial="t" 7`, host)]; got["attr.k"] != host+`\` {
			t.Errorf("%q: %v", host, stored)
		}
	}
	for _, host := range []string{`a\`, "a\nb", "a\tb"} { // line protocol has no form for these
		if err := LineRecords(io.Discard, "r", "t", []results.Record{{Host: host, Name: "n"}}); err == nil {
			t.Errorf("the tag %q was written", host)
		}
	}
}

func TestAnEventHasNoZero(t *testing.T) {
	records := []results.Record{
		{Time: 1, Name: "vm.stop"}, {Time: 2, Name: "precopy.round", Value: 4}, {Time: 3, Name: "cpu.busy", Value: 0, Unit: results.One},
	}
	var values []any
	text := written(t, func(w io.Writer) error { return LineRecords(w, "r", "t", records) })
	for line := range strings.Lines(text) {
		for _, fields := range points(t, line) {
			values = append(values, fields["value"])
		}
	}
	if !slices.Equal(values, []any{nil, 4.0, 0.0}) {
		t.Errorf("line: %v", values)
	}

	var b bytes.Buffer
	w := NewRecordWriter(&b)
	if err := w.Write("t", records); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[parquetRecord](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(rows) != 3 || rows[0].Value != nil || *rows[1].Value != 4 || *rows[2].Value != 0 {
		t.Errorf("parquet: %+v, %v", rows, err)
	}
}
