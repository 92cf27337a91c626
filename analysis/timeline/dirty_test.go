package timeline

import (
	"strings"
	"testing"
	"virtscope/results"
)

// Beside a store, what the guest counts is the least that it wrote; beside anything else it is all that matters.
func TestDirtyRateBesideStore(t *testing.T) {
	for uncounted, bound := range map[string]bool{"": false, "disk": false, "disk,net": false, "kv": true, "disk,redis": true} {
		x := &index{byName: map[string][]results.Record{}}
		for i := range int64(11) {
			r := results.Record{Name: results.GuestDirtied, Time: i * 1e8, Value: float64(i) * 100, Unit: results.Bytes, Attrs: map[string]string{"uncounted": uncounted}}
			x.byName[r.Name] = append(x.byName[r.Name], r)
		}
		q := x.dirtyRate(window{0, 2e9}, "")
		if !q.Known || q.Censored != bound || q.Low > 1000 || q.Low < 900 {
			t.Errorf("beside %q: %+v", uncounted, q)
		}
		if bound && (q.Value > 1000 || !strings.Contains(q.Why, "not counted")) {
			t.Errorf("beside %q: %+v, want no more than what was written, and why", uncounted, q)
		}
	}
}
