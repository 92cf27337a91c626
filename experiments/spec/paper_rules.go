package spec

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	doiPattern = regexp.MustCompile(`^10\.[0-9]{4,9}/\S+$`)
	// paperMetric is what a name of a metric may be. Which there are, the language does not know.
	paperMetric = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// paper checks what the experiment says of a publication.
func (c *checker) paper() {
	p := c.e.Paper
	if p == nil || c.reported.bad["paper"] {
		return
	}
	if strings.TrimSpace(p.Citation) == "" {
		c.missing("want the paper's authors, title, and where it appeared", "paper.citation")
	}
	if p.DOI != "" && !doiPattern.MatchString(p.DOI) {
		c.want("want a DOI without a scheme, such as 10.1145/1508293.1508301", "paper.doi")
	}
	if u, err := url.Parse(p.URL); p.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		c.want("want an address that begins with https:// or http://", "paper.url")
	}
	list := c.root.find("paper.published")
	if list == nil || c.reported.bad["paper.published"] {
		return
	}
	for i, item := range list.items {
		if i < len(p.Published) && item.kind == mapping {
			(&figureChecker{c, item, fmt.Sprintf("paper.published[%d]", i)}).figure(p.Published[i])
		}
	}
}

// A figureChecker holds one published figure.
type figureChecker struct {
	*checker
	item *node
	path string
}

// say reports a problem of key, at its value if it is set.
func (c *figureChecker) say(key, want string) {
	at := join(c.path, key)
	if c.reported.bad[at] || c.reported.unknown[c.path] {
		return
	}
	if n := c.item.find(key); n != nil {
		c.at(n, at, n.String(), want)
		return
	}
	c.at(c.item, at, "", want)
}

func (c *figureChecker) has(key string) bool { return c.item.find(key) != nil }

func (c *figureChecker) figure(p Published) {
	if strings.TrimSpace(p.Name) == "" {
		c.say("name", "want what was published, in a few words")
	}
	if strings.TrimSpace(p.Source) == "" {
		c.say("source", "want where the paper says so: abstract, a table or a figure")
	}
	if c.reported.bad[c.path+".kind"] {
		return
	}
	rule := publishedRules[p.Kind]
	c.keys(p, rule)
	c.number(p, rule)
	c.comparable(p, rule)
	if p.Metric != "" && !paperMetric.MatchString(p.Metric) {
		c.say("metric", "want a metric as trials.csv names it, such as downtime")
	}
	if paths := amountPaths(); rule.of && p.Of != "" && !slices.Contains(paths, p.Of) {
		c.say("of", "want the path of an amount of data, such as workload.working-set"+didYouMean(p.Of, paths))
	}
	if c.reported.bad["factors"] || c.reported.bad["exclude"] {
		return
	}
	if rule.over && p.Over != "" {
		c.over(p)
	}
	if p.Kind != "none" {
		c.treatments("where", p.Where, rule.many, p.Over)
	}
	if rule.against && c.has("against") {
		c.treatments("against", p.Against, false, "")
		if c.has("where") && slices.EqualFunc(c.e.Named(p.Where), c.e.Named(p.Against), slices.Equal) {
			c.say("against", "want another treatment than where")
		}
	}
}

// keys checks that a figure has what its kind reads, and nothing else.
func (c *figureChecker) keys(p Published, rule publishedRule) {
	for _, k := range []struct {
		key  string
		read bool
		want string
	}{
		{"metric", rule.metric, "want the metric that it is compared with, such as downtime"},
		{"against", rule.against, atWant},
		{"over", rule.over, "want the factor over which it grows"},
		{"of", rule.of, "want the path of the amount that it is a share of, such as workload.working-set"},
	} {
		switch {
		case k.read && !c.has(k.key):
			c.say(k.key, k.want)
		case !k.read && c.has(k.key):
			c.say(k.key, fmt.Sprintf("want no %s: kind %s does not read it", k.key, p.Kind))
		}
	}
	if p.Kind == "none" && c.has("where") {
		c.say("where", "want no where: kind none does not read it")
	}
}

