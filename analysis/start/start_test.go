package start_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func build(b timelinetest.Boot) ([]start.Start, map[string]timelinetest.Truth) {
	_, records, truth := b.Make()
	return start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To), truth
}

// records of the edges by name.
var recordOf = map[string]string{
	"spawn": results.BootSpawn, "monitor": results.BootMonitor, "firmware": results.BootFirmware, "kernel": results.BootKernel,
	"kernel end": results.BootKernelEnd, "init": results.BootInit, "modules": results.BootModules, "network": results.BootNetwork,
	"frame": results.BootFrame, "answer": results.BootAnswer, "load": results.RestoreBegin, "loaded": results.RestoreEnd,
	"resume": results.VMResume, "identified": results.GuestIdentified, "memory": results.GuestMemoryGiven, "vcpus": results.GuestVCPUsGiven,
}

// addUp holds the phases against the time from the first edge until the guest was ready.
func addUp(t *testing.T, s start.Start) {
	t.Helper()
	if len(s.Phases) == 0 {
		return
	}
	at := s.Phases[0].Start.Time
	for _, p := range s.Phases {
		if p.Start.Time != at || p.Duration() < 0 {
			t.Errorf("%s: %s begins at %d, the one before ended at %d", s.Guest, p.Name, p.Start.Time, at)
		}
		at = p.End.Time
	}
	if s.Total.Known && !s.Total.Censored && s.Ready != nil && s.Phases[0].Start.What == results.BootSpawn {
		if got, want := int64(edges.Total(s.Phases)), int64(math.Round(s.Total.Value*1e9)); got != want {
			t.Errorf("%s: phases add up to %d ns, want %d ns", s.Guest, got, want)
		}
	}
}

func TestEdgesHoldTheTruth(t *testing.T) {
	for name, b := range map[string]timelinetest.Boot{
		"cold": {Guests: 1}, "many": {Guests: 7, Concurrency: 3, Slow: 0.1, Method: "overlay"}, "warm": {Guests: 3, Start: "warm"},
		"substrate": {Guests: 4, Start: "substrate"}, "spawned": {Guests: 2, Start: "substrate", Spawned: true},
	} {
		for seed := range uint64(20) {
			b.Seed = seed
			list, truth := build(b)
			if len(list) != b.Guests {
				t.Fatalf("%s: %d starts, want %d", name, len(list), b.Guests)
			}
			for _, s := range list {
				addUp(t, s)
				if len(s.Warnings) > 0 {
					t.Errorf("%s: %v", name, s.Warnings)
				}
				for _, e := range s.Seen {
					want, ok := truth[s.Guest][recordOf[e.Name]]
					if !ok {
						continue
					}
					// The least delay of all messages is not in the bound: nobody can see it.
					late := e.Edge.Time - want
					if late < -int64(time.Microsecond) || late > int64(e.Edge.Bound()+200*time.Microsecond) {
						t.Errorf("%s seed %d: %s of %s is %v after the truth, bound %v", name, seed, e.Name, s.Guest, time.Duration(late), e.Edge.Bound())
					}
				}
				if p := s.Phase(edges.Unattributed); !p.Known || p.Value != 0 {
					t.Errorf("%s: unattributed %+v: %+v", name, p, s.Phases)
				}
			}
		}
	}
}

func TestMissingEdgeIsUnknown(t *testing.T) {
	for _, c := range []struct {
		without string
		lost    []string // phases
	}{
		{results.BootFirmware, []string{"hypervisor", "firmware"}},
		{results.BootModules, []string{"modules", "network"}},
		{results.BootFrame, []string{"frame"}},
		{results.BootInit, []string{"init", "modules"}},
	} {
		list, _ := build(timelinetest.Boot{Guests: 1, Without: []string{c.without}})
		s := list[0]
		addUp(t, s)
		if len(s.Missing) != 1 || s.Missing[0].Why == "" {
			t.Errorf("without %s: missing %+v", c.without, s.Missing)
		}
		for _, name := range c.lost {
			if q := s.Phase(name); q.Known || q.Why == "" {
				t.Errorf("without %s: %s = %+v", c.without, name, q)
			}
		}
		if q := s.Phase(edges.Unattributed); c.without != results.BootFrame && (!q.Known || q.Value <= 0) {
			t.Errorf("without %s: unattributed = %+v", c.without, q)
		}
		if !s.Total.Known {
			t.Errorf("without %s: total %+v", c.without, s.Total)
		}
	}
}

