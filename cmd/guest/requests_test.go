package main

import (
	"encoding/json"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

// The longest trace that an experiment may have is one request; what is longer than any is answered, too.
func TestLongRequests(t *testing.T) {
	w := agent.Workload{Kind: kindReplay, WorkingSet: pageSize}
	for i := range int64(100_000) {
		w.Trace = append(w.Trace, agent.TracePoint{At: i * 86_400_000_000_000 / 7, Rate: 123_456_789.125 + float64(i)})
	}
	long, err := json.Marshal(agent.Request{ID: 1, Op: agent.OpStart, Workload: &w})
	if err != nil {
		t.Fatal(err)
	}
	filler := strings.Repeat("x", maxRequest)
	said := converse(t, string(long), `{"id":2,"op":"stop"}`, `{"id":3,"op":"`+filler+`"}`, filler, `{"id":4,"op":"verify"}`)
	byID := map[int64]agent.Message{}
	for _, m := range said {
		byID[m.ID] = m
	}
	if m, ok := byID[1]; !ok || m.Error != "" {
		t.Errorf("a trace of %d B is answered with %+v", len(long), m)
	}
	if m := byID[2]; m.Progress == nil {
		t.Errorf("it did not run: %+v", m)
	}
	if m := byID[3]; !strings.Contains(m.Error, "longer than") {
		t.Errorf("a request that is too long is answered with %+v", m)
	}
	if m := byID[0]; !strings.Contains(m.Log, "longer than") {
		t.Errorf("a line that is none is answered with %+v", m)
	}
	if m := byID[4]; m.Verdict == nil {
		t.Errorf("what follows is answered with %+v", m)
	}
}

// A guest that was saved in the middle of a request answers the next one, which another client sends.
func TestRequestAfterHalfARequest(t *testing.T) {
	said := converse(
		t,
		`{"id":1,"op":"start","workload":{"ki{"id":77,"op":"verify"}`,
		`{"id":5,"op":"job","job":{"id":9,"work":3{"id":78,"op":"stop"}`,
		`{"id":79,"op":"job","job":{"id":9,"work":-1}}`,
	)
	byID := map[int64]agent.Message{}
	for _, m := range said {
		byID[m.ID] = m
	}
	if byID[77].Verdict == nil || !strings.Contains(byID[78].Error, "none is running") || !strings.Contains(byID[79].Error, "job 9") {
		t.Errorf("answers are %+v", said)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(`{"id":1,"op":"verify"}`)
	f.Add(`{"id":1,"op":"st{"id":2,"op":"verify"}`)
	f.Add(`{"id":{"id":`)
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		if req, err := decodeRequest([]byte(line)); err == nil && req == nil {
			t.Error("neither a request nor an error")
		}
	})
}
