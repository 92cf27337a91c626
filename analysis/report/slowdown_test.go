package report

import (
	"strings"
	"testing"
	"virtscope/analysis/metric"
	"virtscope/analysis/timeline/timelinetest"
)

func TestSlowdownIsTheRatioOfMedians(t *testing.T) {
	r := sampleOf(t, "deploy", guestsFactor, 3,
		treated{"2", boots(timelinetest.Boot{Guests: 2, Slow: 0.1})},
		treated{"12", boots(timelinetest.Boot{Guests: 12, Slow: 0.1, Fail: 12})},
		treated{"6", boots(timelinetest.Boot{Guests: 6, Slow: 0.1})})
	groups := r.groups()
	for i, want := range map[int]string{0: "1.00×", 2: "1.3"} {
		if c := groups[i].cell(slowdown + metric.BootPhase + "kernel"); !strings.HasPrefix(c.Median, want) {
			t.Errorf("%s: kernel %+v, want %s…", groups[i].name, c, want)
		}
	}
	if c := groups[1].cell(slowdown + metric.BootPhase + "kernel"); c.Median != "—" || c.Note == "" {
		t.Errorf("no guest was ready: %+v", c)
	}
	if c := groups[1].cell(slowdown + metric.DeployReady50); !strings.HasPrefix(c.Median, "≥ ") {
		t.Errorf("arrival to ready is censored: %+v", c)
	}
	if c := groups[2].cell(slowdown + metric.BootPhase + "load"); c != (cell{}) {
		t.Errorf("a cold start has no load: %+v", c)
	}
}

func TestNoSlowdownWithoutTheFactor(t *testing.T) {
	r := sampleOf(t, "boot", "guest.start", 1, treated{"cold", boots(timelinetest.Boot{Guests: 3})})
	if c := slowdownColumns(r.groups()); c != nil {
		t.Errorf("%v", c)
	}
}
