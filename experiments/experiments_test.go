package experiments

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
)

//go:generate go test . -run "TestSchemaIsCurrent|TestReadmeIsCurrent" -update

var update = flag.Bool("update", false, "write schema.json and the tables of README.md")

func catalogue(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(Catalogue, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatal("the catalogue is empty")
	}
	return names
}

func TestEveryExperimentLoadsAndPlans(t *testing.T) {
	for _, name := range catalogue(t) {
		t.Run(name, func(t *testing.T) {
			e, err := spec.LoadFS(Catalogue, name)
			if err != nil {
				t.Fatal(err)
			}
			if e.Name+".yaml" != name {
				t.Errorf("the experiment in %s is named %s", name, e.Name)
			}
			if e.Question == "" {
				t.Error("it asks no question")
			}
			p, err := plan.Make(e)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Trials) == 0 || p.Estimate() <= 0 {
				t.Errorf("%d trials in %s", len(p.Trials), p.Estimate())
			}
			onDisk, err := spec.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(onDisk.Sources()) != fmt.Sprint(e.Sources()) {
				t.Errorf("the file system gives %v, the binary %v", onDisk.Sources(), e.Sources())
			}
		})
	}
}

func TestEveryExperimentNamesTheSchema(t *testing.T) {
	for _, name := range catalogue(t) {
		text, err := fs.ReadFile(Catalogue, name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# yaml-language-server: $schema=schema.json\n")) {
			t.Errorf("%s does not begin with the schema's name for editors", name)
		}
	}
}

// TestGuestperfSets: all eleven sets of guestperf are there, with what each varies.
func TestGuestperfSets(t *testing.T) {
	for name, want := range map[string]string{
		"pause-iters":               "pause-after-rounds 1 5 20",
		"post-copy-bandwidth":       "max-bandwidth 100Mbit/s 300Mbit/s 1Gbit/s 10Gbit/s 100Gbit/s",
		"post-copy-iters":           "postcopy-start at-once 1 round 5 rounds 20 rounds",
		"auto-converge-iters":       "throttle-increment 5 10 20",
		"auto-converge-bandwidth":   "max-bandwidth 100Mbit/s 300Mbit/s 1Gbit/s 10Gbit/s 100Gbit/s",
		"compr-mt":                  "compress-threads 1 2 4",
		"compr-xbzrle":              "xbzrle-cache 64MiB 128MiB 256MiB 512MiB",
		"compr-multifd":             "channels 4 8 32 64",
		"compr-dirty-limit-period":  "dirty-limit-period 500ms 800ms 1s",
		"compr-dirty-limit":         "dirty-limit 10MiB/s 20MiB/s 50MiB/s",
		"compr-multifd-compression": "compression zlib zstd",
	} {
		e, err := spec.LoadFS(Catalogue, "guestperf-"+name+".yaml")
		if err != nil {
			t.Error(err)
			continue
		}
		f := e.Factors[0]
		if got := strings.TrimPrefix(f.Path, "action.migrate.") + " " + strings.Join(f.Levels, " "); got != want {
			t.Errorf("%s varies %s", name, got)
		}
		if n := len(e.Treatments()); n != len(f.Levels) || e.Replicates < 3 {
			t.Errorf("%s has %d treatments and %d replicates", name, n, e.Replicates)
		}
	}
}

func TestSchemaIsCurrent(t *testing.T) {
	want, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	current(t, "schema.json", want)
}

func TestReadmeIsCurrent(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := spec.Reference()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, name := range catalogue(t) {
		e, err := spec.LoadFS(Catalogue, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| [%s](%s) | %s |\n", name, name, e.Question)
	}
	var papers strings.Builder
	for _, name := range catalogue(t) {
		e, err := spec.LoadFS(Catalogue, name)
		if err != nil {
			t.Fatal(err)
		}
		if e.Paper != nil {
			papers.WriteString(paperRow(name, e.Paper))
		}
	}
	text = []byte(between(t, string(text), "papers", "| File | Paper | What is other here | Compared |\n|---|---|---|---|\n"+papers.String()))
	want := between(t, string(text), "catalogue", "| File | Question |\n|---|---|\n"+table.String())
	current(t, "README.md", []byte(between(t, want, "reference", reference)))
}

// paperRow tells what of a paper an experiment compares, and how far.
func paperRow(name string, p *spec.Paper) string {
	how := map[string]string{"yes": "", "in-trend": " (in trend)", "no": " (beside, not judged)"}
	var list []string
	for _, f := range p.Published {
		text := f.Name + how[f.Comparable]
		if f.Kind == "none" {
			text = f.Name + " (told alone)"
		}
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return fmt.Sprintf("| [%s](%s) | %s | %s | %s |\n", name, name, p.Citation, p.Changes, strings.Join(list, "; "))
}

// TestReadmeExample runs what the README tells a reader to write.
func TestReadmeExample(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("README.md has no example")
	}
	files := os.DirFS(".")
	e, err := spec.LoadFS(overlay{files, "example.yaml", example}, "example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Testbed.MigrationLink.Rate.String(); got != "100Mbit/s" || len(e.Treatments()) != 3 {
		t.Errorf("migration link %s, %d treatments", got, len(e.Treatments()))
	}
}

// between replaces what stands between two marks of the text.
func between(t *testing.T, text, mark, content string) string {
	t.Helper()
	begin, end := "<!-- "+mark+":begin -->\n", "<!-- "+mark+":end -->"
	before, rest, ok := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("README.md lacks the marks of %s", mark)
	}
	return before + begin + content + end + after
}

// current compares a committed file with what it is made from.
func current(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not current: run go test ./experiments -update", name)
	}
}

// An overlay is a file system with one more file.
type overlay struct {
	fs.FS
	name, text string
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	if name == o.name {
		return []byte(o.text), nil
	}
	return fs.ReadFile(o.FS, name)
}
