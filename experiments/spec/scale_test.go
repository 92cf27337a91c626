package spec

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

const large = `
virtscope: 1
name: large
scale: 0.125
guest: {memory: 2GiB, disk: {size: 1001MiB}}
testbed:
  link: {rate: 1Gbit/s, upload: 800Mbit/s, queue: 20ms}
  migration-link: {profile: wan}
  cross-traffic: {rate: 80Mbit/s}
workload: {kind: mix, mix: replay+disk+net, working-set: 1001KiB, trace: "0s 8MiB/s, 2s 16MiB/s, 3s", disk: {rate: 8MiB/s, area: 100MB, block: 4KiB}, net: {kind: stream, rate: 8Mbit/s}}
action: {migrate: {downtime-limit: 100ms}}
factors:
  action.migrate.max-bandwidth: [0, 400Mbit/s]
`

func TestScaled(t *testing.T) {
	e, err := Parse("large", []byte(large))
	if err != nil {
		t.Fatal(err)
	}
	with, err := e.With(e.Treatments()[1])
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"scale": 1.0, "guest.memory": Bytes(256 << 20), "guest.disk.size": Bytes(125 << 20), "guest.check": Bytes(2 << 20),
		"testbed.link.rate": Rate(125e6 / 8), "testbed.link.upload": Rate(100e6 / 8), "testbed.link.queue": Duration(20 * time.Millisecond),
		"testbed.migration-link.rate": Rate(12.5e6 / 8), "testbed.migration-link.profile": "wan", "testbed.migration-link.loss": 0.0,
		"testbed.cross-traffic.rate": Rate(10e6 / 8),
		"workload.working-set":       Bytes(124 << 10), "workload.trace": "0s 1MiB/s, 2s 2MiB/s, 3s",
		"workload.disk.rate": Rate(1 << 20), "workload.disk.area": Bytes(12500992), "workload.disk.block": Bytes(4096),
		"workload.net.rate": Rate(125e3), "workload.write-size": Bytes(4096), "workload.delta-size": Bytes(4096),
		"action.migrate.max-bandwidth": Rate(50e6 / 8), "action.migrate.xbzrle-cache": Bytes(8 << 20), "action.migrate.dirty-limit": Rate(1 << 20),
		"action.migrate.downtime-limit": Duration(100 * time.Millisecond), "workload.kv.value-size": Bytes(1024),
	} {
		if got := valueAt(with, path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if again := with.Scaled(); !reflect.DeepEqual(again, with) {
		t.Error("what is scaled is scaled again")
	}
	if e.Scale != 0.125 || e.Guest.Memory != 2<<30 || e.Testbed.MigrationLink.Rate != 0 {
		t.Errorf("the experiment changed: %+v", e)
	}
	sameWhenResolved(t, e)
}

// TestScaledJobs: the memory of a trace's jobs is an amount of data, their times are not.
func TestScaledJobs(t *testing.T) {
	e := Default()
	e.Scale, e.Action.Jobs = 0.5, new(DefaultJobs())
	whole, err := e.Action.Jobs.List()
	half, errHalf := e.Scaled().Action.Jobs.List()
	if err != nil || errHalf != nil || len(half) != len(whole) {
		t.Fatalf("%d of %d jobs, %v, %v", len(half), len(whole), err, errHalf)
	}
	for i := range whole {
		whole[i].Memory /= 2
		if half[i] != whole[i] {
			t.Errorf("got %+v, want %+v", half[i], whole[i])
		}
	}
	e.Scale = 1000
	e.Action.Jobs.Trace = "1 0 -1 1 1 -1 1000000000000 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1"
	if list, err := e.Scaled().Action.Jobs.List(); err == nil {
		t.Errorf("more than a machine can have: %+v", list)
	}
}

// TestScaleCoversEveryAmount: a new amount or rate is scaled, or named here as one that stays.
func TestScaleCoversEveryAmount(t *testing.T) {
	stays := []string{
		"workload.write-size", "workload.delta-size", "workload.disk.block", "workload.net.request-size", "workload.net.response-size",
		"workload.kv.value-size",
	}
	e := Default()
	e.Scale, e.Action.Migrate = 0.5, new(DefaultMigrate())
	e.Testbed.MigrationLink, e.Testbed.CrossTraffic, e.Guest.Disk = new(DefaultLink()), new(DefaultCrossTraffic()), new(DefaultDisk())
	var paths []string
	for _, f := range grammar().all {
		switch f.typ {
		case reflect.TypeFor[Bytes](), reflect.TypeFor[Rate]():
			paths = append(paths, f.path)
			if err := e.set(f.path, map[bool]string{true: "64MiB", false: "64MiB/s"}[f.typ == reflect.TypeFor[Bytes]()]); err != nil {
				t.Fatal(err)
			}
		}
	}
	scaled := e.Scaled()
	for _, path := range paths {
		before, after := reflect.ValueOf(valueAt(e, path)), reflect.ValueOf(valueAt(scaled, path))
		if same := before.Equal(after); same != slices.Contains(stays, path) {
			t.Errorf("%s: %v becomes %v", path, before, after)
		}
	}
}

func TestSetScale(t *testing.T) {
	e := Default()
	for _, x := range []float64{0, -1, 1001, nan()} {
		if e.SetScale(x) == nil {
			t.Errorf("%v is accepted", x)
		}
	}
	if err := e.SetScale(0.25); err != nil || e.Scale != 0.25 {
		t.Errorf("got %v, %v", e.Scale, err)
	}
}

func nan() float64 { zero := 0.0; return zero / zero }
