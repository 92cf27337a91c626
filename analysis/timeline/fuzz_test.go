package timeline_test

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

// FuzzBuild feeds records as a run folder may hold them: Build must never panic, and its spans must add up.
func FuzzBuild(f *testing.F) {
	s := timelinetest.Default(1)
	s.Echo, s.Usage = false, false
	_, records := s.Make()
	seed, err := json.Marshal(records[:min(len(records), 16)])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	slices.SortStableFunc(records, func(a, b results.Record) int { // those that tell of the packets first
		return cmp.Compare(rank(a), rank(b))
	})
	if seed, err = json.Marshal(records[:60]); err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`[{"t":1,"n":"action.begin"},{"t":5,"n":"echo.rtt","v":1},{"t":6,"n":"echo.lost"},{"t":9,"n":"action.end"}]`))
	f.Add([]byte(`[{"t":1,"n":"action.begin"},{"t":5,"n":"flow.payload","s":"capture/switch","v":9,"a":{"flow":"migration","dir":"forward","bin":"1e-30"}}]`))
	f.Add([]byte(`[{"t":1,"n":"action.begin"},{"t":2,"h":"src","n":"disk.copy.begin","a":{"job":"backup","pass":"1"}},{"t":3,"n":"disk.copied","v":7,"a":{"job":"backup","pass":"1"}},
		{"t":4,"h":"src","n":"vm.stop"},{"t":6,"n":"guest.disk.stall","v":0.06,"a":{"mono":"5"}},{"t":7,"n":"guest.disk.times","v":0.01,"a":{"mono":"6"}},{"t":8,"h":"dst","n":"vm.resume"},{"t":9,"n":"action.end"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var records []results.Record
		if json.Unmarshal(data, &records) != nil {
			return
		}
		tl, err := timeline.Build(results.Outcome{}, records)
		if err != nil {
			return
		}
		addUp(t, tl)
		if err := timeline.Write(io.Discard, tl); err != nil {
			t.Error(err)
		}
		for _, m := range tl.Metrics {
			if m.Known && (m.Low > m.Value || m.Value > m.High) {
				t.Errorf("%s = %v is outside [%v, %v]", m.Name, m.Value, m.Low, m.High)
			}
			if !m.Known && m.Why == "" {
				t.Errorf("%s is unknown without a reason", m.Name)
			}
		}
	})
}

func rank(r results.Record) int {
	switch {
	case r.Source == results.SourceRunner, r.Name == results.VMStop, r.Name == results.VMResume, r.Name == results.PreCopyRound:
		return 0
	case r.Source == results.SourceWire:
		return 1
	case r.Name == results.MigrationPages:
		return 2
	}
	return 3
}
