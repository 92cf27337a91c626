package model

import (
	"math"
	"testing"
)

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// By hand: M = 1000 B, R = 100 B/s, D = 50 B/s, so λ = ½. Rounds send 1000, 500, 250, 125 B; after the n-th, 1000/2ⁿ B are
// left. A limit of 1 s allows 100 B: n = 4 leaves 62.5 B. Bytes 1937.5, total 19.375 s, downtime 0.625 s.
func TestByHand(t *testing.T) {
	p := PreCopy{Memory: 1000, LinkRate: 100, DirtyRate: 50, DowntimeLimit: 1}
	for name, predict := range map[string]func() (Prediction, error){"walk": p.Predict, "closed form": p.ClosedForm} {
		got, err := predict()
		if err != nil {
			t.Fatal(err)
		}
		if !got.Converges || got.Rounds != 4 {
			t.Errorf("%s: %+v", name, got)
		}
		same(t, name+" bytes", got.Bytes, 1937.5)
		same(t, name+" total", got.Total, 19.375)
		same(t, name+" downtime", got.Downtime, 0.625)
	}
}

// A limit that a round meets exactly stops there: λ³·1000 = 125 B = 100 B/s · 1.25 s.
func TestLimitMetExactly(t *testing.T) {
	p := PreCopy{Memory: 1000, LinkRate: 100, DirtyRate: 50, DowntimeLimit: 1.25}
	walk, _ := p.Predict()
	closed, _ := p.ClosedForm()
	if walk.Rounds != 3 || closed.Rounds != 3 {
		t.Errorf("rounds: %d and %d, want 3", walk.Rounds, closed.Rounds)
	}
}

func TestIdleGuest(t *testing.T) {
	got, err := PreCopy{Memory: 1000, LinkRate: 100}.Predict()
	if err != nil || !got.Converges || got.Rounds != 1 || got.Downtime != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	same(t, "total", got.Total, 10)
}

// A small working set ends what would otherwise diverge: round 1 sends 1000 B and leaves 80 B, which 1 s can send.
func TestWorkingSetLimits(t *testing.T) {
	got, err := PreCopy{Memory: 1000, LinkRate: 100, DirtyRate: 200, WorkingSet: 80, DowntimeLimit: 1}.Predict()
	if err != nil || !got.Converges || got.Rounds != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "downtime", got.Downtime, 0.8)
	same(t, "total", got.Total, 10.8)
}

func TestDiverges(t *testing.T) {
	p := PreCopy{Memory: 1000, LinkRate: 100, DirtyRate: 120, DowntimeLimit: 1}
	got, err := p.Predict()
	if err != nil || got.Converges || got.Why == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.ClosedForm(); err == nil {
		t.Error("the series diverges, but the closed form has a value")
	}
	p.MaxRounds = 3
	if got, _ := p.Predict(); got.Converges || got.Rounds != 3 {
		t.Errorf("with 3 rounds: %+v", got)
	}
}

func TestClosedFormAgrees(t *testing.T) {
	for _, dirty := range []float64{1, 10, 33, 77, 99} {
		for _, limit := range []float64{0.01, 0.3, 5} {
			p := PreCopy{Memory: 4096, LinkRate: 100, DirtyRate: dirty, DowntimeLimit: limit}
			a, err := p.Predict()
			b, err2 := p.ClosedForm()
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if a.Rounds != b.Rounds || math.Abs(a.Total-b.Total) > 1e-6*a.Total || math.Abs(a.Downtime-b.Downtime) > 1e-9 {
				t.Errorf("%+v: walk %+v, closed form %+v", p, a, b)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, p := range []PreCopy{
		{},
		{Memory: 1},
		{Memory: 1, LinkRate: math.NaN()},
		{Memory: 1, LinkRate: 1, DirtyRate: -1},
		{Memory: math.Inf(1), LinkRate: 1},
		{Memory: 1, LinkRate: 1, MaxRounds: -1},
	} {
		if _, err := p.Predict(); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}
