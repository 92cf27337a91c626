package main

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

// reports are those of a workload that wrote so much by so many ms of the guest's clock.
func reports(pairs ...float64) []results.Record {
	var list []results.Record
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, results.Record{
			Time: int64(i), Name: results.GuestDirtied, Value: pairs[i+1],
			Attrs: map[string]string{"mono": strconv.FormatInt(int64(pairs[i]*1e6), 10)},
		})
	}
	return list
}

func TestDirtyTrace(t *testing.T) {
	const m = 1 << 20
	records := append(reports(5100, 6*m, 5000, 4*m), reports(5500, 8*m, 6000, 16*m, 6400, 17*m)...) // one came late
	records = append(records, results.Record{Name: results.GuestHeartbeat})
	for step, want := range map[time.Duration]string{
		time.Second:            "0s 12MiB/s, 1s",
		500 * time.Millisecond: "0s 8MiB/s, 500ms 16MiB/s, 1s",
		100 * time.Millisecond: "0s 20MiB/s, 100ms 5MiB/s, ",
	} {
		points, err := dirtyTrace(records, step)
		got := spec.FormatTrace(points)
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, %v", step, got, err)
		}
		again, err := spec.Workload{Trace: got}.TracePoints()
		if err != nil || len(again) != len(points) {
			t.Errorf("%s: the language reads %v, %v", got, again, err)
		}
	}
}

// TestLongestTraceFitsRequest: the guest's agent takes requests of up to 8 MiB.
func TestLongestTraceFitsRequest(t *testing.T) {
	r := agent.Request{ID: math.MaxInt64, Op: agent.OpStart, Workload: &agent.Workload{Kind: "replay"}}
	for range spec.MaxTracePoints {
		r.Workload.Trace = append(r.Workload.Trace, agent.TracePoint{At: math.MaxInt64, Rate: 0.0000012345678901234567})
	}
	text, err := json.Marshal(r)
	if most := 8 << 20; err != nil || len(text) > most/2 { // the rest of a request is small
		t.Errorf("it takes %d B of %d: %v", len(text), most, err)
	}
}

func TestDirtyTraceRefuses(t *testing.T) {
	bad := reports(100, 1, 200, 2)
	bad[1].Attrs["mono"] = "soon"
	for name, c := range map[string]struct {
		records []results.Record
		want    string
	}{
		"nothing":         {nil, "fewer than two"},
		"one":             {reports(100, 1), "fewer than two"},
		"short":           {reports(100, 1, 300, 2), "at most 200ms"},
		"backward":        {reports(100, 9, 2200, 2), "goes down"},
		"long":            {reports(0, 1, 20_000e3, 2), "longer --step"},
		"nothing written": {reports(100, 7, 1200, 7, 2300, 300), "workload.kind: idle"},
		"no clock":        {bad, "guest's clock"},
	} {
		if _, err := dirtyTrace(c.records, time.Second); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
