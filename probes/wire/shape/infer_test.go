package shape

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"virtscope/results"
)

var fixtures = []string{"fast", "limited", "multifd", "postcopy"}

// within fails unless what QEMU said is within a stage's bounds.
func within(t *testing.T, l log, stage string, truth int64) {
	t.Helper()
	r := l.stage(stage)
	if r == nil {
		t.Errorf("%s was not told", stage)
		return
	}
	a, b := edge(t, r, "earliest"), edge(t, r, "latest")
	if truth < a || truth > b || r.Time < a || r.Time > b || r.Attrs["inferred"] != "true" || r.Attrs["from"] == "" {
		t.Errorf("%s is within %d and %d, %d at best; it was at %d (%d µs, %d µs): %v", stage, a, b, r.Time, truth, (truth-a)/1000, (b-truth)/1000, r.Attrs)
	}
}

func absent(t *testing.T, l log, stages ...string) {
	t.Helper()
	for _, s := range stages {
		if l.stage(s) != nil {
			t.Errorf("%s was told: %v", s, l.stage(s))
		}
		if r := l.find(results.WireUntold, "what", s); r == nil || r.Attrs["detail"] == "" {
			t.Errorf("nothing says why %s was not told", s)
		}
	}
}

// The guest stopped and ran within the bounds, encrypted or of unknown format.
func TestTruthIsWithinBounds(t *testing.T) {
	for _, name := range fixtures {
		list, q := fixture(t, name)
		for _, encrypted := range []bool{true, false} {
			l := replay(list, options{encrypted: encrypted})
			within(t, l, results.StageStopCopy, q.Stop)
			within(t, l, results.StageRunning, q.Resume)
			if pre := l.stage(results.StagePreCopy); pre == nil || edge(t, pre, "latest") < q.Pass1 {
				t.Errorf("%s: pre-copy %v begins before QEMU's first pass", name, pre)
			}
			if (l.stage(results.StagePostCopy) != nil) != q.PostCopy || (l.stage(results.StageSwitchOver) == nil) != q.PostCopy {
				t.Errorf("%s: post-copy %v, switch-over %v", name, l.stage(results.StagePostCopy), l.stage(results.StageSwitchOver))
			}
			for _, r := range l {
				if r.Attrs["stream"] != "1" || r.Host != "sw" || r.Source != results.SourceWire {
					t.Errorf("record %+v", r)
				}
			}
		}
	}
}

// Ports that tell nothing leave pre-copy as it is; of post-copy nothing is claimed.
func TestOnePort(t *testing.T) {
	for _, name := range fixtures {
		list, q := fixture(t, name)
		l := replay(list, options{encrypted: true, ports: func(string) string { return "" }})
		if q.PostCopy {
			absent(t, l, results.StageStopCopy, results.StageSwitchOver, results.StageRunning)
			continue
		}
		within(t, l, results.StageStopCopy, q.Stop)
		within(t, l, results.StageRunning, q.Resume)
	}
}

// Without the guest's frames its stop is not told. That it runs is, by the destination's close, if the migration succeeded.
func TestNoFrames(t *testing.T) {
	for _, name := range fixtures {
		list, q := fixture(t, name)
		for _, hide := range []func(string) string{
			func(string) string { return "-" },
			func(p string) string { return map[string]string{"src": "-"}[p] + map[string]string{"dst": "dst"}[p] },
		} {
			l := replay(list, options{encrypted: true, ports: hide})
			if q.PostCopy {
				absent(t, l, results.StageStopCopy, results.StageSwitchOver, results.StageRunning)
				continue
			}
			absent(t, l, results.StageStopCopy)
			within(t, l, results.StageRunning, q.Resume)
		}
	}
	list, _ := fixture(t, "fast")
	l := replay(list, options{encrypted: true, ports: func(string) string { return "-" }})
	if l.stage(results.StageRunning).Attrs["provided"] == "" {
		t.Error("the migration's success was taken for granted")
	}
}

// A multifd channel is closed before the guest runs: its close alone shows nothing.
func TestSiblings(t *testing.T) {
	list, q := fixture(t, "multifd")
	for port := range map[uint16]bool{list[0].p.Src.Port(): true, list[0].p.Dst.Port(): true} {
		var l log
		i := New(Config{Encrypted: true}, &l)
		i.Siblings(2)
		f, r := i.Forward(), i.Reverse()
		f.Data(0, []byte{22, 3, 3, 0, 0}, list[0].at)
		f.End("fin", list[len(list)-1].at)
		r.End("fin", list[len(list)-1].at)
		i.End(list[len(list)-1].at)
		if l.stage(results.StageRunning) != nil {
			t.Errorf("port %d: running was told, truth %d", port, q.Resume)
		}
	}
}

// A guest that goes on where it was did not migrate.
func TestFailedMigration(t *testing.T) {
	list, _ := fixture(t, "fast")
	for i := range list {
		if list[i].port == "dst" {
			list[i].port = "src"
			if kindOf(&list[i].p) != "frame" {
				list[i].port = "gone"
			}
		}
	}
	l := replay(list, options{encrypted: true, ports: func(p string) string { return map[string]string{"gone": "-"}[p] + map[string]string{"src": "src"}[p] }})
	absent(t, l, results.StageStopCopy, results.StageSwitchOver, results.StageRunning)
}

func TestCutCapture(t *testing.T) {
	list, q := fixture(t, "limited")
	l := replay(list, options{encrypted: true, until: q.Stop - 5e8})
	absent(t, l, results.StageStopCopy, results.StageSwitchOver, results.StageRunning)
	if r := l.find(results.WireMigrationEnd, "how", "cut"); r == nil {
		t.Error("the end is not told as cut")
	}
}

// Lost packets widen bounds, and the truth stays in them.
func TestLostPackets(t *testing.T) {
	for _, name := range fixtures {
		list, q := fixture(t, name)
		for seed := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, 1))
			first := list[0].at.Packet + 20 // the handshake
			l := replay(list, options{encrypted: true, drop: func(n int64) bool { return n > first && rng.IntN(100) == 0 }})
			if l.stage(results.StageStopCopy) != nil {
				within(t, l, results.StageStopCopy, q.Stop)
			}
			if l.stage(results.StageRunning) != nil {
				within(t, l, results.StageRunning, q.Resume)
			}
			if l.find(results.WirePlaintext, "inferred", "true") != nil {
				t.Errorf("%s: the plaintext was told though records are missing", name)
			}
		}
	}
}

func TestCaptureBeganLater(t *testing.T) {
	list, q := fixture(t, "limited")
	l := replay(list[3000:], options{encrypted: true})
	absent(t, l, results.StageSetup, results.StagePreCopy)
	within(t, l, results.StageStopCopy, q.Stop)
	within(t, l, results.StageRunning, q.Resume)
}

// Signs may come late and in any order.
func TestLateSigns(t *testing.T) {
	for _, name := range fixtures {
		list, _ := fixture(t, name)
		var want, got []results.Record
		late := slices.Clone(list)
		slices.SortStableFunc(late, func(a, b frame) int {
			x, y := a.port != "mig", b.port != "mig"
			switch {
			case x == y && x:
				return int(b.at.Packet - a.at.Packet) // the last first
			case x == y:
				return 0
			case x:
				return 1
			}
			return -1
		})
		for _, r := range replay(list, options{encrypted: true}) {
			if r.Name == results.WireStage {
				want = append(want, r)
			}
		}
		for _, r := range replay(late, options{encrypted: true}) {
			if r.Name == results.WireStage {
				got = append(got, r)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, want)
		}
	}
}
