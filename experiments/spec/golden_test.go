package spec

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBadFiles compares the problems of each file in testdata/bad with the listing beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := LoadFS(os.DirFS("testdata/bad"), filepath.Base(file))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("want problems, got %v", err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Col < 1 || p.Want == "" {
					t.Errorf("%+v lacks its place or what it wants", p)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".problems", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "nowhere.yaml"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	var problems Problems
	if errors.As(err, &problems) {
		t.Error("a file that cannot be read is no problem of the language")
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: got %v", err)
	}
}

func TestHugeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(file, []byte(strings.Repeat("# padding\n", maxFile/10+1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "at most 1MiB") {
		t.Errorf("got %v", err)
	}
}

func TestParseExtends(t *testing.T) {
	_, err := Parse("text", []byte("virtscope: 1\nname: x\nextends: text\n"))
	if err == nil || !strings.Contains(err.Error(), "a text alone cannot refer to a file") {
		t.Errorf("got %v", err)
	}
}

func TestExtends(t *testing.T) {
	files := fstest.MapFS{
		"base.yaml": {Data: []byte(`
virtscope: 1
testbed: {link: {rate: 1Gbit/s}, migration-link: {rate: 100Mbit/s, delay: 1ms}}
workload: {kind: dirty, rate: 8MiB/s}
guest: {vcpus: 2}
action: {migrate: {max-rounds: 5}}
factors: {guest.memory: [256MiB, 512MiB]}
warmup: 3s
`)},
		"dir/middle.yaml": {Data: []byte(`
virtscope: 1
extends: ../base.yaml
testbed: {migration-link: null}
guest: {qemu: {machine: pc}}
`)},
		"dir/child.yaml": {Data: []byte(`
virtscope: 1
name: child
extends: middle.yaml
action: {migrate: {timeout: 30s}}
factors: {workload.rate: [1MiB/s, 2MiB/s]}
warmup: 0s
`)},
	}
	e, err := LoadFS(files, "dir/child.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := e.Action.Migrate
	switch {
	case e.Testbed.MigrationLink != nil:
		t.Error("null did not take the migration link away")
	case e.Testbed.Link.Rate != 125e6 || e.Guest.VCPUs != 2 || e.Guest.QEMU.Machine != "pc" || m.MaxRounds != 5 || m.Timeout.String() != "30s":
		t.Errorf("maps were not merged: %+v %+v", e, m)
	case e.Warmup != 0:
		t.Errorf("an explicit 0 became %s", e.Warmup)
	case len(e.Factors) != 1 || e.Factors[0].Path != "workload.rate":
		t.Errorf("factors were not replaced as a whole: %v", e.Factors)
	case e.Workload.Rate != 0:
		t.Errorf("the parent's plain value of a factor stayed: %s", e.Workload.Rate)
	}
	var paths []string
	for _, s := range e.Sources() {
		paths = append(paths, s.Path)
		if len(s.SHA256) != 64 {
			t.Errorf("%s has the hash %q", s.Path, s.SHA256)
		}
	}
	if got := strings.Join(paths, " "); got != "dir/child.yaml dir/middle.yaml base.yaml" {
		t.Errorf("sources: %s", got)
	}
	sameWhenResolved(t, e)
}
