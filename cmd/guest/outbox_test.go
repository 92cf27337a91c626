package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

func TestRingDropsAndCounts(t *testing.T) {
	r := newRing(ringSize)
	for i := range int64(ringSize + 3) {
		r.push(&report{mono: i})
	}
	if n := r.dropped.Load(); n != 3 {
		t.Errorf("%d dropped, want 3", n)
	}
	var rep report
	for i := range int64(ringSize) {
		if !r.pop(&rep) || rep.mono != i {
			t.Fatalf("pop %d gives %d", i, rep.mono)
		}
	}
	if r.pop(&rep) {
		t.Error("an empty ring gives a report")
	}
}

// While the port is blocked nobody waits; afterwards all that was kept is sent, and what was not is counted.
func TestOutboxOutlivesBlockedPort(t *testing.T) {
	out, err := newOutbox()
	if err != nil {
		t.Fatal(err)
	}
	const beats, logs = ringSize + 10, maxLines + 5
	for i := range int64(beats) {
		out.report(&report{mono: i + 1, kind: reportBeat})
	}
	for range logs {
		out.log("x")
	}
	var sent bytes.Buffer
	enough := errors.New("enough")
	err = out.send(func(b []byte) error {
		sent.Write(b)
		if bytes.Contains(b, []byte("dropped")) {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	var gotBeats, gotLogs int
	for line := range strings.Lines(sent.String()) {
		var m agent.Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		switch {
		case m.Heartbeat != nil:
			gotBeats++
		case strings.Contains(m.Log, "dropped"):
			if !strings.Contains(m.Log, "dropped 15 messages") {
				t.Errorf("log says %q, want 15 dropped", m.Log)
			}
		default:
			gotLogs++
		}
	}
	if gotLogs != maxLines {
		t.Errorf("%d logs were sent, want %d", gotLogs, maxLines)
	}
	if gotBeats == 0 {
		t.Error("no beat was sent")
	}
}
