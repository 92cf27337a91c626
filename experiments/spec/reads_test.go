package spec

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestReadersAreKeys: every path of the table is one of the language.
func TestReadersAreKeys(t *testing.T) {
	for _, r := range readers {
		if _, ok := grammar().at(r.path); !ok {
			t.Errorf("there is no %s", r.path)
		}
		for _, path := range r.under {
			if _, ok := grammar().at(path); !ok {
				t.Errorf("%s: there is no %s", r.path, path)
			}
		}
	}
}

// TestResolvedLeavesOutWhatNothingReads, and the groups that this empties.
func TestResolvedLeavesOutWhatNothingReads(t *testing.T) {
	e, err := Parse("t", []byte("virtscope: 1\nname: t\naction: {migrate: {}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"keys", "xbzrle-cache", "kv:", "disk:", "bin:"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the resolved text has %s, which nothing reads:\n%s", word, text)
		}
	}
}

// TestResolvedKeepsWhatReplayReads: the guest gets these of a replay too.
func TestResolvedKeepsWhatReplayReads(t *testing.T) {
	e, err := Parse("t", []byte("virtscope: 1\nname: t\naction: {migrate: {}}\nworkload: {kind: replay, trace: \"0s 1MiB/s, 1s\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	e.Workload.Compressibility, e.Workload.WriteSize, e.Workload.DeltaSize = 0.5, 8<<10, 64
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("resolved", text)
	if err != nil {
		t.Fatal(err)
	}
	if w := again.Workload; w.Compressibility != 0.5 || w.WriteSize != 8<<10 || w.DeltaSize != 64 {
		t.Errorf("got %+v of\n%s", w, text)
	}
}

// TestChildChoosesAnother: what a parent sets for its own choice is no mistake of a child that chooses otherwise.
func TestChildChoosesAnother(t *testing.T) {
	files := fstest.MapFS{
		"parent.yaml": {Data: []byte(`
virtscope: 1
name: parent
workload: {kind: kv, kv: {keys: 5}}
testbed: {link: {down-for: 1s, down-after: 1s}}
action: {migrate: {algorithm: xbzrle, xbzrle-cache: 1MiB}}
`)},
		"child.yaml": {Data: []byte(`
virtscope: 1
name: child
extends: parent.yaml
workload: {kind: idle}
testbed: {link: {down-for: 0}}
factors: {action.migrate.algorithm: [precopy, postcopy]}
`)},
		"same.yaml": {Data: []byte(`
virtscope: 1
name: same
extends: parent.yaml
workload: {disk: {rate: 1MiB/s}}
`)},
	}
	e, err := LoadFS(files, "child.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sameWhenResolved(t, e)
	if _, err := LoadFS(files, "same.yaml"); err == nil || !strings.Contains(err.Error(), "same.yaml:5:25: workload.disk.rate") {
		t.Errorf("a child's own key that nothing reads: got %v", err)
	}
}
