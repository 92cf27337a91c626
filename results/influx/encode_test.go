package influx

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"virtscope/results"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

var testLabels = Labels{Run: "r-1", Experiment: "exp"}

var testTrial = results.Trial{ID: "001-a", Order: 1, Treatment: "rate=8MiB/s", Levels: []results.Level{{Factor: "workload.rate", Value: "8MiB/s"}}, Replicate: 1}

// oddTexts are attributes' values that a writer could get wrong.
var oddTexts = []string{
	"", "a", " ", "a b", "a,b", "a=b", `"quoted"`, `\`, `a\`, `a\\`, `a\,b`, `\"`, "line\nline", "\r\n", "\t", "\x00", "é µ 日本 🚀", "%", "%%", "%41", "%p2", "50%", "50%,",
	"1", "007", "-0", "+1", "1e3", "1000000", "0.5", ".5", "1e-07", "NaN", "Inf", "9223372036854775807", "9223372036854775808", "true", "i", "'", "#", " trailing ", "a\\ ",
	strings.Repeat("x", 64<<10), strings.Repeat("日", 70_000), "trail" + strings.Repeat(`\`, 3),
}

// oddRecords exercise every form that a record may have.
func oddRecords() []results.Record {
	var list []results.Record
	at := int64(1_795_765_122_014_357_887)
	add := func(r results.Record) {
		at += 7
		r.Time = at
		list = append(list, r)
	}
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -1, 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, 0.1, 1.0 / 3, 1 << 53, 1<<53 + 2, 1e21, 1e-7, math.Nextafter(1, 2), 2.2250738585072009e-308} {
		for _, u := range []results.Unit{results.Event, results.Seconds, results.Bytes, results.BytesPerSecond, results.One, results.Joules, results.Watts} {
			add(results.Record{Host: "src", Source: "qmp", Name: "x", Value: v, Unit: u})
		}
	}
	for _, text := range oddTexts {
		for _, key := range []string{"text", "seq", "bound", "kind", "unheard-of", "guest"} {
			if key == "kind" && len(text) > 1000 {
				continue // a tag, which the vocabulary bounds
			}
			if key == "guest" && len(text) > 1000 {
				continue
			}
			add(results.Record{Host: "src", Source: "usage", Name: "odd", Value: 1, Unit: results.One, Attrs: map[string]string{key: text}})
		}
		if len(text) < 1000 {
			add(results.Record{Host: text, Source: text, Name: text, Attrs: map[string]string{text: text}})
		}
	}
	for _, name := range []string{"annotation", "trial", "run", "_x", "#x", "time", "a b", "a,b", "a=b", "%61", "é"} {
		add(results.Record{Host: "h", Source: "s", Name: name})
		add(results.Record{Host: "h", Source: "s", Name: "keys", Attrs: map[string]string{name: "1"}})
	}
	for key := range attributes {
		add(results.Record{Host: "h", Source: "s", Name: "known", Value: 2, Unit: results.Watts, Attrs: map[string]string{key: "1"}})
		add(results.Record{Host: "h", Source: "s", Name: "known", Attrs: map[string]string{key: "1.25", key + "_seconds": "2", key + "_number": "3", key + "_bytes": "4", key + "_nanoseconds": "5", "attr_" + key: "6"}})
	}
	return list
}

func encodeAll(t testing.TB, e *Encoder, records []results.Record) []byte {
	t.Helper()
	var out []byte
	for _, r := range records {
		var err error
		if out, err = e.Append(out, r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// A parsedLine is a point, as the format's own parser reads it.
type parsedLine struct {
	measurement string
	tags        map[string]string
	fields      Point
	time        int64
}

func parseLines(t testing.TB, text []byte) []parsedLine {
	t.Helper()
	d := lineprotocol.NewDecoderWithBytes(text)
	var list []parsedLine
	for d.Next() {
		p := parsedLine{tags: map[string]string{}, fields: Point{}}
		m, err := d.Measurement()
		fatal(t, err)
		p.measurement = string(m)
		last := ""
		for {
			k, v, err := d.NextTag()
			fatal(t, err)
			if k == nil {
				break
			}
			if string(k) <= last {
				t.Fatalf("tag %s comes after %s", k, last)
			}
			last = string(k)
			p.tags[last] = string(v)
		}
		for {
			k, v, err := d.NextField()
			fatal(t, err)
			if k == nil {
				break
			}
			if _, double := p.fields[string(k)]; double {
				t.Fatalf("field %s of %s is there twice", k, p.measurement)
			}
			p.fields[string(k)] = v.Interface()
		}
		at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
		fatal(t, err)
		p.time = at.UnixNano()
		list = append(list, p)
	}
	return list
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func decodeLine(t testing.TB, p parsedLine) Decoded {
	t.Helper()
	d, err := NewDecoder(p.measurement, p.tags).Decode(p.time, p.fields)
	fatal(t, err)
	return d
}

func sameRecord(a, b results.Record) bool {
	return a.Time == b.Time && a.Host == b.Host && a.Source == b.Source && a.Name == b.Name && a.Unit == b.Unit &&
		math.Float64bits(a.Value) == math.Float64bits(b.Value) && maps.Equal(a.Attrs, b.Attrs)
}

func TestRecordsComeBack(t *testing.T) {
	records := oddRecords()
	lines := parseLines(t, encodeAll(t, NewEncoder(testLabels, testTrial, 2, 0), records))
	if len(lines) != len(records) {
		t.Fatalf("%d lines of %d records", len(lines), len(records))
	}
	for i, p := range lines {
		got := decodeLine(t, p)
		if !sameRecord(got.Record, records[i]) || got.Trial != 1 || got.Attempt != 2 {
			t.Errorf("record %d is %.200q, want %.200q", i, fmt.Sprint(got), fmt.Sprint(records[i]))
		}
		for name, v := range p.fields {
			if text, ok := v.(string); ok && len(text) > maxText {
				t.Errorf("field %s has %d bytes", name, len(text))
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for want, r := range map[string]results.Record{
		`unit "kg"`:    {Name: "x", Unit: "kg"},
		`unit "ns"`:    {Name: "x", Unit: "ns"},
		"no form for":  {Name: "x", Unit: results.One, Value: math.NaN()},
		"for +Inf":     {Name: "x", Value: math.Inf(1)},
		"no time":      {Name: "x", Time: math.MinInt64},
		"is not UTF-8": {Name: "x", Attrs: map[string]string{"text": "\xff"}},
		"bytes long":   {Name: "x", Attrs: map[string]string{"kind": strings.Repeat("k", 70_000)}},
	} {
		before := []byte("before\n")
		e := NewEncoder(testLabels, testTrial, 1, 0)
		out, err := e.Append(before, r)
		if err == nil || !strings.Contains(err.Error(), want) || !bytes.Equal(out, before) {
			t.Errorf("%v: %q, %v; want %s", r, out, err, want)
		}
	}
}

// Attributes come in a map, whose order differs from one reading to the next.
func TestSameRecordsSameLines(t *testing.T) {
	records := oddRecords()
	for i := range records {
		if i%3 == 0 { // some at one time, some late
			records[i].Time = records[i/2].Time
		}
	}
	want := encodeAll(t, NewEncoder(testLabels, testTrial, 1, 0), records)
	for range 3 {
		if got := encodeAll(t, NewEncoder(testLabels, testTrial, 1, 0), records); !bytes.Equal(got, want) {
			t.Fatal("the same records give other lines")
		}
	}
}

func TestNoTwoPointsAreOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var records []results.Record
	for i := range 5000 {
		records = append(records, results.Record{
			Time: 1 + int64(i/10) + random.Int64N(20), Host: "h", Source: []string{"a", "b"}[random.IntN(2)], Name: "x", Value: float64(i),
			Unit:  []results.Unit{results.One, results.Seconds, results.Event}[random.IntN(3)],
			Attrs: map[string]string{"seq": fmt.Sprint(i), "kind": fmt.Sprint(random.IntN(3))},
		})
	}
	e := NewEncoder(testLabels, testTrial, 1, 0)
	lines := parseLines(t, encodeAll(t, e, records))
	next := NewEncoder(testLabels, testTrial, 2, e.Latest())
	lines = append(lines, parseLines(t, encodeAll(t, next, records))...) // all again: the clock was set back
	for i, p := range lines {
		if got := decodeLine(t, p); !sameRecord(got.Record, records[i%len(records)]) {
			t.Fatalf("record %d is %v, want %v", i, got, records[i%len(records)])
		}
	}
	seen := map[string]bool{}
	series := map[string]bool{}
	for _, p := range lines {
		key := fmt.Sprint(p.measurement, p.tags)
		series[key] = true
		if key = fmt.Sprint(key, p.time); seen[key] {
			t.Fatalf("two points are one: %s", key)
		}
		seen[key] = true
	}
	if next.Latest() != e.Latest() {
		t.Errorf("the latest time is %d, want %d", next.Latest(), e.Latest())
	}
	if len(series) > 2*6*2 {
		t.Errorf("%d series", len(series))
	}
	if again := lines[len(lines)-1].tags["again"]; again != "1-2" {
		t.Errorf("again is %q", again)
	}
}

// Late times are remembered within bounds, and what is forgotten makes no two points one.
func TestLateTimesAreBounded(t *testing.T) {
	e := NewEncoder(testLabels, testTrial, 1, 0)
	r := results.Record{Host: "h", Source: "s", Name: "x", Unit: results.One}
	seen := map[string]bool{}
	add := func(at int64) {
		r.Time = at
		line, err := e.Append(nil, r)
		fatal(t, err)
		key, _, _ := bytes.Cut(line, []byte(" "))
		point := fmt.Sprintf("%s %s", key, line[bytes.LastIndexByte(line, ' '):])
		if seen[point] {
			t.Fatalf("two points are one: %s", point)
		}
		seen[point] = true
	}
	add(1 << 40)
	for i := range int64(maxLate) {
		add(i)
	}
	for i := range int64(1000) { // those that were there before are forgotten
		if add(i); e.late > maxLate || e.era != 1 {
			t.Fatalf("%d late times are remembered, era %d", e.late, e.era)
		}
	}
}

func TestLevelsAreTags(t *testing.T) {
	trial := results.Trial{Order: 1, Treatment: "t", Levels: []results.Level{
		{Factor: "workload.rate", Value: "8MiB/s"}, {Factor: "host", Value: "a"}, {Factor: "kind"}, {Factor: "time", Value: "b,c"},
	}}
	p := parseLines(t, encodeAll(t, NewEncoder(testLabels, trial, 1, 0), []results.Record{{Host: "h", Name: "x", Attrs: map[string]string{"kind": "k"}}}))[0]
	want := map[string]string{"run": "r-1", "experiment": "exp", "treatment": "t", "host": "h", "kind": "k", "workload.rate": "8MiB/s", "%68ost": "a", "%74ime": "b,c"}
	if !reflect.DeepEqual(p.tags, want) {
		t.Errorf("tags are %v, want %v", p.tags, want)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, text := range oddTexts[:30] {
		f.Add("name", "host", "kind", text, "text", text, 1.5, int64(1))
		f.Add(text, text, text, text, text, text, math.Copysign(0, -1), int64(-1))
	}
	f.Fuzz(func(t *testing.T, name, host, k1, v1, k2, v2 string, value float64, at int64) {
		r := results.Record{Time: at, Host: host, Source: k2, Name: name, Value: value, Unit: results.One, Attrs: map[string]string{k1: v1, k2: v2}}
		line, err := NewEncoder(testLabels, testTrial, 1, math.MinInt64).Append(nil, r)
		if err != nil {
			return
		}
		lines := parseLines(t, line)
		if len(lines) != 1 {
			t.Fatalf("%q is %d lines", line, len(lines))
		}
		if got := decodeLine(t, lines[0]).Record; !sameRecord(got, r) {
			t.Errorf("%q is %#v, want %#v", line, got, r)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, text := range oddTexts[:30] {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		held := escape(s)
		if back := unescape(held); back != s {
			t.Errorf("%q is held as %q, which is %q", s, held, back)
		}
		for _, reserved := range []bool{false, true} {
			if back := unescape(string(escapeName(nil, s, reserved))); back != s {
				t.Errorf("the name %q comes back as %q", s, back)
			}
		}
		if held == "" || !utf8.ValidString(held) || strings.ContainsAny(held, "\\\n\r\x00") {
			t.Errorf("%q is held as %q", s, held)
		}
	})
}

// benchmarkRecords are of the kinds of which a trial has most.
func benchmarkRecords(n int) []results.Record {
	kinds := []results.Record{
		{Host: "client", Source: "echo", Name: "echo.rtt", Value: 0.000123456, Unit: results.Seconds, Attrs: map[string]string{"seq": "1234"}},
		{Host: "switch", Source: "capture/switch", Name: "flow.bytes", Value: 1448, Unit: results.Bytes, Attrs: map[string]string{"flow": "migration", "dir": "forward", "bin": "0.01"}},
		{Host: "machine", Source: "usage", Name: "host.cpu", Value: 12.5, Unit: results.Seconds, Attrs: map[string]string{"mode": "user"}},
		{Host: "src", Source: "guest", Name: "guest.heartbeat", Value: 3.25, Unit: results.Seconds, Attrs: map[string]string{"seq": "77", "mono": "123456789012"}},
		{Host: "machine", Source: "usage", Name: "thread.cpu", Value: 0.25, Unit: results.Seconds, Attrs: map[string]string{"process": "source", "pid": "4711", "thread": "CPU 0/TCG", "tid": "4712"}},
	}
	list := make([]results.Record, n)
	for i := range list {
		list[i] = kinds[i%len(kinds)]
		list[i].Time = 1_795_765_122_014_357_887 + int64(i)*1000
		list[i].Value += float64(i) * 1e-6
	}
	return list
}

func BenchmarkAppend(b *testing.B) {
	records := benchmarkRecords(10_000)
	e := NewEncoder(testLabels, testTrial, 1, 0)
	var out []byte
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		out = out[:0]
		for i := range records {
			records[i].Time += 10_000_000
			out, _ = e.Append(out, records[i])
		}
		n += len(records)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	_ = slices.Clip(out)
}
