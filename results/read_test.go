package results

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

// What is scanned must be what encoding/json reads, to the bit, and errors must say the same.
func equalsJSON(t *testing.T, text []byte) {
	t.Helper()
	got, gotErr := decodeRecords(bytes.NewReader(text))
	want, wantErr := decodeRest(nil, bytes.NewReader(text))
	if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Errorf("%q: error %v, want %v", text, gotErr, wantErr)
	}
	if len(got) != len(want) {
		t.Fatalf("%q: %d records, want %d", text, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) || math.Signbit(got[i].Value) != math.Signbit(want[i].Value) {
			t.Errorf("%q: record %d is %#v, want %#v", text, i+1, got[i], want[i])
		}
	}
}

// lines are records as they may stand in a file, and as they may not.
var lines = []string{
	`{"t":1795765122014357887,"h":"controller","s":"runner","n":"trial.state","a":{"state":"prepare"}}`,
	`{"t":1,"h":"src","s":"qmp","n":"x","v":0.000123,"u":"s","a":{"a":"1","b":"2"}}`,
	`{"t":9223372036854775807,"h":"","s":"","n":"","v":-1e-7}`, `{"t":9223372036854775808,"h":"","s":"","n":""}`,
	`{"t":-5,"h":"a","s":"b","n":"c","v":-0}`, `{"t":0,"h":"a","s":"b","n":"c","v":1e400}`, `{"t":01,"h":"a","s":"b","n":"c"}`,
	`{"t":1,"h":"a","s":"b","n":"c","v":01}`, `{"t":1,"h":"a","s":"b","n":"c","v":0x1}`, `{"t":1,"h":"a","s":"b","n":"c","v":1.}`,
	`{"t":1,"h":"a","s":"b","n":"c","v":.5}`, `{"t":1,"h":"a","s":"b","n":"c","v":+1}`, `{"t":1,"h":"a","s":"b","n":"c","v":1_0}`,
	`{"t":1,"h":"a","s":"b","n":"c","v":1e}`, `{"t":1,"h":"a","s":"b","n":"c","v":}`, `{"t":1.5,"h":"a","s":"b","n":"c"}`,
	`{"t":1,"h":"\u003cµ\"","s":"b","n":"é","a":{"x":"\\"}}`, "{\"t\":1,\"h\":\"\xff\",\"s\":\"b\",\"n\":\"c\"}",
	`{"t":1,"h":"a","s":"b","n":"c","a":{}}`, `{"t":1,"h":"a","s":"b","n":"c","a":null}`, `{"t":1,"h":"a","s":"b","n":"c","a":{"k":"1","k":"2"}}`,
	`{"t":1,"h":"a","s":"b","n":"c","a":{"k":"1",}}`, `{"t":1,"h":"a","s":"b","n":"c","a":{"k":"1"}`, `{"t":1,"h":"a","s":"b","n":"c","a":{"k":1}}`,
	`{"h":"a","t":1,"n":"c","s":"b"}`, `{"T":1,"H":"a"}`, `{"t":1,"h":"a","s":"b","n":"c","more":[1]}`, `{"t":1,"h":"a","s":"b","n":"c","u":"s","v":2}`,
	` {"t":1,"h":"a","s":"b","n":"c"} `, `{"t":1,"h":"a","s":"b","n":"c"}{"t":2,"h":"a","s":"b","n":"c"}`,
	"{\"t\":1,\n\"h\":\"a\"}", `{"t":1,"h":"a","s":"b","n":"c"}x`, ``, `null`, `[]`, `7`, `{`, "{\"t\":1,\"h\":\"a\tb\"}",
	`{"t":1,"h":"a","s":"b","n":"c","a":{"k":"1"}}}`, `{"t":1,"h":"a","s":"b","n":"c","a":{"k":"1"}},`,
	`{"t":1,"h":"a","s":"b","n":"` + strings.Repeat("x", 300<<10) + `"}`,
}

