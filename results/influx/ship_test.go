package influx

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// daemon is a real InfluxDB that ends with the test.
func daemon(t testing.TB, auth bool) *influxtest.Daemon {
	t.Helper()
	path, err := influxtest.FindDaemon(os.Getenv("VIRTSCOPE_INFLUXD"))
	if err != nil {
		t.Skip(err)
	}
	d, err := influxtest.StartDaemon(path, t.TempDir(), auth)
	must(t, err)
	t.Cleanup(d.Kill)
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func createDB(t testing.TB, d *influxtest.Daemon, name string) {
	t.Helper()
	_, err := d.Query(t.Context(), "", "CREATE DATABASE "+name, "", "")
	must(t, err)
}

const epoch = int64(1_790_000_000_000_000_000)

// record is the i-th of an attempt: streams of several sources, some at one time, some late, values of all sizes.
func record(i int) results.Record {
	at := epoch + int64(i)*1_000_003
	switch i % 7 {
	case 0:
		return results.Record{Time: at, Host: "src", Source: "usage", Name: "cpu.busy", Value: math.Sqrt(float64(i)) / 3, Unit: results.One, Attrs: map[string]string{"process": "qemu"}}
	case 1:
		return results.Record{Time: at, Host: "src", Source: "qmp", Name: "migration.dirty", Value: float64(i) * 4096, Unit: results.BytesPerSecond}
	case 2:
		return results.Record{Time: at - 1_000_003, Host: "client", Source: "echo", Name: "echo.rtt", Value: 1e-9 * float64(i), Unit: results.Seconds, Attrs: map[string]string{"guest": "vm1"}}
	case 3:
		return results.Record{Time: at, Host: "dst", Source: "qmp", Name: "vm.resume", Attrs: map[string]string{"id": fmt.Sprint(i), "text": `a "quoted" text, of = signs`}}
	case 4:
		return results.Record{Time: at / 10_000_000_000 * 10_000_000_000, Host: "src", Source: "usage", Name: "memory", Value: float64(i % 3), Unit: results.Bytes}
	case 5:
		return results.Record{Time: at - 50_000_000, Host: "src", Source: "capture/src", Name: "frames", Value: -math.MaxFloat64 / float64(i), Unit: results.One, Attrs: map[string]string{"direction": "out"}}
	}
	return results.Record{Time: at, Host: "src", Source: "usage", Name: "power", Value: math.Nextafter(float64(i), 0), Unit: results.Watts}
}

// makeRun makes a run of some trials, each of n records.
func makeRun(t testing.TB, trials, n int) *results.Run {
	t.Helper()
	var plan []results.Trial
	for i := range trials {
		plan = append(plan, results.Trial{
			ID: fmt.Sprintf("%04d-x", i+1), Order: i + 1, Treatment: fmt.Sprintf("rate=%d", i%2), Replicate: 1 + i/2,
			Levels: []results.Level{{Factor: "workload.rate", Value: fmt.Sprint(i % 2)}},
		})
	}
	r, err := results.Create(t.TempDir(), results.Manifest{Format: results.ManifestFormat, Run: "run-1", Name: "exp"}, []byte("x"), plan)
	must(t, err)
	for i, trial := range plan {
		a := beginAttempt(t, r, trial)
		feed(a, i*n, n)
		must(t, a.Finish(&results.Outcome{Trial: trial, Attempt: 1, Verdict: results.Completed}))
	}
	return r
}

func feed(a *results.Attempt, from, n int) {
	for k := range n {
		if k%50_000 == 49_999 {
			time.Sleep(50 * time.Millisecond) // the disk keeps up: nothing is dropped
		}
		a.Record(record(from + k))
	}
}

func beginAttempt(t testing.TB, r *results.Run, trial results.Trial) *results.Attempt {
	t.Helper()
	a, number, err := r.Begin(trial)
	must(t, err)
	j, err := r.Journal()
	must(t, err)
	must(t, j.Append(results.Entry{Event: results.TrialBegin, Trial: trial.ID, Attempt: number}))
	must(t, j.Close())
	return a
}

func target(url, db string) Target { return Target{URL: url, Bucket: db + "/autogen"} }

func ship(t testing.TB, s *Shipper) {
	t.Helper()
	must(t, s.Ship(t.Context()))
}

// points are those of a database or of lines: fields by series and time.
type points map[string]map[string]any

// wanted are the points of the run's records on disk.
func wanted(t testing.TB, r *results.Run) points {
	t.Helper()
	all, err := r.Attempts()
	must(t, err)
	out := points{}
	before := int64(0)
	for _, a := range all {
		e := NewEncoder(Labels{Run: r.Manifest.Run, Experiment: r.Manifest.Name}, a.Trial, a.Number, before)
		tail := results.NewTail(a.Dir)
		tail.Over = func() bool { return true }
		must(t, tail.Each(t.Context(), 1000, func(records []results.Record) error {
			for _, rec := range records {
				line, err := e.Append(nil, rec)
				if err == nil {
					out.parse(t, line)
				}
			}
			return nil
		}))
		before = e.Latest()
	}
	return out
}

func (p points) parse(t testing.TB, line []byte) {
	t.Helper()
	d := lineprotocol.NewDecoderWithBytes(line)
	for d.Next() {
		m, err := d.Measurement()
		must(t, err)
		tags := map[string]string{}
		for {
			k, v, err := d.NextTag()
			must(t, err)
			if k == nil {
				break
			}
			tags[string(k)] = string(v)
		}
		fields := map[string]any{}
		for {
			k, v, err := d.NextField()
			must(t, err)
			if k == nil {
				break
			}
			fields[string(k)] = v.Interface()
		}
		at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
		must(t, err)
		key := pointKey(string(m), tags, at.UnixNano())
		if p[key] != nil {
			t.Fatalf("two points at %s", key)
		}
		p[key] = fields
	}
}

func pointKey(measurement string, tags map[string]string, at int64) string {
	var list []string
	for k, v := range tags {
		if v != "" {
			list = append(list, k+"="+v)
		}
	}
	sort.Strings(list)
	return fmt.Sprintf("%s,%s %d", measurement, strings.Join(list, ","), at)
}

// served reads every point of a database.
func served(t testing.TB, d *influxtest.Daemon, db string) points {
	t.Helper()
	answer, err := d.Query(context.Background(), db, "SELECT * FROM /.*/ GROUP BY *", "", "")
	must(t, err)
	var a struct {
		Results []struct {
			Series []struct {
				Name    string
				Tags    map[string]string
				Columns []string
				Values  [][]any
			}
		}
	}
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.UseNumber()
	must(t, dec.Decode(&a))
	out := points{}
	for _, r := range a.Results {
		for _, s := range r.Series {
			for _, row := range s.Values {
				fields := map[string]any{}
				var at int64
				for i, v := range row {
					if n, ok := v.(json.Number); ok && s.Columns[i] == "time" {
						at, err = n.Int64()
						must(t, err)
					} else if v != nil {
						fields[s.Columns[i]] = v
					}
				}
				out[pointKey(s.Name, s.Tags, at)] = fields
			}
		}
	}
	return out
}

// same compares point by point and value by value, to the bit.
func same(t testing.TB, got, want points) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d points, want %d", len(got), len(want))
	}
	bad := 0
	for key, fields := range want {
		if text := difference(got[key], fields); text != "" {
			if bad++; bad <= 3 {
				t.Errorf("%s: %s", key, text)
			}
		}
	}
	if bad > 3 {
		t.Errorf("%d points differ", bad)
	}
}

