package report

import (
	"strconv"
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
	} else {
		exact := groups[1].summary(metric.DeployReady50).Median.Value / groups[0].summary(metric.DeployReady50).Median.Value
		shown, err := strconv.ParseFloat(strings.Trim(c.Median, "≥ ×"), 64)
		if err != nil || shown > exact || shown < exact-0.1 {
			t.Errorf("%s stands for a factor of at least %v", c.Median, exact)
		}
	}
	if c := groups[2].cell(slowdown + metric.BootPhase + "load"); c != (cell{}) {
		t.Errorf("a cold start has no load: %+v", c)
	}
}

// A start's report has intervals of its own times, as a migration's has.
func TestIntervalsAreOfTheAction(t *testing.T) {
	r := sampleOf(t, "boot", "guest.start", 8, treated{"cold", boots(timelinetest.Boot{Guests: 1})})
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(p.Intervals, "\n"); !strings.Contains(text, "spawn to ready: median in [") || strings.Contains(text, "downtime") {
		t.Errorf("intervals:\n%s", text)
	}
}

func TestNoSlowdownWithoutTheFactor(t *testing.T) {
	r := sampleOf(t, "boot", "guest.start", 1, treated{"cold", boots(timelinetest.Boot{Guests: 3})})
	if c := slowdownColumns(r.groups()); c != nil {
		t.Errorf("%v", c)
	}
}
