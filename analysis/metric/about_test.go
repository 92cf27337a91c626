package metric

import (
	"path"
	"testing"
)

func TestAbout(t *testing.T) {
	for _, c := range []struct {
		name   string
		better Better
		head   bool
	}{
		{"total", Lower, true},
		{"downtime", Lower, true},
		{"blackout.wire", Lower, true},
		{"blackout.wire.floor", Neither, false},
		{"cpu.source", Lower, false},
		{"work.dirty.lost", Lower, false},
		{"work.dirty.lost.floor", Neither, false},
		{"work.dirty.kept-up", Higher, false},
		{"wire.pages.total.difference", Neither, false},
		{"boot.total", Lower, true},
		{"recovery.availability", Higher, false},
		{"rounds", Neither, false},
		{"recovery.waste.predicted", Neither, false},
		{"noise.steal", Neither, false},
		{"noise.faults", Neither, false},
		{"nobody.knows", Neither, false},
		{"deploy.ready.p90", Lower, false},
	} {
		i := About(c.name)
		if i.Better != c.better || i.Headline != c.head || i.Title == "" {
			t.Errorf("%s: %+v", c.name, i)
		}
	}
	for _, r := range rules {
		if _, err := path.Match(r.pattern, "x"); err != nil {
			t.Errorf("%s: %v", r.pattern, err)
		}
	}
}

func TestFloor(t *testing.T) {
	if f := About("total").Floor(10); f != 0.2 {
		t.Errorf("2 %% of 10 s is %v", f)
	}
	if f := About("total").Floor(0.01); f != 1e-3 {
		t.Errorf("of 10 ms it is %v", f)
	}
}