func difference(got, want map[string]any) string {
	if len(got) != len(want) {
		return fmt.Sprintf("fields %v, want %v", got, want)
	}
	for k, w := range want {
		g := got[k]
		if n, ok := g.(json.Number); ok {
			switch w := w.(type) {
			case int64:
				if v, err := n.Int64(); err != nil || v != w {
					return fmt.Sprintf("%s is %v, want %v", k, g, w)
				}
				continue
			case float64:
				if v, err := n.Float64(); err != nil || math.Float64bits(v) != math.Float64bits(w) {
					return fmt.Sprintf("%s is %v, want %v", k, g, w)
				}
				continue
			}
		}
		if g != w {
			return fmt.Sprintf("%s is %v, want %v", k, g, w)
		}
	}
	return ""
}

// A run that is over arrives whole, to the bit; a second time changes nothing, and nothing is sent without need.
func TestShipARun(t *testing.T) {
	d := daemon(t, false)
	createDB(t, d, "a")
	r := makeRun(t, 3, 6_000)
	s := &Shipper{Run: r, Target: target(d.URL, "a")}
	ship(t, s)
	want := wanted(t, r)
	same(t, served(t, d, "a"), want)
	if got := s.Status(); got.Records != 18_000 || got.Sent != 18_000 || got.Refused != 0 || got.Trouble != "" {
		t.Errorf("status %+v", got)
	}
	next := &Shipper{Run: r, Target: target(d.URL, "a")}
	ship(t, next)
	if got := next.Status(); got.Records != 18_000 || got.Sent != 0 {
		t.Errorf("after nothing was left: %+v", got)
	}
	again := &Shipper{Run: r, Target: target(d.URL, "a"), Again: true}
	ship(t, again)
	if got := again.Status(); got.Records != 18_000 || got.Sent != 18_000 {
		t.Errorf("again: %+v", got)
	}
	same(t, served(t, d, "a"), want)
}
