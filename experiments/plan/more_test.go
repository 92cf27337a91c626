package plan

import (
	"slices"
	"strings"
	"testing"
	"virtscope/experiments/spec"
)

const moreText = `virtscope: 1
name: x
action: {migrate: {}}
workload: {kind: dirty}
factors: {workload.rate: [1MiB/s, 2MiB/s, 4MiB/s], guest.vcpus: [1, 2]}
replicates: 3
order: {block-by: replicate, seed: 7}
`

func TestMore(t *testing.T) {
	e, err := spec.Parse("x.yaml", []byte(moreText))
	if err != nil {
		t.Fatal(err)
	}
	only := []string{"rate=1MiB/s,vcpus=2", "rate=4MiB/s,vcpus=1"}
	p, err := More(e, only, 3)
	if err != nil || len(p.Trials) != 6 || p.Experiment.Order.Seed != 7 {
		t.Fatalf("%d trials, %v", len(p.Trials), err)
	}
	first, _ := Make(e)
	ids := map[string]bool{}
	for i, trial := range p.Trials {
		if !slices.Contains(only, trial.Treatment) || trial.Order != i+1 || trial.Replicate < 7 || trial.Replicate > 9 || trial.Spec.Order.Seed != 7 {
			t.Errorf("%+v", trial.Trial)
		}
		if want := "replicate=" + string(rune('0'+trial.Replicate)); trial.Block != want || ids[trial.ID] {
			t.Errorf("%s in %s, want %s", trial.ID, trial.Block, want)
		}
		ids[trial.ID] = true
	}
	again, _ := More(e, only, 3)
	for i := range p.Trials {
		if p.Trials[i].ID != again.Trials[i].ID {
			t.Error("the same plan comes out differently")
		}
	}
	all, err := More(e, nil, 2)
	if err != nil || len(all.Trials) != len(first.Trials) {
		t.Errorf("%d trials, %v", len(all.Trials), err)
	}
	if _, err := More(e, []string{"rate=9MiB/s,vcpus=1"}, 2); err == nil || !strings.Contains(err.Error(), "its treatments are rate=1MiB/s,vcpus=1; ") {
		t.Errorf("%v", err)
	}
	if _, err := More(e, nil, 1); err == nil {
		t.Error("the first look is the experiment")
	}
}

// Builds of a replicate stay together.
func TestMoreOfBuilds(t *testing.T) {
	e, err := spec.Parse("x.yaml", []byte("virtscope: 1\nname: x\naction: {migrate: {}}\nreplicates: 4\nbuilds: {old: {guest.vcpus: 1}, new: {guest.vcpus: 2}}\nfactors: {guest.memory: [256MiB, 512MiB]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := More(e, []string{"memory=256MiB,build=old", "memory=256MiB,build=new"}, 2)
	if err != nil || len(p.Trials) != 8 {
		t.Fatalf("%d trials, %v", len(p.Trials), err)
	}
	for i := 0; i < len(p.Trials); i += 2 {
		if p.Trials[i].Block != p.Trials[i+1].Block || p.Trials[i].Treatment == p.Trials[i+1].Treatment {
			t.Errorf("%+v and %+v", p.Trials[i].Trial, p.Trials[i+1].Trial)
		}
	}
	if p.Trials[0].Block != "replicate=5" || p.Trials[0].Treatment == p.Trials[2].Treatment {
		t.Errorf("they do not take turns: %+v", p.Trials[0].Trial)
	}
}
