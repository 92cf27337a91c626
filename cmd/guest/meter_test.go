package main

import (
	"encoding/json"
	"testing"
	"virtscope/testbed/guest/agent"
)

// A report says what writes memory that is not counted, also when it has no news of it.
func TestUncounted(t *testing.T) {
	for _, tt := range []struct {
		kinds  []string
		want   string
		counts bool
	}{
		{nil, "", false},
		{[]string{kindCPU}, "", false},
		{[]string{kindRedis}, "redis", false},
		{[]string{kindDirty}, "", true},
		{[]string{kindDirty, kindCPU, kindDisk, kindKV}, "disk,kv", true},
	} {
		var s meters
		for _, kind := range tt.kinds {
			m := &meter{kind: kind, sampled: true} // nothing of it is fresh
			m.written.Store(4096)
			s.add(m)
		}
		var r report
		s.read(mono(), &r)
		var said agent.Message
		if err := json.Unmarshal(r.appendTo(nil), &said); err != nil {
			t.Fatal(err)
		}
		if p := said.Progress; p == nil || p.Uncounted != tt.want || (p.Dirtied == 4096) != tt.counts || len(p.Parts) != 0 {
			t.Errorf("%v: the report is %+v, want uncounted %q", tt.kinds, p, tt.want)
		}
		if p := s.progress(mono()); p.Uncounted != tt.want {
			t.Errorf("%v: at the end it is %+v", tt.kinds, p)
		}
	}
}
