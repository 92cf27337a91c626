package published

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/results"
)

// spread is the largest median over the smallest.
func (r run) spread(c Claim) answer {
	var least, most *figure
	var known, lacking int
	why := ""
	var smallest, largest measured
	for _, at := range c.Where {
		f := r.figure(c, at)
		if !f.known() {
			lacking, why = lacking+1, f.why
			continue
		}
		known++
		m := f.summary(r.how.Confidence)
		if least == nil || m.value < smallest.value {
			least, smallest = &f, m
		}
		if most == nil || m.value > largest.value {
			most, largest = &f, m
		}
	}
	if known < 2 {
		return unmeasured(join(fmt.Sprintf("it is known at %d of %d treatments", known, len(c.Where)), why), "")
	}
	n := most.n() + " / " + least.n()
	m := r.ratio(*least, *most)
	if !m.known {
		return unmeasured(m.why, n)
	}
	const chosen = "the treatments were chosen by their medians, so that the interval is too narrow"
	if m.interval {
		m.why = join(chosen, m.why)
	}
	if lacking > 0 {
		m.why = join(fmt.Sprintf("not known at %d of %d treatments (%s)", lacking, len(c.Where), why), m.why)
	}
	a := answer{text: m.text(c, results.One), interval: m.ends(c, results.One), n: n}
	a.detail = fmt.Sprintf("largest at %s (%s), smallest at %s (%s)", r.name(most.at), largest.text(Claim{}, most.unit), r.name(least.at), smallest.text(Claim{}, least.unit))
	low, high := c.bounds()
	a.verdict, a.why = m.within(low, high)
	return a
}

// A course is a metric over the levels of a factor, all else the same.
type course struct {
	name    string // the other levels; "" if there are none
	figures []figure
}

// grows reports whether the median rises from each level to the next, in each course.
func (r run) grows(c Claim) answer {
	var texts, counts, open, against []string
	rising := 0 // courses in which the medians do
	list := r.courses(c)
	if len(list) == 0 {
		return unmeasured("the experiment has no such treatments", "")
	}
	for _, line := range list {
		text, n, why, rises, falls := r.follow(line)
		if rises {
			rising++
		}
		if len(list) > 1 && line.name != "" {
			text = line.name + ": " + text
		}
		texts, counts = append(texts, text), append(counts, n)
		prefix := ""
		if len(list) > 1 && line.name != "" {
			prefix = line.name + ": "
		}
		switch {
		case falls:
			against = append(against, prefix+why)
		case why != "":
			open = append(open, prefix+why)
		}
	}
	a := answer{n: strings.Join(slices.Compact(counts), "; "), verdict: Agrees}
	if a.text = texts[0]; len(texts) > 1 {
		a.text, a.detail = fmt.Sprintf("medians rise in %d of %d", rising, len(texts)), strings.Join(texts, "; ")
	}
	switch {
	case len(against) > 0:
		a.verdict = Disagrees
	case len(open) > 0:
		a.verdict = Open
	}
	a.why = strings.Join(append(against, open...), "; ")
	return a
}

// follow says how a course runs; why it is not shown to rise, whether its medians do, and whether it surely falls.
func (r run) follow(line course) (text, n, why string, rises, falls bool) {
	var list []measured
	var shown, counts []string
	for _, f := range line.figures {
		counts = append(counts, f.n())
		if !f.known() {
			shown, why = append(shown, "—"), f.why
			continue
		}
		m := f.summary(r.how.Confidence)
		list, shown = append(list, m), append(shown, m.text(Claim{}, f.unit))
	}
	text, n = strings.Join(shown, " → "), strings.Join(slices.Compact(counts), ", ")
	if why != "" {
		return text, n, why, false, false
	}
	dips := false
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if a.interval && b.interval && b.high < a.low {
			return text, n, "it falls", false, true
		}
		dips = dips || !(b.value > a.value)
	}
	first, last := list[0], list[len(list)-1]
	switch {
	case dips:
		return text, n, join("the medians do not rise at each step", join(first.why, last.why)), false, false
	case !first.interval || !last.interval:
		return text, n, join("the medians rise", join(first.why, last.why)), true, false
	case first.high >= last.low || math.IsInf(first.high, 1):
		return text, n, "the medians rise, but the intervals of the first and the last overlap", true, false
	}
	return text, n, "", true, false
}

// courses are the treatments of a claim by the levels of all factors but the one over which it grows.
func (r run) courses(c Claim) []course {
	var list []course
	var keys [][]results.Level
	for _, at := range c.Where {
		rest := slices.DeleteFunc(slices.Clone(at), func(l results.Level) bool { return l.Factor == c.Over })
		i := slices.IndexFunc(keys, func(k []results.Level) bool { return slices.Equal(k, rest) })
		if i < 0 {
			i = len(keys)
			keys, list = append(keys, rest), append(list, course{name: r.name(rest)})
		}
		list[i].figures = append(list[i].figures, r.figure(c, at))
	}
	for _, line := range list {
		slices.SortStableFunc(line.figures, func(a, b figure) int { return r.place(a.at, c.Over) - r.place(b.at, c.Over) })
	}
	return list
}

// place is that of a level among its factor's.
func (r run) place(at []results.Level, factor string) int {
	for _, l := range at {
		for _, f := range r.set.Manifest.Factors {
			if l.Factor == factor && f.Path == factor {
				return slices.Index(f.Levels, l.Value)
			}
		}
	}
	return 0
}
