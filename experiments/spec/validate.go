package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"virtscope/results"
)

// validate checks the experiment as a whole and then every treatment.
func validate(e *Experiment, root *node, reported *decoder) Problems {
	c := &checker{e: e, root: root, reported: reported}
	c.header()
	c.excluded()
	c.blocks()
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

	used := map[string]bool{} // kinds of workload and drivers that any treatment has
	for _, levels := range treatments {
		with, err := e.With(levels)
		if err != nil {
			continue // each level was parsed when it was read
		}
		t := &checker{e: with, root: root, reported: reported, levels: levelNodes(root, levels)}
		t.treatment()
		problems = append(problems, t.problems...)
		used[with.Workload.Kind] = true
	}
	c.problems = nil
	c.unused(used)
	return append(problems, c.problems...)
}

// levelNodes finds where each level is written.
func levelNodes(root *node, levels []results.Level) map[string]*node {
	nodes := map[string]*node{}
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
	for _, f := range c.e.Factors {
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
			c.excludedLevels(p.value, c.e.Factors[j], join(at, p.key.text))
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
	if by == "" || by == "replicate" || c.reported.bad["factors"] {
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

// needs says which kind of workload reads which of its keys.
var needs = map[string]string{
	"workload.rate": "dirty", "workload.working-set": "dirty", "workload.pattern": "dirty", "workload.compressibility": "dirty",
	"workload.threads": "cpu", "workload.load": "cpu",
}

// unused reports a key of the workload that no treatment reads, since it is most likely meant to have an effect.
// What a parent sets for another kind than the child's is no mistake.
func (c *checker) unused(kinds map[string]bool) {
	for _, path := range slices.Sorted(maps.Keys(needs)) {
		if kinds[needs[path]] || c.isReported("workload.kind") || c.isReported(path) || c.reported.unknown["workload"] {
			continue
		}
		want := fmt.Sprintf("want workload.kind: %s with this key, which only %s reads", needs[path], needs[path])
		if n := c.factorKey(path); n != nil {
			c.at(n, "factors", path, want)
			continue
		}
		n, kind := c.root.find(path), c.root.find("workload.kind")
		if n == nil || (kind != nil && kind.layer < n.layer) {
			continue
		}
		c.at(n, path, n.String(), want)
	}
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
