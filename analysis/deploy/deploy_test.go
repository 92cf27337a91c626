package deploy_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/deploy"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func build(b timelinetest.Boot) (*deploy.Deployment, map[string]timelinetest.Truth) {
	_, records, truth := b.Make()
	log := edgestest.Log(records)
	action := edgestest.Action(records)
	return deploy.Build(log, start.Build(log, edgestest.Whole, action.To), action), truth
}

func figure(t *testing.T, d *deploy.Deployment, name string) quantity.Quantity {
	t.Helper()
	for _, m := range d.Metrics() {
		if m.Name == name {
			return m.Quantity
		}
	}
	t.Fatalf("no metric %s", name)
	return quantity.Quantity{}
}

func TestKthReadyIsTheTruth(t *testing.T) {
	for seed := range uint64(10) {
		d, truth := build(timelinetest.Boot{Seed: seed, Guests: 9, Concurrency: 3, Interval: 50 * time.Millisecond, Slow: 0.05})
		var ready []float64
		for _, at := range truth {
			ready = append(ready, float64(at[results.BootAnswer]-truth["g01"][results.BootAsked])/1e9)
		}
		slices.Sort(ready)
		for _, c := range []struct {
			name string
			k    int
		}{{metric.DeployFirst, 1}, {metric.DeployHalf, 5}, {metric.DeployMakespan, 9}} {
			q := figure(t, d, c.name)
			if want := ready[c.k-1]; !q.Known || q.Low > want || q.High < want || q.Censored {
				t.Errorf("%s = %+v, truth %v", c.name, q, want)
			}
		}
		if q := figure(t, d, metric.DeployWaitMax); q.Value <= 0.1 {
			t.Errorf("a concurrency of 3 held nobody back: %+v", q)
		}
		if q := figure(t, d, metric.HostBusy); math.Abs(q.Value-0.75) > 0.02 {
			t.Errorf("busy %+v, truth 0.75", q)
		}
	}
}

func TestFailedGuestsAreCensored(t *testing.T) {
	d, _ := build(timelinetest.Boot{Guests: 10, Fail: 2})
	for name, censored := range map[string]bool{
		metric.DeployMakespan: true, metric.DeployReadyMax: true, metric.DeployReady99: true, metric.DeployHalf: false,
		metric.DeployReady50: false, metric.DeployFirst: false,
	} {
		if q := figure(t, d, name); !q.Known || q.Censored != censored {
			t.Errorf("%s = %+v, censored should be %v", name, q, censored)
		}
	}
	if q := figure(t, d, metric.DeployFailed); q.Value != 2 {
		t.Errorf("failed = %v", q.Value)
	}
	if len(d.Arrivals) != 10 || len(d.Kth) != 8 {
		t.Errorf("%d arrivals, %d ready", len(d.Arrivals), len(d.Kth))
	}
}

func TestBytes(t *testing.T) {
	d, _ := build(timelinetest.Boot{Guests: 4, Method: "nbd"})
	for name, want := range map[string]float64{
		metric.ImageWire: 40 << 20, metric.ImageFetched: 40e6, metric.ImageFetched50: 10e6, metric.ImageServed: 20 << 20,
		metric.ImagePrefetched: 3 << 20, metric.DeployBytes: 4 * 196608,
	} {
		if q := figure(t, d, name); q.Value != want {
			t.Errorf("%s = %+v, want %v", name, q, want)
		}
	}
}

func TestPool(t *testing.T) {
	d, _ := build(timelinetest.Boot{Guests: 3, Start: "substrate"})
	for name, want := range map[string]float64{
		metric.SubstrateDocked: 96 << 20, metric.GuestPrivate: 25 << 20, metric.GuestDensity: 1024.0 / 25, metric.IdentityChecked: 3,
		metric.IdentityConflict: 0, metric.SubstrateMade: 3.2,
	} {
		if q := figure(t, d, name); !q.Known || math.Abs(q.Value-want) > 1e-9 {
			t.Errorf("%s = %+v, want %v", name, q, want)
		}
	}
}

// What substrates take is told of all that are docked on a host together.
func TestDockedIsOfAll(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 3, Start: "substrate"}.Make()
	for i, r := range records {
		if r.Name == results.SubstrateDocked {
			records[i].Attrs["count"] = "3"
		}
	}
	d := deploy.Build(edgestest.Log(records), nil, edgestest.Action(records))
	if q := figure(t, d, metric.SubstrateDocked); q.Value != 96<<20 {
		t.Errorf("%+v, want 96 MiB", q)
	}
	if d.Pool.Count.Value != 3 {
		t.Errorf("count %+v", d.Pool.Count)
	}
}

// Without the check there is no count of conflicts: none is not known to be none.
func TestConflictsAreUnknownUnchecked(t *testing.T) {
	_, records, _ := timelinetest.Boot{Guests: 3, Start: "substrate"}.Make()
	records = slices.DeleteFunc(records, func(r results.Record) bool { return r.Name == results.IdentityChecked })
	d := deploy.Build(edgestest.Log(records), nil, edgestest.Action(records))
	if q := figure(t, d, metric.IdentityConflict); q.Known {
		t.Errorf("%+v", q)
	}
}

func TestSections(t *testing.T) {
	d, _ := build(timelinetest.Boot{Guests: 5, Start: "substrate", Fail: 1, Method: "nbd"})
	var b bytes.Buffer
	for _, s := range d.Sections() {
		s.Write(&b)
	}
	for _, want := range []string{"5 guests, 4 of them ready", "identify", "vcpus", "not ready", "guests a GiB", "image server store", "5 ready: the guest did not get ready"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
}
