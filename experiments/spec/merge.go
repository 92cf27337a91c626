package spec

import "slices"

// whole are the top-level keys that a child replaces as a whole: what is varied stands in one place.
var whole = []string{"factors", "exclude", "builds"}

// merge lays child over parent: maps are merged key by key, anything else is the child's. A null of the child
// removes the parent's key. Both are mappings.
func merge(parent, child *node, path string) *node {
	out := *child
	if path == "" {
		parent = withoutPaper(parent, child)
	}
	out.pairs = slices.Clone(parent.pairs)
	for _, p := range child.pairs {
		i := slices.IndexFunc(out.pairs, func(o pair) bool { return o.key.text == p.key.text })
		if p.value.isNull() {
			if i >= 0 {
				out.pairs = slices.Delete(out.pairs, i, i+1)
			}
			continue
		}
		if i < 0 {
			out.pairs = append(out.pairs, p)
			continue
		}
		under, at := out.pairs[i].value, join(path, p.key.text)
		if under.kind == mapping && p.value.kind == mapping && !slices.Contains(whole, at) {
			p.value = merge(under, p.value, at)
		}
		out.pairs[i] = p
	}
	return &out
}

// withoutPaper is parent without its paper where child has factors of its own: what was published is compared with treatments of
// the parent's.
func withoutPaper(parent, child *node) *node {
	if _, ok := child.get("factors"); ok {
		return parent.without("paper")
	}
	return parent
}

// settle decides what holds where a value stands in the file and is a factor too. A factor of a child replaces
// its parent's plain value. Anything else is a problem: the plain value would have no effect.
func settle(root *node) (*node, Problems) {
	factors, ok := root.get("factors")
	if !ok || factors.value.kind != mapping {
		return root, nil
	}
	var problems Problems
	for _, p := range factors.value.pairs {
		plain := root.find(p.key.text)
		if _, ok := grammar().factor(p.key.text); !ok || plain == nil {
			continue
		}
		if plain.layer > p.key.layer {
			root = root.without(p.key.text)
			continue
		}
		where := "it is also a factor, whose levels replace it (" + place(p.key) + ")"
		problems = append(problems, Problem{
			plain.file, plain.line, plain.col, p.key.text, plain.String(), "want this key here or in factors; " + where,
		})
	}
	return root, problems
}
