package influx

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"
)

// What the dashboard's queries make of points, on a real server.
func TestDashboardCurves(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), true)
	t.Run("joined", func(t *testing.T) { testJoinedSeries(t, server) })
	t.Run("burst", func(t *testing.T) { testRateOfABurst(t, server) })
	t.Run("counters", func(t *testing.T) { testRatesOfCounters(t, server) })
}

// curvesOf asks a panel's query, and returns its points: by time, then by the tags of its line.
func curvesOf(t *testing.T, server *influxtest.Server, bucket, panel string, begin, end time.Time) map[string]map[string]float64 {
	t.Helper()
	out := map[string]map[string]float64{}
	found := false
	for _, q := range dashboardQueries(t) {
		if q.where != "panel "+panel {
			continue
		}
		found = true
		for _, row := range fluxRows(t, server.URL, q.where, q.flux(bucket, begin, end)) {
			v, err := strconv.ParseFloat(row["_value"], 64)
			fatal(t, err)
			at, err := time.Parse(time.RFC3339Nano, row["_time"])
			fatal(t, err)
			key := at.Sub(begin).String()
			if out[key] == nil {
				out[key] = map[string]float64{}
			}
			line := row["guest"] + row["flow"] + row["dir"]
			if _, twice := out[key][line]; twice {
				t.Errorf("%s: two points of one line at %s", panel, key)
			}
			out[key][line] = v
		}
	}
	if !found {
		t.Fatalf("no panel %s", panel)
	}
	return out
}

func encodeTrials(t *testing.T, trials map[int][]results.Record, change func(*results.Trial)) []byte {
	t.Helper()
	var text []byte
	before := int64(0)
	for i := range len(trials) {
		trial := testTrial
		trial.Order = i + 1
		if change != nil {
			change(&trial)
		}
		e := NewEncoder(testLabels, trial, 1, before)
		text = append(text, encodeAll(t, e, trials[i])...)
		before = e.Latest()
	}
	return text
}

// Windows are of 200 ms. What is counted or summed in one is of all series of a line: guests, treatments, and what came late.
func testJoinedSeries(t *testing.T, server *influxtest.Server) {
	server.Create(t, "joined")
	begin := time.Unix(1_790_000_000, 0)
	at := func(ms int) int64 { return begin.Add(time.Duration(ms) * time.Millisecond).UnixNano() }
	lost := func(ms int, guest string) results.Record {
		return results.Record{Time: at(ms), Host: "client", Source: "echo", Name: results.EchoLost, Attrs: map[string]string{"seq": "1", "guest": guest}}
	}
	bytes := func(ms int, n float64) results.Record {
		return results.Record{Time: at(ms), Host: "switch", Source: "capture", Name: results.FlowPayload, Value: n, Unit: results.Bytes, Attrs: map[string]string{"flow": "migration", "dir": "forward"}}
	}
	says := func(ms int, v float64, trigger string) results.Record {
		return results.Record{Time: at(ms), Host: "src", Source: "qmp", Name: results.MigrationDirtyRate, Value: v, Unit: results.BytesPerSecond, Attrs: map[string]string{"guest": "a", "trigger": trigger}}
	}
	text := encodeTrials(t, map[int][]results.Record{
		0: {lost(10, "a"), lost(30, "a"), lost(20, "a"), lost(50, "b"), bytes(610, 1e6), bytes(650, 3e6), bytes(900, 5e6), says(10, 0, "poll"), says(20, 7, "poll"), says(30, 9, "pass"), says(40, 0, "final")},
		1: {lost(60, "a"), bytes(670, 4e6)},
	}, func(trial *results.Trial) {
		if trial.Order == 2 {
			trial.Treatment, trial.Levels = "other", nil
		}
	})
	fatal(t, server.Write(t, "joined", text))
	ask := func(panel string, end int) map[string]map[string]float64 {
		return curvesOf(t, server, "joined/autogen", panel, begin, begin.Add(time.Duration(end)*time.Millisecond))
	}
	if got := ask("Echo: probes without an answer 0", 1000); len(got) != 1 || got["0s"][""] != 5 {
		t.Errorf("lost: %v", got)
	}
	for end, want := range map[int]map[string]float64{1000: {"600ms": 8e6 / 0.2, "800ms": 5e6 / 0.2}, 950: {"600ms": 8e6 / 0.2}} {
		got := ask("Throughput on the link: mean of each window, idle time included 1", end)
		if len(got) != len(want) {
			t.Errorf("throughput until %d ms: %v", end, got)
		}
		for key, v := range want {
			if math.Abs(got[key]["migrationforward"]-v) > 1e-3 {
				t.Errorf("throughput until %d ms: %v, want %v", end, got, want)
			}
		}
	}
	if got := ask("Dirty rate against link rate 1", 1000); len(got) != 1 || got["0s"]["a"] != 8 {
		t.Errorf("the hypervisor says: %v", got) // the median of 7 and 9: 0 is what it does not know
	}
}

