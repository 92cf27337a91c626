package spec

import (
	"reflect"
	"testing"
	"testing/fstest"
)

const paperParent = `
virtscope: 1
name: parent
action: {migrate: {}}
workload: {kind: dirty}
guest: {memory: 512MiB}
paper:
  citation: A
  published:
    - {name: share, kind: share, metric: pages.requested, of: workload.working-set, where: {workload.rate: 8192KiB/s}, value: 21, unit: "%", source: abstract, comparable: yes}
factors:
  workload.rate: [8MiB/s, 16MiB/s]
`

func TestPaperIsInherited(t *testing.T) {
	for _, c := range []struct {
		name, child string
		want        bool
	}{
		{"more replicates", "replicates: 3", true},
		{"other factors", "factors: {workload.rate: [1MiB/s, 2MiB/s]}", false},
		{"null", "paper: null", false},
	} {
		files := fstest.MapFS{
			"parent.yaml": {Data: []byte(paperParent)},
			"child.yaml":  {Data: []byte("virtscope: 1\nname: child\nextends: parent.yaml\n" + c.child + "\n")},
		}
		e, err := LoadFS(files, "child.yaml")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := e.Paper != nil; got != c.want {
			t.Errorf("%s: inherited %t", c.name, got)
		}
	}
}

// TestPublishedNames: a figure names treatments in any unit, what it is a share of is of the treatment as it runs, and its unit has a base.
func TestPublishedNames(t *testing.T) {
	e, err := Parse("parent", []byte(paperParent))
	if err != nil {
		t.Fatal(err)
	}
	p := e.Paper.Published[0]
	list := e.Named(p.Where)
	if len(list) != 1 || list[0][0].Value != "8MiB/s" {
		t.Fatalf("named %v", list)
	}
	if err := e.SetScale(0.5); err != nil {
		t.Fatal(err)
	}
	with, err := e.With(list[0])
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := with.Amount(p.Of); !ok || b != 16<<20 {
		t.Errorf("share of %s, %t", b, ok)
	}
	for _, path := range []string{"workload.rate", "guest.disk.size", "nowhere"} {
		if b, ok := with.Amount(path); ok {
			t.Errorf("%s is the amount %s", path, b)
		}
	}
	if f, u := p.Base(); f != 0.01 || u != "1" {
		t.Errorf("a percent is %v %s", f, u)
	}
}

func TestPublishedUnitsHaveBases(t *testing.T) {
	for _, f := range grammar().structs[reflect.TypeFor[Published]()] {
		if f.key != "unit" {
			continue
		}
		if len(f.enum) != len(publishedUnits) {
			t.Errorf("%d units, %d bases", len(f.enum), len(publishedUnits))
		}
		for _, name := range f.enum {
			if u := publishedUnits[name]; u.factor <= 0 || u.base == "" {
				t.Errorf("%s has no base", name)
			}
		}
	}
}
