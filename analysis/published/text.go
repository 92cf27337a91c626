package published

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"virtscope/results"
)

// bounds are what was published as an interval in the base unit: of a number both ends are the number, of a bound one is infinite.
func (c Claim) bounds() (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	if c.Value != nil {
		low, high = *c.Value*c.Factor, *c.Value*c.Factor
	}
	if c.Low != nil {
		low = *c.Low * c.Factor
	}
	if c.High != nil {
		high = *c.High * c.Factor
	}
	return low, high
}

// text is what was published, as the paper has it.
func (c Claim) text() string {
	switch c.Kind {
	case More:
		return "more"
	case Less:
		return "less"
	case Grows:
		return "grows"
	}
	n := c.number()
	switch {
	case n == "":
		return "no figure"
	case c.Kind == Spread:
		return "largest ÷ smallest " + n
	}
	return n
}

// number writes value, low and high.
func (c Claim) number() string {
	f := func(x float64) string { return strings.ReplaceAll(strconv.FormatFloat(x, 'g', -1, 64), "-", "−") }
	n := ""
	switch {
	case c.Value != nil && c.Low != nil && c.High != nil:
		n = fmt.Sprintf("%s (%s to %s)", f(*c.Value), f(*c.Low), f(*c.High))
	case c.Low != nil && c.High != nil:
		n = fmt.Sprintf("%s to %s", f(*c.Low), f(*c.High))
	case c.Value != nil && c.Low != nil:
		n = fmt.Sprintf("%s (at least %s)", f(*c.Value), f(*c.Low))
	case c.Value != nil && c.High != nil:
		n = fmt.Sprintf("%s (at most %s)", f(*c.Value), f(*c.High))
	case c.Value != nil:
		n = f(*c.Value)
	case c.Low != nil:
		n = "≥ " + f(*c.Low)
	case c.High != nil:
		n = "≤ " + f(*c.High)
	}
	if n == "" || c.Unit == "1" {
		return n
	}
	return n + " " + c.Unit
}

// source is where the paper says it, under which conditions.
func (c Claim) source() string {
	s := c.Source
	if c.Conditions != "" {
		s = join(s, c.Conditions)
	}
	if c.Recalled {
		s = join(s, "recalled, not read there")
	}
	return s
}

// at names the treatments of a claim.
func (r run) at(c Claim) string {
	switch c.Kind {
	case None:
		return ""
	case Ratio, Change, More, Less:
		return atName(r.name(one(c.Where))) + " against " + r.name(differing(one(c.Against), one(c.Where)))
	case Share:
		return strings.TrimSpace("over " + c.OfName + " " + atName(r.name(one(c.Where))))
	case Spread, Each:
		return fmt.Sprintf("at %d treatments", len(c.Where))
	case Grows:
		text := "over " + r.short(c.Over)
		if courses := r.courses(c); len(courses) == 1 && courses[0].name != "" {
			text += " at " + courses[0].name
		}
		return text
	}
	return atName(r.name(one(c.Where)))
}

// atName is "at" and a treatment; nothing of an experiment with one alone.
func atName(name string) string {
	if name == "" {
		return ""
	}
	return "at " + name
}

// differing are the levels of a that b has not.
func differing(a, b []results.Level) []results.Level {
	return slices.DeleteFunc(slices.Clone(a), func(l results.Level) bool { return slices.Contains(b, l) })
}

// name is what a reader calls a treatment: its levels, but of a factor that has one alone.
func (r run) name(at []results.Level) string {
	var names []string
	for _, l := range at {
		i := slices.IndexFunc(r.set.Manifest.Factors, func(f results.Factor) bool { return f.Path == l.Factor })
		if i >= 0 && len(r.set.Manifest.Factors[i].Levels) < 2 {
			continue
		}
		names = append(names, r.short(l.Factor)+" "+l.Value)
	}
	return strings.Join(names, ", ")
}

// short is the shortest end of a factor's path that no other factor shares.
func (r run) short(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		end := path[i:]
		if !slices.ContainsFunc(r.set.Manifest.Factors, func(f results.Factor) bool { return f.Path != path && strings.HasSuffix("."+f.Path, end) }) {
			return end[1:]
		}
	}
	return path
}
