package spec

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

const stopping = "virtscope: 1\nname: x\naction: {migrate: {}}\nreplicates: 20\nstop-when: {metric: downtime, interval: 2.5%}\n"

func TestStopWhen(t *testing.T) {
	e, err := Parse("x.yaml", []byte(stopping))
	if err != nil {
		t.Fatal(err)
	}
	want := StopWhen{Metric: "downtime", Interval: 2.5, Confidence: 95, AtLeast: 5}
	if e.StopWhen == nil || *e.StopWhen != want || e.StopWhen.Interval.Share() != 0.025 {
		t.Errorf("%+v", e.StopWhen)
	}
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("resolved", text)
	if err != nil || again.StopWhen == nil || *again.StopWhen != want {
		t.Errorf("%+v, %v:\n%s", again.StopWhen, err, text)
	}
	copied := e.Clone()
	copied.StopWhen.AtLeast = 9
	if e.StopWhen.AtLeast != 5 {
		t.Error("a clone shares its rule")
	}
	err = e.CheckMetrics(func(name string) string { return "want another than " + name })
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].String() != `x.yaml:5:21: stop-when.metric: got "downtime": want another than downtime` {
		t.Errorf("%v", err)
	}
}

// A child takes its parent's rule away with null.
func TestStopWhenIsTakenAway(t *testing.T) {
	files := fstest.MapFS{
		"parent.yaml": {Data: []byte(stopping)},
		"child.yaml":  {Data: []byte("virtscope: 1\nname: y\nextends: parent.yaml\nstop-when: null\n")},
	}
	e, err := LoadFS(files, "child.yaml")
	if err != nil || e.StopWhen != nil {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestPercent(t *testing.T) {
	for text, want := range map[string]Percent{"5%": 5, "0.5%": 0.5, "0%": 0, "100%": 100, "99.9999%": 99.9999} {
		p, err := ParsePercent(text)
		if err != nil || p != want || p.String() != text {
			t.Errorf("%s: %v (%s), %v", text, float64(p), p, err)
		}
	}
	for text, want := range map[string]string{"5": "such as 5%", "0.05": "did you mean 5%?", "5 %": "such as 5%", "-5%": "such as 5%", "%": "such as 5%", "1e3%": "such as 5%", "": "such as 5%"} {
		if _, err := ParsePercent(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for p, want := range map[Percent]int{50: 2, 95: 6, 99: 8, 99.9: 11} {
		if got := p.MedianNeeds(); got != want {
			t.Errorf("%s needs %d, want %d", p, got, want)
		}
	}
}

func FuzzParsePercent(f *testing.F) {
	f.Add("5%")
	f.Add("0.05")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePercent(s)
		if err != nil {
			return
		}
		if again, err := ParsePercent(p.String()); err != nil || again != p {
			t.Errorf("%q: %v reads back as %v, %v", s, float64(p), float64(again), err)
		}
	})
}