// Of a spawned substrate whose resume and identity nobody recorded, what passed until its first frame is no phase of one name.
func TestSpawnedWithoutItsOwnWord(t *testing.T) {
	list, _ := build(timelinetest.Boot{Guests: 2, Start: "substrate", Spawned: true, Without: []string{results.VMResume, results.GuestIdentified}})
	for _, s := range list {
		addUp(t, s)
		for _, name := range []string{"frame", "resume", "identify"} {
			if q := s.Phase(name); q.Known || !strings.Contains(q.Why, "resume") && !strings.Contains(q.Why, "identified") {
				t.Errorf("%s of %s: %+v", name, s.Guest, q)
			}
		}
		if q := s.Phase("answer"); !q.Known {
			t.Errorf("answer of %s: %+v", s.Guest, q)
		}
		if q := s.Phase(edges.Unattributed); !q.Known || q.Value <= 0 {
			t.Errorf("unattributed of %s: %+v", s.Guest, q)
		}
		if q := s.Phase("load"); q.Known || !strings.Contains(q.Why, "started before") {
			t.Errorf("load of %s: %+v", s.Guest, q)
		}
	}
}

// A guest whose agent does not load drivers: what is missing is said, not a contradiction that is none.
func TestReasonIsTheMissingEdge(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 1, Without: []string{results.BootModules}}.Make()
	for i, r := range records {
		if r.Name == results.BootFrame {
			records[i].Time -= 25e6
		}
	}
	s := start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]
	for _, name := range []string{"frame", "modules"} {
		if q := s.Phase(name); q.Known || !strings.Contains(q.Why, "modules: the guest's agent told of others") {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

func TestDisagreementOfTwoSources(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 1}.Make()
	for i, r := range records {
		if r.Name == results.BootInit && r.Source == results.SourceConsole {
			records[i].Time -= 5e6
		}
	}
	s := start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "places init") {
		t.Errorf("warnings %q", s.Warnings)
	}
}

func moved(name string, by int64) start.Start {
	_, records, _ := timelinetest.Boot{Guests: 1}.Make()
	for i, r := range records {
		if r.Name == name {
			records[i].Time += by
		}
	}
	return start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]
}

func TestEdgeOutOfOrder(t *testing.T) {
	s := moved(results.BootKernel, -170e6)
	addUp(t, s)
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "is left out") {
		t.Errorf("warnings %q", s.Warnings)
	}
	if q := s.Phase("network"); !q.Known {
		t.Errorf("network = %+v", q)
	}
	if q := s.Phase("firmware"); q.Known {
		t.Errorf("firmware = %+v although its edges contradict each other", q)
	}
}

// A card that is up sends before its address is set: the frame is then between modules and network.
func TestFrameBeforeNetwork(t *testing.T) {
	s := moved(results.BootFrame, -25e6)
	addUp(t, s)
	if len(s.Warnings) != 0 {
		t.Errorf("warnings %q", s.Warnings)
	}
	var names []string
	for _, p := range s.Phases {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, " "); got != "hypervisor firmware kernel init modules frame network answer" {
		t.Errorf("phases %s", got)
	}
	late := moved(results.BootNetwork, 60e6)
	for i := range late.Seen {
		if late.Seen[i].Name == "network" && late.Seen[i].Edge.Time > late.Ready.Time {
			t.Error("the network's word is placed by its arrival")
		}
	}
	if s := moved(results.BootFrame, -700e6); len(s.Warnings) != 1 {
		t.Errorf("a frame before the kernel's end: %q", s.Warnings)
	}
}

