package model

import (
	"math"
	"strings"
	"testing"
)

// The captions of the paper's figures 3 to 5: a dump of 5 min, and 24 h, 6 h and 15 min between failures.
func TestDalyAsPublished(t *testing.T) {
	for _, c := range []struct{ mtbf, want, half float64 }{{24 * 60, 117, 0.5}, {6 * 60, 57, 0.5}, {15, 9.1, 0.05}} {
		got, err := Checkpointing{Cost: 5 * 60, MTBF: c.mtbf * 60, Restart: 600}.Daly()
		if minutes := got.Work / 60; err != nil || !got.Holds || math.Abs(minutes-c.want) > c.half {
			t.Errorf("M = %v min: %v min, want %v, %v", c.mtbf, minutes, c.want, err)
		}
		same(t, "period", got.Period, got.Work+300)
	}
}

// By hand: √(2 · 2 s · 100 s) = 20 s.
func TestYoung(t *testing.T) {
	got, err := Checkpointing{Cost: 2, MTBF: 100}.Young()
	if err != nil || !got.Holds {
		t.Fatalf("%+v, %v", got, err)
	}
	same(t, "work", got.Work, 20)
	same(t, "period", got.Period, 22)
	if got, _ := (Checkpointing{Cost: 10, MTBF: 100}).Young(); got.Holds || got.Why == "" {
		t.Errorf("beyond its bounds: %+v", got)
	}
}

// best searches the least of the complete model, which has one, in ever smaller thirds.
func best(t *testing.T, c Checkpointing) (between, wall float64) {
	t.Helper()
	at := func(x float64) float64 {
		w, err := c.Wall(1, x)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	low, high := c.MTBF*1e-6, 10*c.MTBF
	for range 200 {
		third := (high - low) / 3
		if at(low+third) < at(high-third) {
			high -= third
		} else {
			low += third
		}
	}
	return low, at(low)
}

// Against the numeric optimum of the complete model: the error of Daly's interval grows with the cost, that of what it costs does
// hardly; Young's is never better, and both meet as the cost vanishes.
func TestAgainstNumericOptimum(t *testing.T) {
	for _, c := range []struct{ share, interval, wall float64 }{
		{0.0001, 1e-6, 1e-9}, {0.01, 2e-5, 1e-10}, {0.1, 5e-4, 1e-7}, {0.5, 0.006, 2e-5}, {1, 0.02, 2e-4}, {1.9, 0.06, 0.002},
	} {
		k := Checkpointing{Cost: c.share * 1000, MTBF: 1000, Restart: 30}
		between, wall := best(t, k)
		daly, err := k.Daly()
		if err != nil || math.Abs(daly.Work/between-1) > c.interval {
			t.Errorf("δ = %v M: Daly's interval is %v s, the optimum %v, %v", c.share, daly.Work, between, err)
		}
		got, _ := k.Wall(1, daly.Work)
		if got < wall*(1-1e-12) || got/wall-1 > c.wall {
			t.Errorf("δ = %v M: Daly's interval costs %v, the optimum %v", c.share, got, wall)
		}
		young, _ := k.Young()
		if other, _ := k.Wall(1, young.Work); other < got*(1-1e-9) {
			t.Errorf("δ = %v M: Young's interval costs %v, Daly's %v", c.share, other, got)
		}
		if c.share < 0.001 && math.Abs(young.Work/daly.Work-1) > 0.02 {
			t.Errorf("δ = %v M: Young %v s, Daly %v s", c.share, young.Work, daly.Work)
		}
	}
}

// Without failures to speak of, what is added is the checkpoints alone; a restart adds its time a failure.
func TestOverhead(t *testing.T) {
	rare, err := Checkpointing{Cost: 1, MTBF: 1e9}.Overhead(10)
	if err != nil || math.Abs(rare-0.1) > 1e-6 {
		t.Errorf("%v, %v", rare, err)
	}
	k := Checkpointing{Cost: 1e-6, MTBF: 1e4, Restart: 10}
	with, _ := k.Overhead(1)
	k.Restart = 0
	if without, _ := k.Overhead(1); math.Abs(with-without-10/1e4) > 1e-5 {
		t.Errorf("a restart of 10 s every 10⁴ s adds %v", with-without)
	}
	if wall, err := (Checkpointing{Cost: 1, MTBF: 1e-3}).Wall(1, 10); err != nil || !math.IsInf(wall, 1) {
		t.Errorf("what never ends takes %v s, %v", wall, err)
	}
}

func TestHopelessCheckpoints(t *testing.T) {
	got, err := Checkpointing{Cost: 20, MTBF: 10}.Daly()
	if err != nil || got.Work != 10 || got.Holds || got.Why == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCheckpointingRefuses(t *testing.T) {
	ok := Checkpointing{Cost: 1, MTBF: 10}
	for name, ask := range map[string]func() error{
		"cost of a checkpoint":       func() error { _, err := Checkpointing{MTBF: 1}.Young(); return err },
		"mean time between failures": func() error { _, err := Checkpointing{Cost: 1, MTBF: math.Inf(1)}.Daly(); return err },
		"restart":                    func() error { _, err := Checkpointing{Cost: 1, MTBF: 1, Restart: math.NaN()}.Daly(); return err },
		"work between checkpoints":   func() error { _, err := ok.Overhead(0); return err },
		"work is":                    func() error { _, err := ok.Wall(-1, 1); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
