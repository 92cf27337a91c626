package energy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
)

// fixture makes a powercap tree: folder → name, counter, range.
type fixture map[string][3]string

func (f fixture) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for folder, files := range f {
		for i, file := range []string{"name", "energy_uj", "max_energy_range_uj"} {
			if files[i] != "" {
				put(t, root, folder, file, files[i])
			}
		}
	}
	return root
}

func put(t *testing.T, root, folder, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	// Renamed into place, so that a reader never finds half a number.
	path := filepath.Join(root, folder, file)
	if err := os.WriteFile(path+".new", []byte(content+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// server is what a machine with two packages shows.
func server() fixture {
	return fixture{
		"intel-rapl":        {},
		"dtpm":              {},
		"intel-rapl:0":      {"package-0", "1000000", "262143328850"},
		"intel-rapl:0:0":    {"dram", "500000", "65712999613"},
		"intel-rapl:1":      {"package-1", "262143000000", "262143328850"},
		"intel-rapl:1:0":    {"dram", "7", "65712999613"},
		"intel-rapl-mmio:0": {"package-0", "99", "262143328850"},
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	zones, err := find(server().write(t))
	if err != nil {
		t.Fatal(err)
	}
	var domains []string
	for _, z := range zones {
		domains = append(domains, z.attrs["domain"])
	}
	if want := []string{"package-0", "package-0/dram", "package-1", "package-1/dram"}; !slices.Equal(domains, want) {
		t.Fatalf("got %v, want %v", domains, want)
	}
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	if err := Available(server().write(t)); err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]string{
		"no folder":  filepath.Join(t.TempDir(), "powercap"),
		"no zones":   t.TempDir(),
		"mmio only":  fixture{"intel-rapl-mmio:0": {"package-0", "1", "9"}}.write(t),
		"no counter": fixture{"intel-rapl:0": {"package-0", "", "9"}}.write(t),
	} {
		err := Available(root)
		var not *NotSupportedError
		if !errors.As(err, &not) || not.Where != root || !strings.Contains(err.Error(), "probes.energy.interval") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, f := range map[string]fixture{
		"not a number": {"intel-rapl:0": {"package-0", "many", "9"}},
		"negative":     {"intel-rapl:0": {"package-0", "-1", "9"}},
		"twins":        {"intel-rapl:0": {"package-0", "1", "9"}, "intel-rapl:1": {"package-0", "1", "9"}},
	} {
		err := Available(f.write(t))
		var not *NotSupportedError
		if err == nil || errors.As(err, &not) {
			t.Errorf("%s: got %v, want an error of another kind", name, err)
		}
	}
}

func TestUsedCarriesOnWhenTheCounterWraps(t *testing.T) {
	t.Parallel()
	root := fixture{"intel-rapl:0": {"package-0", "9000000", "10000000000"}}.write(t)
	zones, err := find(root)
	if err != nil {
		t.Fatal(err)
	}
	z := zones[0]
	if err := z.begin(time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		counter string
		joules  float64
	}{
		{"9000000", 0},
		{"9500000", 0.5},
		{"9999000000", 9990},
		{"2000000", 9990 + 1 + 2}, // 1 J to the end of the range, 2 J after
		{"2000000", 9993},
		{"1000000", 9993 + 9998 + 1},
	} {
		put(t, root, "intel-rapl:0", "energy_uj", step.counter)
		if got, err := z.used(); err != nil || got != step.joules {
			t.Fatalf("counter %s: %v J, %v, want %v", step.counter, got, err, step.joules)
		}
	}
	put(t, root, "intel-rapl:0", "energy_uj", "10000000001")
	if got, err := z.used(); err == nil {
		t.Fatalf("above the range: %v J and no error", got)
	}
}

// recorder keeps records.
type recorder struct {
	mu      sync.Mutex
	records []results.Record
}

func (r *recorder) Record(rec results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
}

func TestProbe(t *testing.T) {
	t.Parallel()
	root := server().write(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log recorder
	err := New(Config{Host: "controller", Interval: 5 * time.Millisecond, Root: root}).Run(ctx, &log, func() {
		put(t, root, "intel-rapl:0", "energy_uj", "4000000") // 3 J more
		put(t, root, "intel-rapl:1", "energy_uj", "1671150") // wrapped: 0.32885 + 1.67115 J more
		time.AfterFunc(50*time.Millisecond, cancel)
	})
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]results.Record{}
	samples, own := 0, 0
	for _, r := range log.records {
		if r.Name != results.Energy {
			own++
			continue
		}
		samples++
		if _, seen := last[r.Attrs["domain"]]; !seen && r.Value != 0 {
			t.Errorf("first sample: %+v, want 0 J", r)
		}
		last[r.Attrs["domain"]] = r
	}
	for domain, joules := range map[string]float64{"package-0": 3, "package-0/dram": 0, "package-1": 2, "package-1/dram": 0} {
		if r := last[domain]; r.Value != joules || r.Unit != results.Joules || r.Host != "controller" || r.Source != results.SourceEnergy {
			t.Errorf("%s: got %+v, want %v J", domain, r, joules)
		}
	}
	if samples < 3*4 || own != 4 {
		t.Errorf("%d samples, %d records of itself", samples, own)
	}
}

func TestProbeRefuses(t *testing.T) {
	t.Parallel()
	gone := server().write(t)
	for want, c := range map[string]Config{
		"not supported":      {Root: t.TempDir()},
		"may wrap round":     {Root: fixture{"intel-rapl:0": {"package-0", "1", "65712999613"}}.write(t), Interval: time.Minute},
		"no such file":       {Root: gone, Interval: time.Millisecond},
		"is above its range": {Root: fixture{"intel-rapl:0": {"package-0", "9000001", "9000000"}}.write(t), Interval: time.Millisecond},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := New(c).Run(ctx, &recorder{}, func() {
			if c.Root != gone {
				t.Errorf("%s: armed", want)
			}
			if err := os.Remove(filepath.Join(gone, "intel-rapl:1:0", "energy_uj")); err != nil {
				t.Error(err)
			}
		})
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