// The mark on the console may take any time to arrive, unless its reader knows better; it never comes early.
func TestLateMarkIsNoDisagreement(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 1}.Make()
	for i, r := range records {
		if r.Name == results.BootInit && r.Source == results.SourceConsole {
			records[i].Time += 20e6
			records[i].Attrs = nil
		}
	}
	if s := start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]; len(s.Warnings) != 0 {
		t.Errorf("warnings %q", s.Warnings)
	}
}

func TestFailedGuestIsCensored(t *testing.T) {
	list, _ := build(timelinetest.Boot{Guests: 3, Fail: 1})
	last := list[2]
	if last.Failed == "" || !last.Arrival.Censored || !last.Total.Censored {
		t.Errorf("%+v", last)
	}
	addUp(t, last)
}

func TestSections(t *testing.T) {
	list, _ := build(timelinetest.Boot{Guests: 1, Systemd: true})
	var b bytes.Buffer
	for _, s := range start.Sections(list) {
		s.Write(&b)
	}
	for _, want := range []string{"kernel end", "ssh.service", "init, by the console", "guest's", "userspace"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if q := start.PhaseMedian(list, "kernel"); !q.Known || q.Value < 0.6 || q.Value > 0.8 || q.Unit != results.Seconds {
		t.Errorf("kernel %s", quantity.ShowWithin(q))
	}
}

// Where the agent says from when on the network may have been up, its late word is put before the answer, which needs it.
func TestNetworkIsUpBeforeTheAnswer(t *testing.T) {
	_, records, truth := timelinetest.Boot{Guests: 1}.Make()
	for i, r := range records {
		if r.Name == results.BootNetwork {
			mono, _ := strconv.ParseInt(r.Attrs["mono"], 10, 64)
			records[i].Attrs = map[string]string{"mono": strconv.FormatInt(mono+40e6, 10), "bound": "0.041"}
		}
	}
	s := start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]
	addUp(t, s)
	if len(s.Warnings)+len(s.Notes) != 0 {
		t.Errorf("warnings %q, notes %q", s.Warnings, s.Notes)
	}
	for _, e := range s.Seen {
		if e.Name != "network" {
			continue
		}
		want := truth[""][results.BootNetwork]
		if late := time.Duration(e.Edge.Time - want); late < 0 || late > e.Edge.Bound()+200*time.Microsecond || e.Edge.Time > s.Ready.Time {
			t.Errorf("network is %v after the truth, bound %v", late, e.Edge.Bound())
		}
	}
	if q := s.Phase("network"); !q.Known || q.High-q.Low < 0.001 {
		t.Errorf("network %+v", q)
	}
}

// The guest may answer before its agent comes to say that the network is up.
func TestNetworkAfterAnswer(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 1}.Make()
	for i, r := range records {
		if r.Name == results.BootNetwork {
			mono, _ := strconv.ParseInt(r.Attrs["mono"], 10, 64)
			records[i].Attrs = map[string]string{"mono": strconv.FormatInt(mono+40e6, 10)}
		}
	}
	s := start.Build(edgestest.Log(records), edgestest.Whole, edgestest.Action(records).To)[0]
	addUp(t, s)
	if len(s.Warnings) != 0 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "network came") {
		t.Errorf("warnings %q, notes %q", s.Warnings, s.Notes)
	}
	if q := s.Phase("network"); q.Known || !strings.Contains(q.Why, "after the guest was ready") {
		t.Errorf("network %+v", q)
	}
	if f, a := s.Phase("frame"), s.Phase("answer"); !f.Known || !a.Known {
		t.Errorf("frame %+v, answer %+v", f, a)
	}
}
