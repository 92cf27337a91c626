package guest

import (
	"reflect"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

func TestAgentReporter(t *testing.T) {
	var got []results.Record
	report := AgentReporter(results.RecorderFunc(func(r results.Record) { got = append(got, r) }))
	at := time.Unix(1, 500)
	for _, m := range []agent.Message{
		{Mono: 1e9, Hello: &agent.Hello{TickNS: 1e6, MissNS: 3e6}},
		{Mono: 2e9, Hello: &agent.Hello{TickNS: 1e6, MissNS: 3e6}},
		{Mono: 1_020_000_001, Heartbeat: &agent.Heartbeat{Seq: 2, MaxStep: 5}},
		{Mono: 9, TickMiss: &agent.TickMiss{Start: 1_000_000, End: 8_500_000}},
		{Mono: 10, Progress: &agent.Progress{Dirtied: 4096, Late: 2_000_000}},
		{ID: 4, Mono: 11, Verdict: &agent.Verdict{Verified: 40960}},
		{ID: 5, Mono: 12, Verdict: &agent.Verdict{Verified: 40960, Corrupt: 2, First: 0, Detail: "bad"}},
		{Mono: 13, Log: "dropped 3 messages"},
		{ID: 6, Mono: 14},
		{Mono: 15, Progress: &agent.Progress{Dirtied: 8192, Asked: 12288, Late: 1_000_000, Parts: []agent.Part{
			{Kind: "cpu", Ops: 3},
			{Kind: "disk", Ops: 5, Bytes: 20480, Late: 250_000_000, Error: "it broke"},
			{Kind: "net", Ops: 7, Bytes: 70},
		}}},
		{Mono: 16, Progress: &agent.Progress{Uncounted: "kv", Parts: []agent.Part{{Kind: "kv", Ops: 9}}}},
		{Mono: 16, Progress: &agent.Progress{Uncounted: "redis"}}, // no news of it
		{Mono: 16, Progress: &agent.Progress{Dirtied: 4096, Uncounted: "disk,kv"}},
		{Mono: 17, Progress: &agent.Progress{Parts: []agent.Part{{Kind: "cpu", Ops: 4}}}},
		{Mono: 500, Stall: &agent.DiskStall{Start: 100_000_000, End: 350_000_000}},
		{ID: 7, Mono: 700, Verdict: &agent.Verdict{DiskVerified: 81920, DiskCorrupt: 3, Detail: "bad"}},
		{Mono: 600, Disk: &agent.DiskTimes{Counts: []int64{0, 2, 31}, Max: 3_500}},
	} {
		report(m, at, "src")
	}
	record := func(name string, v float64, u results.Unit, attrs map[string]string) results.Record {
		return results.Record{Time: at.UnixNano(), Host: "src", Source: results.SourceGuest, Name: name, Value: v, Unit: u, Attrs: attrs}
	}
	want := []results.Record{
		record(results.GuestTickInfo, 0.001, results.Seconds, map[string]string{"threshold": "0.003"}),
		record(results.GuestReady, 0, results.Event, map[string]string{"mono": "1000000000"}),
		record(results.GuestHeartbeat, 1.020000001, results.Seconds, map[string]string{"seq": "2", "mono": "1020000001"}),
		record(results.GuestTickMiss, 0.0075, results.Seconds, map[string]string{"mono": "8500000"}),
		record(results.GuestDirtied, 4096, results.Bytes, map[string]string{"mono": "10", "late": "0.002"}),
		record(results.MemoryVerified, 40960, results.Bytes, map[string]string{"mono": "11"}),
		record(results.MemoryCorrupt, 0, results.One, map[string]string{"mono": "11"}),
		record(results.MemoryVerified, 32768, results.Bytes, map[string]string{"mono": "12"}),
		record(results.MemoryCorrupt, 2, results.One, map[string]string{"mono": "12", "first": "0", "detail": "bad"}),
		record(results.GuestLog, 0, results.Event, map[string]string{"mono": "13", "text": "dropped 3 messages"}),
		record(results.GuestDirtied, 8192, results.Bytes, map[string]string{"mono": "15", "late": "0.001"}),
		record(results.GuestAsked, 12288, results.Bytes, map[string]string{"mono": "15"}),
		record(results.GuestWork, 3, results.One, map[string]string{"mono": "15", "kind": "cpu"}),
		record(results.GuestWork, 5, results.One, map[string]string{"mono": "15", "kind": "disk", "bytes": "20480", "late": "0.25", "error": "it broke"}),
		record(results.GuestWork, 7, results.One, map[string]string{"mono": "15", "kind": "net", "bytes": "70"}),
		record(results.GuestWork, 9, results.One, map[string]string{"mono": "16", "kind": "kv"}),
		record(results.GuestDirtied, 4096, results.Bytes, map[string]string{"mono": "16", "late": "0", "uncounted": "disk,kv"}),
		record(results.GuestDirtied, 0, results.Bytes, map[string]string{"mono": "17", "late": "0"}),
		record(results.GuestWork, 4, results.One, map[string]string{"mono": "17", "kind": "cpu"}),
		record(results.GuestDiskStall, 0.25, results.Seconds, map[string]string{"mono": "350000000"}),
		record(results.MemoryVerified, 0, results.Bytes, map[string]string{"mono": "700"}),
		record(results.MemoryCorrupt, 0, results.One, map[string]string{"mono": "700", "detail": "bad"}),
		record(results.DiskVerified, 69632, results.Bytes, map[string]string{"mono": "700"}),
		record(results.DiskCorrupt, 3, results.One, map[string]string{"mono": "700", "detail": "bad"}),
		record(results.GuestDiskTimes, 3.5e-6, results.Seconds, map[string]string{"mono": "600", "counts": "0,2,31"}),
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("record %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

// What a guest says of its start is recorded once where it was, and nothing where it is not known.
func TestReportsOfStarts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		reporter func(results.Recorder) func(agent.Message, time.Time, string)
		said     []agent.Message
		want     []results.Record
	}{
		{
			"booted", AgentReporter,
			[]agent.Message{
				{Mono: 5, Heartbeat: &agent.Heartbeat{Seq: 1}},
				{Mono: 7, Hello: &agent.Hello{TickNS: 1e6, MissNS: 3e6}},
				{Mono: 8, Boot: &agent.Boot{KernelEnd: new(int64(3)), Line: "Run /init", Init: new(int64(4)), Network: new(int64(6)), NetworkBegin: new(int64(5)), LogBound: 1}},
				{ID: 2, Mono: 9, Boot: &agent.Boot{Init: new(int64(4))}},
				{ID: 3, Mono: 10, Identity: &agent.Identity{Name: "a"}},
				{ID: 4, Mono: 11, Identity: &agent.Identity{Name: "b", Address: "10.0.0.1/8", MAC: "52:54:00:00:00:01"}, Given: true},
				{ID: 5, Mono: 12, VCPUs: 2, Asked: 2},
				{ID: 6, Mono: 13, Units: &agent.Units{
					Stages: map[string]int64{"userspace": 2e9, "kernel": 1e9},
					Units:  []agent.Unit{{Name: "ssh.service", Active: 25e8, Activating: 5e8}},
				}},
			},
			[]results.Record{
				{Name: results.GuestHeartbeat, Value: 5e-9, Unit: results.Seconds, Attrs: map[string]string{"seq": "1", "mono": "5"}},
				{Name: results.GuestTickInfo, Value: 0.001, Unit: results.Seconds, Attrs: map[string]string{"threshold": "0.003"}},
				{Name: results.GuestReady, Attrs: map[string]string{"mono": "7"}},
				{Name: results.BootKernelEnd, Attrs: map[string]string{"mono": "4", "bound": "2e-09", "text": "Run /init"}},
				{Name: results.BootInit, Attrs: map[string]string{"mono": "4"}},
				{Name: results.BootNetwork, Attrs: map[string]string{"mono": "6", "bound": "1e-09"}},
				{Name: results.GuestIdentified, Attrs: map[string]string{"name": "b", "address": "10.0.0.1/8", "mac": "52:54:00:00:00:01", "mono": "11"}},
				{Name: results.GuestVCPUsGiven, Value: 2, Unit: results.One, Attrs: map[string]string{"asked": "2", "mono": "12"}},
				{Name: results.BootStage, Value: 1, Unit: results.Seconds, Attrs: map[string]string{"stage": "kernel"}},
				{Name: results.BootStage, Value: 2, Unit: results.Seconds, Attrs: map[string]string{"stage": "userspace"}},
				{Name: results.BootUnit, Value: 2.5, Unit: results.Seconds, Attrs: map[string]string{"unit": "ssh.service", "mono": "2500000000", "activating": "0.5"}},
			},
		},
		{
			"restored", RestoredReporter,
			[]agent.Message{
				{Log: "left out the end of a message"}, // the client's own words
				{Mono: 5, Heartbeat: &agent.Heartbeat{Seq: 70}},
				{ID: 1, Mono: 7, Hello: &agent.Hello{TickNS: 1e6, MissNS: 3e6}},
			},
			[]results.Record{
				{Name: results.GuestLog, Attrs: map[string]string{"text": "left out the end of a message", "mono": "0"}},
				{Name: results.GuestReady, Attrs: map[string]string{"mono": "5"}},
				{Name: results.GuestHeartbeat, Value: 5e-9, Unit: results.Seconds, Attrs: map[string]string{"seq": "70", "mono": "5"}},
				{Name: results.GuestTickInfo, Value: 0.001, Unit: results.Seconds, Attrs: map[string]string{"threshold": "0.003"}},
			},
		},
	} {
		var got []results.Record
		report := tt.reporter(results.RecorderFunc(func(r results.Record) { got = append(got, r) }))
		at := time.Unix(1, 500)
		for _, m := range tt.said {
			report(m, at, "src")
		}
		for i := range tt.want {
			tt.want[i].Time, tt.want[i].Host, tt.want[i].Source = at.UnixNano(), "src", results.SourceGuest
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: recorded\n%+v, want\n%+v", tt.name, got, tt.want)
		}
	}
}
