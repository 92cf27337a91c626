package results

import (
	"os"
	"path/filepath"
	"testing"
)

// A name from elsewhere, such as a server's, stays within the runs: nothing outside is made, renamed or read.
func TestNamesStayWithinTheRuns(t *testing.T) {
	top := t.TempDir()
	precious := filepath.Join(top, "precious")
	if err := os.Mkdir(precious, 0o755); err != nil {
		t.Fatal(err)
	}
	runs := filepath.Join(top, "runs")
	r, err := Create(runs, Manifest{Format: ManifestFormat, Run: "r"}, nil, []Trial{{ID: "001-a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "..", "../../../precious", "a/b", `a\b`, "/etc", "a\x00b"} {
		if _, _, err := r.Begin(Trial{ID: bad}); err == nil {
			t.Errorf("begin %q", bad)
		}
		if _, err := Create(runs, Manifest{Run: bad}, nil, nil); err == nil {
			t.Errorf("create run %q", bad)
		}
		if _, err := Create(runs, Manifest{Run: "other"}, nil, []Trial{{ID: bad}}); err == nil {
			t.Errorf("create with trial %q", bad)
		}
	}
	if err := os.WriteFile(filepath.Join(r.Dir, planFile), []byte(`{"id":"../../../precious"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.Dir); err == nil {
		t.Error("a plan that leads out of the run was opened")
	}
	list, err := os.ReadDir(top)
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
