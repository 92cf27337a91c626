package spec

import (
	"fmt"
	"strings"
	"testing"
	"virtscope/results"
)

func TestTreatments(t *testing.T) {
	e, err := Parse("t", []byte(`
virtscope: 1
name: t
workload: {kind: dirty}
action: {migrate: {}}
factors:
  workload.rate: [4MiB/s, 8MiB/s, 16MiB/s]
  guest.vcpus: [1, 2]
exclude:
  - {workload.rate: 8192KiB/s, guest.vcpus: 2}
  - {workload.rate: [16MiB/s], guest.vcpus: [1, 2]}
`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "[[{workload.rate 4MiB/s} {guest.vcpus 1}] [{workload.rate 4MiB/s} {guest.vcpus 2}] [{workload.rate 8MiB/s} {guest.vcpus 1}]]"
	if got := fmt.Sprint(e.Treatments()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestTreatmentsWithoutFactors(t *testing.T) {
	if got := Default().Treatments(); len(got) != 1 || len(got[0]) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestTooManyTreatments(t *testing.T) {
	e := Default()
	for _, f := range grammar().factorPaths() {
		e.Factors = append(e.Factors, Factor{Path: f, Levels: []string{"a", "b", "c"}})
	}
	if got := e.Treatments(); got != nil {
		t.Errorf("got %d treatments", len(got))
	}
}

func TestWith(t *testing.T) {
	e := Default()
	e.Factors = Factors{{Path: "guest.vcpus", Levels: []string{"1", "2"}}}
	with, err := e.With([]results.Level{{Factor: "guest.vcpus", Value: "2"}, {Factor: "testbed.migration-link.rate", Value: "1Gbit/s"}, {Factor: "action.migrate.algorithm", Value: "precopy"}})
	if err != nil {
		t.Fatal(err)
	}
	if with.Guest.VCPUs != 2 || with.Testbed.MigrationLink.Rate != 125e6 || with.Testbed.MigrationLink.Queue != DefaultLink().Queue ||
		with.Action.Migrate.MaxRounds != 30 || len(with.Factors) != 0 {
		t.Errorf("got %+v", with)
	}
	if e.Guest.VCPUs != 1 || e.Testbed.MigrationLink != nil || e.Action.Migrate != nil || len(e.Factors) != 1 {
		t.Errorf("the experiment changed: %+v", e)
	}
}

func TestWithRefuses(t *testing.T) {
	for path, level := range map[string]string{
		"guest.vcpus": "0", "guest.memory": "512", "workload.kind": "dirt", "workload": "dirty", "replicates": "2", "order.seed": "1", "name": "x", "guest.vpcus": "1",
	} {
		_, err := Default().With([]results.Level{{Factor: path, Value: level}})
		if err == nil || !strings.Contains(err.Error(), "want ") || !strings.Contains(err.Error(), level) {
			t.Errorf("%s=%s: got %v", path, level, err)
		}
	}
}

// TestUnusedKeys: a key of a workload that no treatment has is most likely a mistake.
func TestUnusedKeys(t *testing.T) {
	const head = "virtscope: 1\nname: t\naction: {migrate: {}}\n"
	for text, ok := range map[string]bool{
		"workload: {kind: dirty, rate: 8MiB/s}":            true,
		"workload: {rate: 8MiB/s}":                         false,
		"workload: {kind: cpu, pattern: random}":           false,
		"workload: {kind: dirty, rate: 8MiB/s, load: 0.5}": false,
		"workload: {kind: replay, trace: \"0s 1MiB/s, 1s\", compressibility: 0.5, write-size: 8KiB, delta-size: 64B}": true,
		"workload: {kind: replay, trace: \"0s 1MiB/s, 1s\", rate: 1MiB/s}":                                            false,
		"workload: {rate: 8MiB/s}\nfactors: {workload.kind: [idle, dirty]}":                                           true,
		"workload: {kind: idle}\nfactors: {workload.rate: [1MiB/s, 2MiB/s]}":                                          false,
		"workload: {kind: dirty}\nfactors: {workload.rate: [1MiB/s, 2MiB/s]}":                                         true,
		"workload: {rate: 1MiB/s, load: 0.5}\nfactors: {workload.kind: [idle, dirty, cpu]}":                           true,
	} {
		if _, err := Parse("t", []byte(head+text)); (err == nil) != ok {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"rate", "rate"}: 0, {"rte", "rate"}: 1, {"lnik", "link"}: 1, {"", "abc"}: 3, {"kitten", "sitting"}: 3, {"µs", "us"}: 1,
	} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("%v: got %d, want %d", pair, got, want)
		}
	}
}
