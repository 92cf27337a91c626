package report

import (
	"math"
	"slices"
	"testing"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// series is a rate of which step i is (i·ms, (i+1)·ms].
func series(n int, rate func(ms int) float64) []timeline.Point {
	var list []timeline.Point
	for i := range n {
		list = append(list, timeline.Point{T: float64(i+1) / 1e3, V: rate(i)})
	}
	return list
}

func area(line plotter.XYs, from, to float64) float64 {
	var sum float64
	for i := 0; i+1 < len(line); i += 2 {
		sum += line[i].Y * max(0, min(to, line[i+1].X)-max(from, line[i].X))
	}
	return sum
}

func TestMeansKeepEdges(t *testing.T) {
	// Payload comes in bursts, from 100 to 700 ms, with a silence from 300 to 355 ms; the guest stops at 505 ms.
	rate := func(ms int) float64 {
		switch {
		case ms < 100, ms >= 700, ms >= 300 && ms < 355, ms%2 == 1:
			return 0
		case ms >= 505:
			return 20
		}
		return 100
	}
	points := series(1000, rate)
	line := means(points, []float64{0.505}, meanWidth)
	var all float64
	for _, p := range points {
		all += p.V / 1e3
	}
	if got := area(line, 0, 1); math.Abs(got-all) > 1e-9 {
		t.Errorf("the means hold %v, the series %v", got, all)
	}
	for _, silent := range [][2]float64{{0, 0.1}, {0.3, 0.355}, {0.7, 1}} {
		if got := area(line, silent[0], silent[1]); got > 1e-9 {
			t.Errorf("payload is drawn in the silence %v: %v", silent, got)
		}
	}
	for i := 0; i+1 < len(line); i += 2 {
		from, to, v := line[i].X, line[i+1].X, line[i].Y
		if from < 0.505-1e-3 && to > 0.505+1e-3 {
			t.Errorf("a mean crosses the cut: %v to %v", from, to)
		}
		if v > 0 && from < 0.5 && (v < 45 || v > 56) {
			t.Errorf("mean from %v: %v, want some 50", from, v)
		}
		if to-from < meanWidth/2 && v > 0 {
			t.Errorf("a mean over %v s only, from %v", to-from, from)
		}
	}
}

func TestMeansOfLittle(t *testing.T) {
	for name, points := range map[string][]timeline.Point{
		"silence": series(50, func(int) float64 { return 0 }), "two": series(2, func(i int) float64 { return float64(i) }),
		"full": series(90, func(int) float64 { return 1 }), "long steps": {{T: 1, V: 1}, {T: 2, V: 0}, {T: 3, V: 2}},
	} {
		line := means(points, []float64{-1, 0.0501, 99}, meanWidth)
		if len(line) == 0 || line[0].Y < 0 {
			t.Errorf("%s: %v", name, line)
		}
	}
}

func TestArrangeLosesNoLabel(t *testing.T) {
	sty := textStyle(smallText)
	for name, at := range map[string][]vg.Length{
		"apart": {10, 60, 150}, "near": {10, 60, 62, 64, 66}, "at the edge": {195, 197, 199}, "same": {50, 50, 50.2},
		"many": slices.Collect(func(yield func(vg.Length) bool) {
			for i := range 60 {
				if !yield(100 + vg.Length(i)*1.6) {
					return
				}
			}
		}),
	} {
		var tags []tag
		for i, x := range at {
			label := string(rune('1' + i%9))
			tags = append(tags, tag{x: x, first: label, last: label})
		}
		list := arrange(tags, sty, 0, 200)
		end := vg.Length(0)
		for _, g := range list {
			half := sty.Width(g.text()) / 2
			if g.at-half < end-1e-6 || g.at+half > 200+1e-6 {
				t.Errorf("%s: label %q at %v overlaps or is cut", name, g.text(), g.at)
			}
			end = g.at + half
		}
		if list[0].first != tags[0].first || list[len(list)-1].last != tags[len(tags)-1].last {
			t.Errorf("%s: a label is lost: %v", name, list)
		}
		if name == "apart" && (len(list) != 3 || list[1].at != 60) {
			t.Errorf("labels that have room were moved: %v", list)
		}
	}
}

func TestSpan(t *testing.T) {
	for want, s := range map[string]span{
		"1.5–2.3 ms": {0.00151, 0.00229}, "37 ms–2.8 s": {0.037, 2.8}, "224 ms": {0.2238, 0.2241}, "0–1.0 s": {0, 1},
		"0.26–4.2 ms": {0.00026, 0.0042},
	} {
		if got := s.text(); got != want {
			t.Errorf("%v: %q, want %q", s, got, want)
		}
	}
}
