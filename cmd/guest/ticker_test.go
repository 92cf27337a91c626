package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"virtscope/testbed/guest/agent"
)

// decode turns reports into the messages that the controller reads.
func decode(t *testing.T, reports []report) []agent.Message {
	t.Helper()
	var all []agent.Message
	for i := range reports {
		var m agent.Message
		if err := json.Unmarshal(reports[i].appendTo(nil), &m); err != nil {
			t.Fatalf("report %d: %v: %s", i, err, reports[i].appendTo(nil))
		}
		all = append(all, m)
	}
	return all
}

func TestReportIsItsMessage(t *testing.T) {
	var (
		broken meter
		times  diskTimes
	)
	broken.fail(errors.New("no \"room\"\n\x01"))
	for _, took := range []int64{999, 1999, 7999} {
		times.add(took)
	}
	for _, tt := range []struct {
		report report
		want   agent.Message
	}{
		{
			report{mono: 5, kind: reportBeat, beat: agent.Heartbeat{Seq: 1, MaxStep: 2}},
			agent.Message{Mono: 5, Heartbeat: &agent.Heartbeat{Seq: 1, MaxStep: 2}},
		},
		{
			report{mono: 1 << 62, kind: reportMiss, miss: agent.TickMiss{Start: 3, End: 1 << 62}},
			agent.Message{Mono: 1 << 62, TickMiss: &agent.TickMiss{Start: 3, End: 1 << 62}},
		},
		{
			report{mono: 7, kind: reportProgress, progress: agent.Progress{Dirtied: 8, Elapsed: 9, Late: 10, Asked: 11}},
			agent.Message{Mono: 7, Progress: &agent.Progress{Dirtied: 8, Elapsed: 9, Late: 10, Asked: 11}},
		},
		{
			report{
				mono: 7, kind: reportProgress, partCount: 2,
				parts: [maxParts]partReport{{kind: kindDisk, bytes: 1, ops: 2, late: 3}, {kind: kindKV, ops: 4, fault: broken.fault.Load()}},
			},
			agent.Message{Mono: 7, Progress: &agent.Progress{Parts: []agent.Part{
				{Kind: kindDisk, Bytes: 1, Ops: 2, Late: 3}, {Kind: kindKV, Ops: 4, Error: "no \"room\"\n\x01"},
			}}},
		},
		{
			report{mono: 8, kind: reportStall, stall: agent.DiskStall{Start: 1, End: 8}},
			agent.Message{Mono: 8, Stall: &agent.DiskStall{Start: 1, End: 8}},
		},
		{
			report{mono: 9, kind: reportTimes, times: times},
			agent.Message{Mono: 9, Disk: &agent.DiskTimes{Counts: []int64{1, 1, 0, 1}, Max: 7999}},
		},
	} {
		if got := decode(t, []report{tt.report})[0]; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("got %+v, want %+v", got, tt.want)
		}
	}
}

func TestTicker(t *testing.T) {
	var (
		said    []report
		running atomic.Pointer[meters]
	)
	m := &meter{start: 1000 * ms}
	m.written.Store(4096)
	running.Store(memoryOf(m))
	const begin = 1000 * 1e6
	tk := newTicker(begin, watchful, &running, func(r *report) { said = append(said, *r) })
	now := int64(begin)
	for now < begin+200*ms {
		now = tk.tick(now) + 50_000 // each tick comes 50 µs late
	}
	beats := 0
	for _, r := range said {
		switch r.kind {
		case reportBeat:
			beats++
			if r.beat.Seq != int64(beats) || r.beat.MaxStep > 2*ms {
				t.Errorf("beat %d is %+v", beats, r.beat)
			}
		case reportMiss:
			t.Errorf("a miss without a stall: %+v", r.miss)
		case reportProgress:
			if r.progress.Dirtied != 4096 || r.progress.Elapsed != r.mono-m.start {
				t.Errorf("progress is %+v at %d", r.progress, r.mono)
			}
		}
	}
	if beats < 9 || beats > 10 {
		t.Errorf("%d beats in 200 ms, want 10", beats)
	}

	// A stall of 70 ms is one miss and one beat, and the beat tells of it.
	said = nil
	last := tk.last
	next := tk.tick(last + 70*ms)
	if len(said) < 2 || said[0].miss != (agent.TickMiss{Start: last, End: last + 70*ms}) || said[1].beat.MaxStep != 70*ms {
		t.Errorf("after a stall the ticker said %+v", said)
	}
	if next <= tk.last || next > tk.last+ms {
		t.Errorf("the next tick is due at %d, the last was at %d", next, tk.last)
	}

	// A step of just the threshold is none.
	said = nil
	tk.tick(tk.last + watchful.miss)
	for _, r := range said {
		if r.kind == reportMiss {
			t.Errorf("a step of the threshold was reported: %+v", r.miss)
		}
	}
	running.Store(nil)
	said = nil
	tk.tick(tk.last + progressInterval)
	for _, r := range said {
		if r.kind == reportProgress {
			t.Error("progress was reported without a workload")
		}
	}
}

func TestTickerMakesNoGarbage(t *testing.T) {
	out, err := newOutbox()
	if err != nil {
		t.Fatal(err)
	}
	var running atomic.Pointer[meters]
	fault := &meter{kind: kindRedis}
	fault.fail(errors.New("it ended"))
	running.Store(&meters{memory: &meter{pace: constant(1)}, parts: []*meter{{kind: kindKV}, fault}})
	tk := newTicker(mono(), watchful, &running, out.report)
	now, buf := mono(), make([]byte, 0, 2*maxWrite)
	if n := testing.AllocsPerRun(1000, func() {
		now += 101 * ms
		tk.tick(now)
		buf, _ = out.drain(buf[:0])
	}); n != 0 {
		t.Errorf("a tick makes %v allocations, want none", n)
	}
}
