package spec

import (
	"reflect"
	"testing"
	"testing/fstest"
	"virtscope/results"
)

const withBuilds = `virtscope: 1
name: two
action: {migrate: {}}
workload: {kind: dirty}
guest: {qemu: {binary: /opt/plain/qemu}}
factors: {workload.rate: [4MiB/s, 8MiB/s]}
builds:
  old: {}
  "1.5": {guest.qemu.binary: "7", guest.vcpus: 2, action.migrate.qemu.parameters.x-knob: 1}
exclude: [{workload.rate: 8MiB/s, build: "1.5"}]
`

func TestBuilds(t *testing.T) {
	e, err := Parse("test", []byte(withBuilds))
	if err != nil {
		t.Fatal(err)
	}
	levels := func(rate, build string) []results.Level {
		return []results.Level{{Factor: "workload.rate", Value: rate}, {Factor: "build", Value: build}}
	}
	want := [][]results.Level{levels("4MiB/s", "old"), levels("4MiB/s", "1.5"), levels("8MiB/s", "old")}
	if got := e.Treatments(); !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	old, err := e.With(want[0])
	if err != nil || old.Guest.QEMU.Binary != "/opt/plain/qemu" || old.Guest.VCPUs != 1 || old.Builds != nil {
		t.Errorf("%+v %v", old.Guest, err)
	}
	other, err := e.With(want[1])
	if err != nil || other.Guest.QEMU.Binary != "7" || other.Guest.VCPUs != 2 || other.Action.Migrate.QEMU.Parameters["x-knob"] != "1" {
		t.Errorf("%+v %v", other.Guest, err)
	}
	if _, err := e.With(levels("4MiB/s", "none")); err == nil {
		t.Error("a build that is none is set")
	}
	sameWhenResolved(t, e)
}

// A child's builds replace its parent's as a whole, as factors do.
func TestBuildsOfAChild(t *testing.T) {
	files := fstest.MapFS{
		"parent.yaml": {Data: []byte("virtscope: 1\nname: p\naction: {migrate: {}}\nbuilds: {a: {}, b: {guest.vcpus: 2}}\n")},
		"child.yaml":  {Data: []byte("virtscope: 1\nname: c\nextends: parent.yaml\nbuilds: {c: {guest.vcpus: 3}, d: {guest.vcpus: 4}}\n")},
	}
	e, err := LoadFS(files, "child.yaml")
	if err != nil || !reflect.DeepEqual(e.Builds.names(), []string{"c", "d"}) {
		t.Errorf("%v %v", e, err)
	}
}
