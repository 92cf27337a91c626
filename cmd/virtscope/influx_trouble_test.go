package main

import (
	"strings"
	"testing"
	"time"
	"virtscope/results/influx"
)

// A server in trouble is told once when it has lasted, and once when it is over; a short one is not told.
func TestTroubleIsToldOnce(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(s float64) time.Time { return begin.Add(time.Duration(s * float64(time.Second))) }
	teller := troubleTeller{target: influx.Target{URL: "http://x", Bucket: "b", Token: "sesame"}}
	for _, step := range []struct {
		now   float64
		since float64 // of the trouble; below 0: there is none
		want  string
	}{
		{0, -1, ""},
		{1, 0, ""},
		{4.9, 0, ""},
		{5, -1, ""},
		{8, 6, ""},
		{11, 6, "influx: http://x bucket b has taken nothing for 5s: 503 away: it is tried again, and the run goes on"},
		{12, 6, ""},
		{60, 6, ""},
		{61, -1, "influx: http://x bucket b takes records again, after 55s"},
		{62, -1, ""},
		{70, 63, "influx: http://x bucket b has taken nothing for 7s: 503 away: it is tried again, and the run goes on"},
	} {
		status := influx.Status{Known: true}
		if step.since >= 0 {
			status.Trouble, status.Since = "503 away", at(step.since)
		}
		if got := teller.see(status, at(step.now)); got != step.want {
			t.Errorf("after %v s: %q, want %q", step.now, got, step.want)
		}
	}
}

// The end of a line that says how shipping goes is not what is cut.
func TestNoteIsNotClipped(t *testing.T) {
	long := "[1/20] " + strings.Repeat("rate=1MiB/s ", 20)
	for _, tc := range []struct {
		line, note string
		want       string
	}{
		{"[1/2] a", "influx: lags", "[1/2] a · influx: lags"},
		{long, "influx: lags", long[:23] + "… · influx: lags"},
		{"[1/2] a", strings.Repeat("n", 40), "[1/2] a · " + strings.Repeat("n", 28) + "…"},
	} {
		if got := withNote(tc.line, tc.note, 39); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	if got := clip("äöü", 2); got != "ä…" {
		t.Errorf("%q", got)
	}
}
