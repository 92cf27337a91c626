package spec

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"virtscope/results"

	"go.yaml.in/yaml/v4"
)

// BuildFactor is the factor whose levels are the names of the builds.
const BuildFactor = "build"

// Builds are sets of values that are compared with each other, in the order of the file.
type Builds []Build

// A Build is what one of them sets.
type Build struct {
	Name   string
	Values []BuildValue
}

// A BuildValue is a value of the experiment that a build sets.
type BuildValue struct {
	Path  string
	Value string // as the file writes it
}

// minBuilds is how many a comparison needs.
const minBuilds = 2

var buildName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,30}[A-Za-z0-9])?$`)

// names of the builds, in order.
func (bs Builds) names() []string {
	var names []string
	for _, b := range bs {
		names = append(names, b.Name)
	}
	return names
}

// Varied are the factors as the plan sees them: those of the file, and the builds as the one that varies fastest.
func (e *Experiment) Varied() Factors {
	if len(e.Builds) == 0 {
		return e.Factors
	}
	return append(slices.Clone(e.Factors), Factor{Path: BuildFactor, Levels: e.Builds.names()})
}

// setBuild sets what the build sets.
func (e *Experiment) setBuild(name string, builds Builds) error {
	i := slices.IndexFunc(builds, func(b Build) bool { return b.Name == name })
	if i < 0 {
		return fmt.Errorf("want a build of this experiment%s", listed(builds.names()))
	}
	for _, v := range builds[i].Values {
		if err := e.set(v.Path, v.Value); err != nil {
			return fmt.Errorf("set %s to %q: %w", v.Path, v.Value, err)
		}
	}
	return nil
}

func (bs Builds) clone() Builds {
	var out Builds
	for _, b := range bs {
		out = append(out, Build{Name: b.Name, Values: slices.Clone(b.Values)})
	}
	return out
}

const buildsWant = "want two builds or more, each a name with the values that it sets, such as old: {guest.qemu.binary: /opt/old/qemu}"

// builds reads the map of names to values by dotted path. A build that cannot be read leaves the treatments unknown, as a bad factor does.
func (d *decoder) builds(n *node, v reflect.Value) {
	before := len(d.problems)
	var builds Builds
	switch {
	case n.kind != mapping:
		d.fail(n, "builds", buildsWant)
	case len(n.pairs) < minBuilds:
		d.fail(n, "builds", buildsWant+"; there is one")
	default:
		for _, p := range n.pairs {
			builds = append(builds, d.build(p))
		}
	}
	if len(d.problems) > before {
		d.bad["builds"], d.bad["factors"] = true, true
		return
	}
	v.Set(reflect.ValueOf(builds))
}

func (d *decoder) build(p pair) Build {
	b, at := Build{Name: p.key.text}, join("builds", p.key.text)
	if !buildName.MatchString(b.Name) {
		d.fail(p.key, "builds", "want a build's name of at most 32 letters, digits, dots, hyphens and underscores")
		return b
	}
	if p.value.kind != mapping {
		d.fail(p.value, at, "want the values that this build sets, such as {guest.qemu.binary: /opt/old/qemu}, or {} for none")
		return b
	}
	for _, set := range p.value.pairs {
		f, ok := grammar().factor(set.key.text)
		if !ok {
			d.fail(set.key, at, factorWant(set.key.text))
			d.bad[at] = true
			continue
		}
		if _, ok := d.parse(set.value, f, join(at, f.path)); !ok {
			d.bad[f.path] = true
			continue
		}
		b.Values = append(b.Values, BuildValue{Path: f.path, Value: set.value.text})
	}
	return b
}

// builds checks what the builds have with each other and with the factors.
func (c *checker) builds() {
	if len(c.e.Builds) == 0 || c.reported.bad["builds"] {
		return
	}
	section := c.root.find("builds")
	for i, b := range c.e.Builds {
		own, _ := section.get(b.Name)
		for _, v := range b.Values {
			p, ok := own.value.get(v.Path)
			if ok && slices.ContainsFunc(c.e.Factors, func(f Factor) bool { return f.Path == v.Path }) {
				c.at(p.key, join("builds", b.Name), v.Path, "want this value in a build or in factors; it is also a factor")
			}
		}
		for _, other := range c.e.Builds[:i] {
			if slices.Equal(other.sorted(), b.sorted()) {
				c.at(own.key, "builds", b.Name, "want builds that differ; this one sets the same as "+other.Name)
			}
		}
	}
	if by := c.e.Order.BlockBy; by != "" && by != "replicate" {
		c.want("want replicate, or no such key, with builds: they alternate within each replicate", "order.block-by")
	}
}

func (b Build) sorted() []BuildValue {
	values := slices.Clone(b.Values)
	slices.SortFunc(values, func(a, b BuildValue) int {
		return slices.Compare([]string{a.Path, a.Value}, []string{b.Path, b.Value})
	})
	return values
}

// buildNodes adds where the values of the treatment's build are written.
func buildNodes(root *node, levels []results.Level, nodes map[string]*node) {
	section := root.find("builds")
	i := slices.IndexFunc(levels, func(l results.Level) bool { return l.Factor == BuildFactor })
	if section == nil || i < 0 {
		return
	}
	if b, ok := section.get(levels[i].Value); ok {
		for _, p := range b.value.pairs {
			nodes[p.key.text] = p.value
		}
	}
}

// buildKey is where a build sets path, or nil.
func (c *checker) buildKey(path string) *node {
	section := c.root.find("builds")
	if section == nil {
		return nil
	}
	for _, b := range section.pairs {
		if p, ok := b.value.get(path); ok {
			return p.key
		}
	}
	return nil
}

// MarshalYAML is a mapping in the order of the builds.
func (bs Builds) MarshalYAML() (any, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, b := range bs {
		values := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, v := range b.Values {
			values.Content = append(values.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: v.Path}, levelNode(v.Path, v.Value))
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: b.Name, Tag: "!!str"}, values)
	}
	return m, nil
}
