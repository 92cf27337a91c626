package influx

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// What somebody else wrote into a state is not taken for what was shipped.
func TestEditedState(t *testing.T) {
	r := makeRun(t, 2, 100)
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	to := target(p.URL, "x")
	ship(t, &Shipper{Run: r, Target: to})
	path := statePath(r.Dir, to)
	written, err := os.ReadFile(path)
	must(t, err)
	for _, tc := range []struct{ old, with string }{
		{`"records":100`, `"records":99999999`},
		{`"records":100`, `"records":0`},
		{`"done":true`, `"done":false`},
		{`"refused":0`, `"refused":7`},
		{`"sum":"`, `"sum":"0`},
		{`"sum":"`, `"other":"`},
	} {
		edited := strings.Replace(string(written), tc.old, tc.with, 1)
		if edited == string(written) {
			t.Fatalf("no %s in %s", tc.old, written)
		}
		must(t, os.WriteFile(path, []byte(edited), 0o644))
		s := &Shipper{Run: r, Target: to}
		err := s.Ship(t.Context())
		if err == nil || !strings.Contains(err.Error(), "not as virtscope wrote it: remove it, and all is shipped again") || s.Status().Known {
			t.Errorf("%s for %s: %v, %+v", tc.with, tc.old, err, s.Status())
		}
	}
	must(t, os.Remove(path))
	s := &Shipper{Run: r, Target: to}
	ship(t, s)
	if got := s.Status(); got.Sent != 200 {
		t.Errorf("after it was removed: %+v", got)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(written) {
		t.Errorf("%v: %s, want %s", err, again, written)
	}
}
