package spec

import (
	"reflect"
	"testing"
)

func TestSettingsAsFactors(t *testing.T) {
	e, err := Parse("t", []byte(`
virtscope: 1
name: t
action: {migrate: {qemu: {parameters: {x-other: 1.50, x-flag: true}}}}
factors:
  action.migrate.qemu.parameters.x-my-knob: [1, 0x10, fast]
  action.migrate.qemu.capabilities.x-new: [true, false]
`))
	if err != nil {
		t.Fatal(err)
	}
	treatments := e.Treatments()
	if len(treatments) != 6 {
		t.Fatalf("%d treatments", len(treatments))
	}
	with, err := e.With(treatments[3])
	if err != nil {
		t.Fatal(err)
	}
	want := Passthrough{
		Capabilities: Settings{"x-new": "false"},
		Parameters:   Settings{"x-my-knob": "0x10", "x-other": "1.50", "x-flag": "true"},
	}
	if got := with.Action.Migrate.QEMU; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if len(e.Action.Migrate.QEMU.Parameters) != 2 {
		t.Errorf("the experiment changed: %v", e.Action.Migrate.QEMU)
	}
	sameWhenResolved(t, e)
}
