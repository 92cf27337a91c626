package main

import (
	"strings"
	"testing"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/testbed/guest"
)

func TestNeedSpace(t *testing.T) {
	const huge = spec.Bytes(1 << 60)
	migrate := func(algorithm string) spec.Action { return spec.Action{Migrate: &spec.Migrate{Algorithm: algorithm}} }
	for _, c := range []struct {
		name string
		spec spec.Experiment
		want string
	}{
		{"small", spec.Experiment{Guest: spec.Guest{Memory: 1 << 20}, Action: migrate(guest.PreCopy)}, ""},
		{"memory that leaves nothing", spec.Experiment{Guest: spec.Guest{Memory: huge}, Action: migrate(guest.PreCopy)}, ""},
		{
			"capture", spec.Experiment{Guest: spec.Guest{Memory: huge}, Action: migrate(guest.PreCopy), Probes: spec.Probes{Capture: spec.Capture{Keep: "whole"}}},
			"1 trials may need",
		},
		{"disk", spec.Experiment{Guest: spec.Guest{Disk: &spec.Disk{Size: huge, Storage: "shared"}}, Action: migrate(guest.PreCopy)}, "may need 1099511627776 MiB"},
		{"two disks", spec.Experiment{Guest: spec.Guest{Disk: &spec.Disk{Size: huge, Storage: "local"}}, Action: migrate(guest.PreCopy)}, "may need 2199023255552 MiB"},
		{"by way of a file", spec.Experiment{Guest: spec.Guest{Memory: huge}, Action: migrate(guest.MappedRAM)}, "a trial's disks and memory may need 1099511627776 MiB"},
	} {
		err := needSpace(t.TempDir(), t.TempDir(), []plan.Trial{{Spec: &c.spec}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