func (c *figureChecker) number(p Published, rule publishedRule) {
	any := p.Value != nil || p.Low != nil || p.High != nil
	switch {
	case !rule.number:
		for _, key := range []string{"value", "low", "high", "unit"} {
			if c.has(key) {
				c.say(key, fmt.Sprintf("want no %s: kind %s is of no number", key, p.Kind))
			}
		}
		return
	case !any && p.Kind != "none":
		c.say("value", "want what was published: value, or low and high, or one of these for at least or at most")
		return
	case any && p.Unit == "":
		c.say("unit", "want the unit of what was published")
	case !any && p.Unit != "":
		c.say("unit", "want no unit without a value")
	case rule.plain && p.Unit != "" && p.Unit != "1" && p.Unit != "%":
		c.say("unit", fmt.Sprintf("want 1 or %% for kind %s", p.Kind))
	}
	for key, x := range map[string]*float64{"value": p.Value, "low": p.Low, "high": p.High} {
		if x != nil && (math.IsNaN(*x) || math.IsInf(*x, 0)) {
			c.say(key, "want a finite number")
		}
	}
	if p.Low != nil && p.High != nil && *p.Low > *p.High {
		c.say("high", "want high not below low, "+strconv.FormatFloat(*p.Low, 'g', -1, 64))
	}
	if v := p.Value; v != nil && (p.Low != nil && *v < *p.Low || p.High != nil && *v > *p.High) {
		c.say("value", "want a value from low to high")
	}
}

func (c *figureChecker) comparable(p Published, rule publishedRule) {
	switch {
	case p.Comparable == "":
		c.say("comparable", "want yes, in-trend or no, and why where it is not yes")
	case p.Kind == "none" && p.Comparable != "no":
		c.say("comparable", "want no: kind none is compared with nothing")
	case p.Comparable == "in-trend" && !rule.trend:
		c.say("comparable", fmt.Sprintf("want yes or no: kind %s has no direction to compare; a relation of two treatments has", p.Kind))
	case p.Comparable == "yes" && p.Recalled:
		c.say("comparable", "want no, or in-trend: it is recalled, and was not read in the paper")
	case p.Comparable != "yes" && strings.TrimSpace(p.Why) == "":
		c.say("why", "want why the numbers cannot be held against each other: hardware, hypervisor, workload")
	}
}

// over checks the factor of grows: its levels are taken in the order of the file.
func (c *figureChecker) over(p Published) {
	var paths []string
	for _, f := range c.e.Varied() {
		paths = append(paths, f.Path)
	}
	i := slices.Index(paths, p.Over)
	switch {
	case i < 0:
		c.say("over", "want a factor of this experiment"+listed(paths)+didYouMean(p.Over, paths))
	case len(c.e.Varied()[i].Levels) < 2:
		c.say("over", "want a factor with two levels or more")
	case !rising(c.e.Varied()[i]):
		c.say("over", "want a factor whose levels stand in rising order")
	}
}

// rising reports whether levels of numbers rise. Of others, the order of the file is taken as it is.
func rising(f Factor) bool {
	g, ok := grammar().factor(f.Path)
	if !ok {
		return true
	}
	last := math.Inf(-1)
	for _, level := range f.Levels {
		x, err := g.parse(level)
		if err != nil {
			return true // it was reported
		}
		var v float64
		switch {
		case x.CanInt():
			v = float64(x.Int())
		case x.CanUint():
			v = float64(x.Uint())
		case x.CanFloat():
			v = x.Float()
		default:
			return true
		}
		if v <= last {
			return false
		}
		last = v
	}
	return true
}

// treatments checks that at names factors, levels, and as many treatments of the plan as the kind takes.
func (c *figureChecker) treatments(key string, at At, many bool, over string) {
	if c.reported.bad[join(c.path, key)] {
		return
	}
	n := c.item.find(key)
	known := true
	for _, p := range pairsOf(n) {
		i := slices.IndexFunc(c.e.Varied(), func(f Factor) bool { return f.Path == p.key.text })
		switch {
		case i < 0:
			var paths []string
			for _, f := range c.e.Varied() {
				paths = append(paths, f.Path)
			}
			c.at(p.key, join(c.path, key), p.key.text, "want a factor of this experiment"+listed(paths)+didYouMean(p.key.text, paths))
			known = false
		case p.key.text == over:
			c.at(p.key, join(c.path, key), p.key.text, "want no level of the factor over which it grows")
			known = false
		case !slices.ContainsFunc(c.e.Varied()[i].Levels, func(l string) bool { return sameLevel(p.key.text, l, p.value.text) }):
			c.at(p.value, join(c.path, key), p.value.text, "want a level of this factor"+listed(c.e.Varied()[i].Levels))
			known = false
		}
	}
	if !known {
		return
	}
	switch found := len(c.e.Named(at)); {
	case found == 0:
		c.say(key, "want a treatment that is run: exclude leaves this one out")
	case many && found < 2:
		c.say(key, "want two treatments or more; this is one")
	case !many && found > 1:
		var open []string
		for _, f := range c.e.Varied() {
			if at[f.Path] == "" && len(f.Levels) > 1 {
				open = append(open, f.Path)
			}
		}
		c.say(key, fmt.Sprintf("want one treatment; these are %d: say the level of %s", found, strings.Join(open, " and ")))
	}
}

func pairsOf(n *node) []pair {
	if n == nil {
		return nil
	}
	return n.pairs
}
