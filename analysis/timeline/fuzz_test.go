package timeline_test

import (
	"cmp"
	"encoding/json"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"virtscope/analysis/convergence"
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
	for _, records := range actions() {
		slices.SortStableFunc(records, func(a, b results.Record) int { // what happened first, and what says little last
			return cmp.Or(cmp.Compare(often(a), often(b)), cmp.Compare(a.Time, b.Time))
		})
		if seed, err = json.Marshal(records[:min(len(records), 60)]); err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var records []results.Record
		if json.Unmarshal(data, &records) != nil {
			return
		}
		tl, traces, err := timeline.BuildTraced(results.Outcome{}, records, convergence.Limits{})
		if err != nil {
			return
		}
		addUp(t, tl)
		for _, one := range traces.List {
			if err := one.Check(); err != nil {
				t.Error(err)
			}
		}
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

// often is 1 of what is recorded over and over.
func often(r results.Record) int {
	switch r.Name {
	case results.EchoRTT, results.EchoLost, results.GuestFrame, results.GuestHeartbeat, results.HostCPU, results.HostMemory, results.FlowBytes, results.GuestDirtied:
		return 1
	}
	return 0
}

// actions are the records of a trial of each action that is no migration.
func actions() (list [][]results.Record) {
	for _, b := range []timelinetest.Boot{{Guests: 1, Method: "nbd", Systemd: true}, {Guests: 3, Fail: 1}, {Guests: 2, Start: "substrate"}} {
		_, records, _ := b.Make()
		list = append(list, records)
	}
	for _, k := range []timelinetest.Keep{
		{Count: 2, Period: 400e6, Restore: true, Disk: "incremental"},
		{Count: 1, Live: true},
		{Count: 1, Refuse: true},
		{Recover: true, Period: 400e6, Failures: 2, Every: 900e6, Alarms: 1},
		{Recover: true, Period: 400e6, For: 1e9},
	} {
		_, records, _ := k.Make()
		list = append(list, records)
	}
	_, records, _ := timelinetest.Served{Jobs: 6, Cap: 2, Preempt: true}.Make()
	return append(list, records)
}

// Records of a real course that come with any times, are lost, doubled or exchanged, never panic, and phases still add up.
func TestActionsFromTornRecords(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 6 // the race detector makes each ten times as long, and there is one goroutine
	}
	for i, records := range actions() {
		for seed := range seeds {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			torn := slices.Clone(records)
			for range 1 + rng.IntN(20) {
				at := rng.IntN(len(torn))
				switch rng.IntN(5) {
				case 0:
					torn = slices.Delete(torn, at, at+1)
				case 1:
					torn[at].Time += rng.Int64N(4e9) - 2e9
				case 2:
					torn = append(torn, torn[at])
				case 3:
					torn[at].Attrs = nil
				case 4:
					name := torn[rng.IntN(len(torn))].Name
					torn = slices.DeleteFunc(torn, func(r results.Record) bool { return r.Name == name && rng.IntN(2) == 0 && name != results.ActionBegin })
				}
			}
			tl, traces, err := timeline.BuildTraced(results.Outcome{}, torn, convergence.Limits{})
			if err != nil {
				continue
			}
			addUp(t, tl)
			for _, one := range traces.List {
				if err := one.Check(); err != nil {
					t.Error(err)
				}
			}
			if err := timeline.Write(io.Discard, tl); err != nil {
				t.Error(err)
			}
			for _, m := range tl.Metrics {
				if m.Known && (m.Low > m.Value || m.Value > m.High) || !m.Known && m.Why == "" {
					t.Errorf("%s = %+v", m.Name, m.Quantity)
				}
			}
		}
	}
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