func TestScanIsWhatJSONReads(t *testing.T) {
	good := lines[0] + "\n" + lines[1] + "\n"
	for _, line := range lines {
		for _, text := range []string{line, line + "\n", line + "\r\n", good + line, good + line + "\n" + good, line + "\n" + line + "\n\n"} {
			equalsJSON(t, []byte(text))
		}
	}
	for cut := range len(good) {
		equalsJSON(t, []byte(good[:cut]))
	}
}

// A scanner that never scanned would be as right, and slow.
func TestScanTakesWhatIsWritten(t *testing.T) {
	s := newScanner()
	for _, want := range manyRecords(100) {
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Record
		if !s.scan(line, &got) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: scanned %+v", line, got)
		}
	}
}

// Of texts that never repeat, few are remembered, and all are read.
func TestScanForgets(t *testing.T) {
	var b bytes.Buffer
	for i := range maxTexts + 100 {
		fmt.Fprintf(&b, `{"t":%d,"h":"a","s":"b","n":"n%d","a":{"k":"%d"}}`+"\n", i, i, i)
	}
	equalsJSON(t, b.Bytes())
}

// The error of the stream itself comes after all that could be read.
func TestScanPassesOnErrors(t *testing.T) {
	for _, text := range []string{"", lines[0], lines[0] + "\n", lines[0] + "\n{"} {
		in := func() io.Reader { return io.MultiReader(strings.NewReader(text), failedReader{io.ErrClosedPipe}) }
		got, gotErr := decodeRecords(in())
		want, wantErr := decodeRest(nil, in())
		if len(got) != len(want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || gotErr == nil {
			t.Errorf("%q: %d records, %v; want %d, %v", text, len(got), gotErr, len(want), wantErr)
		}
	}
}

func FuzzDecodeRecords(f *testing.F) {
	for _, line := range lines[:len(lines)-1] {
		f.Add([]byte(line + "\n" + lines[1] + "\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) { equalsJSON(t, data) })
}

// manyRecords are like those of a trial: of few kinds, with values that do not repeat.
func manyRecords(n int) []Record {
	list := make([]Record, n)
	for i := range list {
		at := int64(1_795_765_122_014_357_887) + int64(i)*2_000_000
		list[i] = []Record{
			{Time: at, Host: "client", Source: "echo", Name: "echo.rtt", Value: 0.000123456 + float64(i)*1e-9, Unit: Seconds, Attrs: map[string]string{"seq": fmt.Sprint(i)}},
			{Time: at, Host: "switch", Source: "capture/switch", Name: "flow.bytes", Value: float64(i * 1448), Unit: Bytes, Attrs: map[string]string{"flow": "migration", "dir": "forward", "bin": "0.01"}},
			{Time: at, Host: "machine", Source: "usage", Name: "host.cpu", Value: float64(i) / 100, Unit: Seconds, Attrs: map[string]string{"mode": "user"}},
			{Time: at, Host: "src", Source: "qmp", Name: "vm.stop"},
		}[i%4]
	}
	return list
}

func BenchmarkReadRecords(b *testing.B) {
	const n = 10_000
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	enc := json.NewEncoder(z)
	for _, r := range manyRecords(n) {
		if err := enc.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	read := func(decode func(io.Reader) ([]Record, error)) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				z, err := gzip.NewReader(bytes.NewReader(packed.Bytes()))
				if err != nil {
					b.Fatal(err)
				}
				if all, err := decode(z); err != nil || len(all) != n {
					b.Fatal(len(all), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
		}
	}
	b.Run("scan", read(decodeRecords))
	b.Run("encoding-json", read(func(in io.Reader) ([]Record, error) { return decodeRest(nil, in) }))
	b.Run("gzip-alone", read(func(in io.Reader) ([]Record, error) {
		_, err := io.Copy(io.Discard, in)
		return make([]Record, n), err
	}))
}
