package spec

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTracePoints(t *testing.T) {
	points, err := Workload{Trace: "0s 4MiB/s,  500ms 0, 2s 8Mbit/s"}.TracePoints()
	want := []TracePoint{{0, 4 << 20}, {500 * time.Millisecond, 0}, {2 * time.Second, 1e6}}
	if err != nil || !slices.Equal(points, want) {
		t.Errorf("got %v, %v", points, err)
	}
	if got := FormatTrace(points); got != "0s 4MiB/s, 500ms 0B/s, 2s" {
		t.Errorf("written %s", got)
	}
}

func TestWrites(t *testing.T) {
	for text, want := range map[string]bool{
		"0s 1MiB/s, 1s": true, "0s 0, 1s 1bit/s, 2s": true, "0s 0, 1s": false, "0s 0, 1s 1MiB/s": false,
	} {
		points, err := Workload{Trace: text}.TracePoints()
		if got := Writes(points); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if Writes(nil) {
		t.Error("no trace writes")
	}
}

func FuzzTrace(f *testing.F) {
	for _, s := range []string{"0s 4MiB/s, 2s 16MiB/s, 5s", "0 0, 1ns 1bit/s", "0s 1MiB/s,", "1s", ",,", "0s 1MiB/s, 1s 1MiB/s x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		points, err := Workload{Trace: s}.TracePoints()
		if err != nil {
			if !strings.HasPrefix(err.Error(), "want ") {
				t.Fatalf("%q: %v does not say what would be accepted", s, err)
			}
			return
		}
		points[len(points)-1].Rate = 0 // has no effect, and is not written
		again, err := Workload{Trace: FormatTrace(points)}.TracePoints()
		if err != nil || !slices.Equal(again, points) {
			t.Fatalf("%q is %v, read again %v, %v", s, points, again, err)
		}
	})
}
