package main

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

// converse gives requests to a server and returns what it said, without its reports.
func converse(t *testing.T, requests ...string) []agent.Message {
	t.Helper()
	out, err := newOutbox()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(out, builtIn{}, func() *agent.Boot { return &agent.Boot{} })
	t.Cleanup(func() {
		s.static.release()
		for _, k := range s.kept {
			k.release()
		}
	})
	if err := s.serve(strings.NewReader(strings.Join(requests, "\n") + "\n")); err == nil || !strings.Contains(err.Error(), io.EOF.Error()) {
		t.Fatalf("serve = %v, want EOF", err)
	}
	var said []agent.Message
	for {
		b, some := out.drain(nil)
		if !some {
			return said
		}
		for line := range strings.Lines(string(b)) {
			var m agent.Message
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			said = append(said, m)
		}
	}
}

func TestServer(t *testing.T) {
	said := converse(
		t,
		`{"id":1,"op":"verify"}`,
		`{"id":2,"op":"stop"}`,
		`{"id":3,"op":"reserve","memory":{"bytes":40960,"seed":7}}`,
		`{"id":4,"op":"start","workload":{"kind":"dirty","rate":1e6,"working_set":81920}}`,
		`{"id":5,"op":"verify"}`,
		`{"id":6,"op":"start","workload":{"kind":"idle"}}`,
		`{"id":7,"op":"stop"}`,
		`{"id":8,"op":"verify"}`,
		`garbage`,
		`{"id":9,"op":"dance"}`,
		`{"id":10,"op":"hello"}`,
		`{"id":11,"op":"start","workload":{"kind":"cpu","load":0.1,"threads":2}}`,
		`{"id":12,"op":"stop"}`,
	)
	byID := map[int64]agent.Message{}
	for _, m := range said {
		byID[m.ID] = m
		if m.Mono <= 0 {
			t.Errorf("message without a time: %+v", m)
		}
	}
	for id, text := range map[int64]string{2: "none is running", 5: "stop it first", 6: "stop it first", 9: "no such operation"} {
		if !strings.Contains(byID[id].Error, text) {
			t.Errorf("reply %d is %+v, want the error %q", id, byID[id], text)
		}
	}
	if v := byID[1].Verdict; v == nil || v.Verified != 0 || v.Detail == "" {
		t.Errorf("verdict on nothing is %+v", v)
	}
	if p := byID[7].Progress; p == nil || p.Elapsed <= 0 {
		t.Errorf("progress is %+v", p)
	}
	if v := byID[8].Verdict; v == nil || *v != (agent.Verdict{Verified: 40960 + 81920}) {
		t.Errorf("verdict is %+v", v)
	}
	if h := byID[10].Hello; h == nil || h.Version != agent.Version || h.MemoryTotal <= 0 || h.CPUs < 1 || h.Kernel == "" || h.ClockSource == "" {
		t.Errorf("hello is %+v", h)
	}
	if p := byID[12].Progress; p == nil || p.Dirtied != 0 || p.Late != 0 || len(p.Parts) != 1 || p.Parts[0].Kind != kindCPU {
		t.Errorf("progress of cpu is %+v", p)
	}
	if m := byID[0]; !strings.Contains(m.Log, "no JSON") {
		t.Errorf("garbage was answered with %+v", m)
	}
}

func TestCheckWorkload(t *testing.T) {
	good := agent.Workload{Kind: kindDirty, WorkingSet: pageSize, Rate: 1, Pattern: patternRandom}
	if err := check(&good); err != nil {
		t.Errorf("check = %v", err)
	}
	for want, change := range map[string]func(*agent.Workload){
		"kind":            func(w *agent.Workload) { w.Kind = "sleepy" },
		"pattern":         func(w *agent.Workload) { w.Pattern = "zigzag" },
		"working set":     func(w *agent.Workload) { w.WorkingSet = 10 },
		"rate":            func(w *agent.Workload) { w.Rate = math.NaN() },
		"compressibility": func(w *agent.Workload) { w.Compressibility = 1.5 },
		"load":            func(w *agent.Workload) { w.Load = -1 },
		"threads":         func(w *agent.Workload) { w.Threads = -1 },
	} {
		w := good
		change(&w)
		if err := check(&w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check = %v, want a complaint about the %s", err, want)
		}
	}
	if check(nil) == nil {
		t.Error("no workload is accepted")
	}
}
