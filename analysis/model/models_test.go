package model

import (
	"math"
	"strings"
	"testing"
)

// By hand, as TestByHand: AVG with a downtime limit and nothing dirtied twice is the geometric series; the overheads are added.
func TestAVGByHand(t *testing.T) {
	got, err := AVG{Memory: 1000, LinkRate: 100, DirtyRate: 50, Stop: QEMU(1), Before: 2, After: 0.5}.Predict()
	if err != nil || !got.Converges || got.Rounds != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "total", got.Total, 19.375+2.5)
	same(t, "downtime", got.Downtime, 0.625+0.5)
}

// Xen's rules: a guest that dirties memory faster than it is sent sends all of it in each round, so that after the fourth more
// than three times the memory has passed, and the fifth is the stop-and-copy: five times the memory, the paper's upper bound.
func TestAVGUnderXen(t *testing.T) {
	const m = 1 << 30
	got, err := AVG{Memory: m, LinkRate: 1 << 27, DirtyRate: 1 << 28, Stop: Xen}.Predict()
	if err != nil || !got.Converges || got.Rounds != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "bytes", got.Bytes, 5*m)
	same(t, "total", got.Total, 40)
	same(t, "downtime", got.Downtime, 8)
	// A guest that shrinks slowly runs into the number of rounds, or the memory sent; one that is idle stops at once.
	idle, _ := AVG{Memory: m, LinkRate: 1 << 27, DirtyRate: 1, Stop: Xen}.Predict()
	if idle.Rounds != 1 {
		t.Errorf("idle: %+v", idle)
	}
	slow, _ := AVG{Memory: m, LinkRate: 1 << 27, DirtyRate: 0.8 * (1 << 27), Stop: Xen}.Predict()
	if slow.Bytes <= 3*m || slow.Bytes > 5*m || slow.Rounds > 29 {
		t.Errorf("slow: %+v", slow)
	}
}

func TestAVGDiverges(t *testing.T) {
	got, err := AVG{Memory: 1000, LinkRate: 100, DirtyRate: 120, Stop: QEMU(1)}.Predict()
	if err != nil || got.Converges || got.Why == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A linear history is a constant dirty rate: HIST and AVG must agree. One that saturates ends what AVG says diverges.
func TestHIST(t *testing.T) {
	line := HIST{Memory: 1000, LinkRate: 100, Stop: QEMU(1), History: []Dirtied{{10, 500}, {1, 50}, {5, 250}}}
	got, err := line.Predict()
	if err != nil || got.Rounds != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "total", got.Total, 19.375)
	flat := HIST{Memory: 1000, LinkRate: 100, Stop: QEMU(1), History: []Dirtied{{0.5, 80}, {10, 80}}}
	got, err = flat.Predict()
	if err != nil || !got.Converges || got.Rounds != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "downtime", got.Downtime, 0.8)
	if !flat.Covers() || (HIST{Memory: 1000, LinkRate: 100, History: []Dirtied{{4.9, 1}}}).Covers() {
		t.Error("a history covers round 1 if it is half as long")
	}
	if more := line.dirtied()(7); math.Abs(more-350) > 1e-9 {
		t.Errorf("dirtied in 7 s: %v", more)
	}
}

// With λ = 2 the first round leaves the working set, and no further one pays; with λ = ½ they shrink to nothing.
func TestClark(t *testing.T) {
	got, err := Clark{Memory: 1000, LinkRate: 100, DirtyRate: 200, WorkingSet: 80}.Predict()
	if err != nil || got.Rounds != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "downtime", got.Downtime, 0.8)
	same(t, "total", got.Total, 10.8)
	got, err = Clark{Memory: 1 << 20, LinkRate: 100, DirtyRate: 50, WorkingSet: 1 << 20}.Predict()
	if err != nil || got.Rounds != 9 { // 2^20/2^9 = 2048 B are left: less than a page
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPostCopy(t *testing.T) {
	got, faults, err := PostCopy{Resident: 1000 * page, LinkRate: 100 * page, State: 10 * page, WorkingSet: 200 * page}.Predict()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "total", got.Total, 10.1)
	same(t, "downtime", got.Downtime, 0.1)
	if faults.Least != 0 || faults.Most != 200 {
		t.Errorf("faults %+v", faults)
	}
	// One round of 10 s dirties 10 s · 50 pages = 500, of which the working set allows 200.
	got, faults, err = PostCopy{Resident: 1000 * page, LinkRate: 100 * page, DirtyRate: 50 * page, WorkingSet: 200 * page, Switch: 10}.Predict()
	if err != nil || faults.Most != 200 {
		t.Fatalf("%+v, %v", faults, err)
	}
	same(t, "hybrid total", got.Total, 12)
	// Cut after 4 s: 400 pages were sent, 600 are left, and 100 were dirtied (4 s · 25 pages): 11 s in all.
	got, _, err = PostCopy{Resident: 1000 * page, LinkRate: 100 * page, DirtyRate: 25 * page, Switch: 4}.Predict()
	if err != nil || got.Rounds != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "total after a cut round", got.Total, 11)
	if still, _ := StopAndCopy(1000, 100); still.Total != 10 || still.Downtime != 10 {
		t.Errorf("%+v", still)
	}
}

func TestModelsRefuse(t *testing.T) {
	for name, predict := range map[string]func() error{
		"memory": func() error { _, err := AVG{LinkRate: 1}.Predict(); return err },
		"dirty":  func() error { _, err := AVG{Memory: 1, LinkRate: 1, DirtyRate: math.NaN()}.Predict(); return err },
		"history": func() error {
			_, err := HIST{Memory: 1, LinkRate: 1}.Predict()
			return err
		},
		"time": func() error {
			_, err := HIST{Memory: 1, LinkRate: 1, History: []Dirtied{{0, 1}}}.Predict()
			return err
		},
		"working set": func() error { _, err := Clark{Memory: 1, LinkRate: 1}.Predict(); return err },
		"switch":      func() error { _, _, err := PostCopy{Resident: 1, LinkRate: 1, Switch: -1}.Predict(); return err },
		"link rate":   func() error { _, err := StopAndCopy(1, math.Inf(1)); return err },
	} {
		if err := predict(); err == nil || !strings.Contains(err.Error(), name) && name != "dirty" && name != "time" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