// Messages that were read together have one arrival, and points some ns apart: their rate is that of the time before them, and the first ones have none.
func testRateOfABurst(t *testing.T, server *influxtest.Server) {
	server.Create(t, "burst")
	begin := time.Unix(1_790_000_000, 0)
	var records []results.Record
	for i := range 40 {
		at := i
		if i%10 < 3 {
			at = i/10*10 + 3 // three wait for the next
		}
		records = append(records, results.Record{
			Time: begin.Add(time.Duration(at) * 30 * time.Millisecond).UnixNano(), Host: "src", Source: "guest", Name: results.GuestDirtied,
			Value: float64(i) * 2e6, Unit: results.Bytes, Attrs: map[string]string{"guest": "a", "mono": strconv.Itoa(i)},
		})
	}
	fatal(t, server.Write(t, "burst", encodeTrials(t, map[int][]results.Record{0: records}, nil)))
	got := curvesOf(t, server, "burst/autogen", "Dirty rate against link rate 0", begin, begin.Add(4*time.Second))
	if len(got) < 5 {
		t.Errorf("%d windows", len(got))
	}
	for at, v := range got {
		if math.Abs(v["a"]-2e6/0.03) > 1e3 {
			t.Errorf("%s: %g B/s", at, v["a"])
		}
	}
}

// Counters begin anew with each trial, and with each process, in the same series: no rate is taken from one to the other, and none where one goes down.
func testRatesOfCounters(t *testing.T, server *influxtest.Server) {
	server.Create(t, "counters")
	begin := time.Unix(1_790_000_000, 0)
	var text []byte
	before := int64(0)
	// Begin, in s, and what the counters have by then: the second trial's are higher, the third's lower, and the fourth's go down within it.
	for i, c := range []struct{ at, from float64 }{{0, 5}, {30, 4000}, {60, 7}, {90, 9}} {
		trial := testTrial
		trial.Order = i + 1
		e := NewEncoder(testLabels, trial, 1, before)
		var records []results.Record
		for k := range 20 {
			at := begin.Add(time.Duration((c.at + float64(k)/2) * 1e9)).UnixNano()
			value := c.from + float64(k)/4 // half a CPU
			if i == 3 && k >= 10 {
				value -= c.from + 2
			}
			records = append(records,
				results.Record{Time: at, Host: "h", Source: "usage", Name: results.HostCPU, Value: value, Unit: results.Seconds, Attrs: map[string]string{"mode": "user"}},
				results.Record{Time: at, Host: "h", Source: "usage", Name: results.ProcessCPU, Value: value, Unit: results.Seconds, Attrs: map[string]string{"process": "qemu", "pid": "11"}},
				results.Record{Time: at, Host: "h", Source: "usage", Name: results.ProcessCPU, Value: 900 - float64(k), Unit: results.Seconds, Attrs: map[string]string{"process": "qemu", "pid": "12"}},
				results.Record{Time: at, Host: "h", Source: "usage", Name: results.ProcessCPU, Value: 70 + value/2, Unit: results.Seconds, Attrs: map[string]string{"process": "qemu", "pid": "13"}})
		}
		text = append(text, encodeAll(t, e, records)...)
		before = e.Latest()
	}
	fatal(t, server.Write(t, "counters", text))
	panels := 0
	for _, q := range dashboardQueries(t) {
		if !strings.Contains(q.where, "CPU of the") {
			continue
		}
		panels++
		rows := fluxRows(t, server.URL, q.where, q.flux("counters/autogen", begin, begin.Add(2*time.Minute)))
		if len(rows) < 4*18 {
			t.Errorf("%s: %d rows", q.where, len(rows))
		}
		for _, row := range rows {
			if v, err := strconv.ParseFloat(row["_value"], 64); err != nil || math.Abs(v-0.5) > 1e-6 {
				t.Errorf("%s: %v", q.where, row)
			}
		}
	}
	if panels != 2 {
		t.Errorf("%d panels", panels)
	}
}
