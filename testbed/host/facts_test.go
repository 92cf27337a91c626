package host

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func table(facts []results.Fact) string {
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", f.Subject, f.Name, f.Value)
	}
	return b.String()
}

func TestFactsGolden(t *testing.T) {
	for _, name := range []string{"workstation", "cloud", "empty"} {
		t.Run(name, func(t *testing.T) {
			got := table(FactsAt(t.Context(), filepath.Join("testdata", name)))
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A fact that this machine cannot give must be there all the same.
func TestFactsOfThisMachine(t *testing.T) {
	facts := Facts(t.Context())
	seen := map[string]bool{}
	for _, f := range facts {
		if f.Value == "" || f.Subject == "" {
			t.Errorf("empty fact %+v", f)
		}
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		t.Logf("%s = %s", f.Name, f.Value)
	}
	i := slices.IndexFunc(facts, func(f results.Fact) bool { return f.Name == "kernel.release" })
	want, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if facts[i].Value != strings.TrimSpace(string(want)) {
		t.Errorf("kernel.release = %q, want %q", facts[i].Value, want)
	}
}

func TestFactsAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range FactsAt(ctx, "testdata/workstation") {
		if f.Value != "unknown: context canceled" {
			t.Errorf("%s = %q after cancel", f.Name, f.Value)
		}
	}
}

func FuzzInstalledVersions(f *testing.F) {
	status, err := os.ReadFile("testdata/workstation/var/lib/dpkg/status")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(status)
	f.Add([]byte("Package: a\nStatus: x installed\nVersion:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := installedVersions(bytes.NewReader(b), func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			if p.version == "" || strings.ContainsAny(p.name+p.version, "\n") {
				t.Errorf("found %+v", p)
			}
		}
	})
}
