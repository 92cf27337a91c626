package spec

import (
	"fmt"
	"regexp"
	"slices"
	"virtscope/results"
)

// validate checks the experiment as a whole and then every treatment.
func validate(e *Experiment, root *node, reported *decoder) Problems {
	c := &checker{e: e, root: root, reported: reported}
	c.header()
	c.paper()
	c.excluded()
	c.blocks()
	c.builds()
	c.plots()
	c.stopWhen()
	c.influx()
	problems := c.problems

	treatments := [][]results.Level{{}}
	if reported.bad["factors"] {
		// The levels are not known: what remains is what they do not touch, for which each was marked as reported.
	} else if n := e.combinations(); n > MaxTreatments {
		c.at(root.find("factors"), "factors", "", fmt.Sprintf("want at most %d treatments; the levels multiply to more", MaxTreatments))
		return c.problems
	} else if treatments = e.Treatments(); len(treatments) == 0 {
		c.at(root.find("exclude"), "exclude", "", "want at least one treatment left to run; these entries exclude all of them")
		return c.problems
	} else if len(treatments)*e.Replicates > MaxTrials {
		c.want(fmt.Sprintf("want at most %d trials; %d treatments × %d replicates are more", MaxTrials, len(treatments), e.Replicates), "replicates", "factors")
		return c.problems
	}

	keys := newReadKeys()
	for _, levels := range treatments {
		with, err := e.With(levels)
		if err != nil {
			continue // each level was parsed when it was read
		}
		t := &checker{e: with, root: root, reported: reported, levels: levelNodes(root, levels)}
		t.treatment()
		problems = append(problems, t.scaledProblems(e.Scale)...)
		keys.add(with)
	}
	c.problems = nil
	c.unused(keys)
	return append(problems, c.problems...)
}

// levelNodes finds where each level is written.
func levelNodes(root *node, levels []results.Level) map[string]*node {
	nodes := map[string]*node{}
	buildNodes(root, levels, nodes)
	factors, ok := root.get("factors")
	if !ok {
		return nodes
	}
	for _, l := range levels {
		list, ok := factors.value.get(l.Factor)
		if !ok {
			continue
		}
		for _, n := range list.value.items {
			if n.text == l.Value {
				nodes[l.Factor] = n
			}
		}
	}
	return nodes
}

// namePattern keeps a name fit for a folder, a URL and a label.
var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (c *checker) header() {
	const want = "want 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end, such as precopy-dirty-rate"
	if c.e.Name == "" {
		c.missing("want a name for the experiment: "+want[len("want "):], "name")
	} else if !namePattern.MatchString(c.e.Name) {
		c.want(want, "name")
	}
}

// excluded checks that exclude names what exists.
func (c *checker) excluded() {
	list := c.root.find("exclude")
	if list == nil || c.reported.bad["exclude"] || c.reported.bad["factors"] {
		return
	}
	var paths []string
	for _, f := range c.e.Varied() {
		paths = append(paths, f.Path)
	}
	for i, entry := range list.items {
		for _, p := range entry.pairs {
			at := fmt.Sprintf("exclude[%d]", i)
			j := slices.Index(paths, p.key.text)
			if j < 0 {
				c.at(p.key, at, p.key.text, "want a factor of this experiment"+listed(paths)+didYouMean(p.key.text, paths))
				continue
			}
			c.excludedLevels(p.value, c.e.Varied()[j], join(at, p.key.text))
		}
	}
}

func (c *checker) excludedLevels(n *node, f Factor, at string) {
	items := n.items
	if n.kind == scalar {
		items = []*node{n}
	}
	for _, item := range items {
		if !slices.ContainsFunc(f.Levels, func(l string) bool { return sameLevel(f.Path, l, item.text) }) {
			c.at(item, at, item.text, "want a level of this factor"+listed(f.Levels))
		}
	}
}

// listed is ": a, b or c", or that there are none.
func listed(words []string) string {
	if len(words) == 0 {
		return "; it has none"
	}
	return ": " + oneOf(words)
}

// blocks checks order.block-by.
func (c *checker) blocks() {
	by := c.e.Order.BlockBy
	if by == "" || by == "replicate" || len(c.e.Builds) > 0 || c.reported.bad["factors"] {
		return
	}
	var paths []string
	for _, f := range c.e.Factors {
		paths = append(paths, f.Path)
	}
	if slices.Contains(paths, by) {
		return
	}
	want := "want replicate or a factor of this experiment" + listed(paths)
	c.want(want+didYouMean(by, append(paths, "replicate")), "order.block-by")
}

// factorKey is where path is made a factor, or nil.
func (c *checker) factorKey(path string) *node {
	factors, ok := c.root.get("factors")
	if !ok {
		return nil
	}
	p, ok := factors.value.get(path)
	if !ok {
		return nil
	}
	return p.key
}

// factorLayer is the layer of the file that makes path a factor, or one beyond all files if it is none.
func (c *checker) factorLayer(path string) int {
	if n := c.factorKey(path); n != nil {
		return n.layer
	}
	return maxExtends + 1
}
