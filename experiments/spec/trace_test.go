package spec

import (
	"slices"
	"strconv"
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

// TestLongestTrace: as long as it may be, with the longest texts that virtscope trace prints, it fits into a file; one more
// point is refused.
func TestLongestTrace(t *testing.T) {
	points := make([]TracePoint, MaxTracePoints)
	for i := range points {
		points[i] = TracePoint{200*time.Hour + time.Duration(i)*101*time.Millisecond, 1234567 << 10}
	}
	points[0].At = 0
	text := FormatTrace(points)
	const head = "virtscope: 1\nname: t\naction: {migrate: {}}\nworkload: {kind: replay, trace: "
	if e, err := Parse("t", []byte(head+strconv.Quote(text)+"}\n")); err != nil || len(e.Workload.Trace) != len(text) {
		t.Errorf("%d B are refused: %.200v", len(text), err)
	}
	_, err := Workload{Trace: text + " 1MiB/s, 300h"}.TracePoints()
	if err == nil || err.Error() != "want at most 20000 times in a trace" {
		t.Errorf("one more: %.200v", err)
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
