package main

import (
	"strings"
	"testing"
	"virtscope/analysis/live"
	"virtscope/results"
)

func TestSayWhetherMore(t *testing.T) {
	for _, c := range []struct {
		name    string
		cut     bool // its journal has no end
		process live.Process
		want    string
	}{
		{"nobody can tell", true, live.Unsure, "influx: ! what is there was sent; whether a process still works on the run is not known: no locks available: if one does, push again for the rest\n"},
		{"it goes on", false, live.Working, "influx: ! what was there was sent, and a process works on the run: once it has ended, push again for the rest\n"},
		{"its journal tells", false, live.Unsure, ""},
		{"it was killed", true, live.Gone, ""},
	} {
		w, _ := unsureRun(t, watchOptions{}, c.cut)
		var b strings.Builder
		sayWhetherMore(&b, w.run, func(*results.Run) (live.Process, error) { return c.process, errNoLocks })
		if b.String() != c.want {
			t.Errorf("%s: %q", c.name, b.String())
		}
	}
}
