package spec

import (
	"slices"
	"strings"
)

// A node is a value of a file that knows its place. Nodes are never changed once made: merging copies
// what it changes.
type node struct {
	file  string
	layer int // 0 is the file that was asked for, 1 the one that it extends, and so on
	line  int
	col   int

	kind  kind
	tag   string // of a scalar, such as !!int
	text  string // of a scalar, without quotes
	pairs []pair // of a mapping, in the order of the file, without duplicates
	items []*node
}

type kind int

const (
	scalar kind = iota
	mapping
	sequence
)

type pair struct{ key, value *node }

// isNull reports whether n is an explicit null (or nothing at all).
func (n *node) isNull() bool { return n.kind == scalar && n.tag == "!!null" }

// get is the pair whose key is name.
func (n *node) get(name string) (pair, bool) {
	i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == name })
	if i < 0 {
		return pair{}, false
	}
	return n.pairs[i], true
}

// find is the value at a dotted path, or nil.
func (n *node) find(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		p, ok := n.get(name)
		if !ok {
			return nil
		}
		n = p.value
	}
	return n
}

// without is a copy of n that lacks the value at path.
func (n *node) without(path string) *node {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == name })
	if i < 0 {
		return n
	}
	out := *n
	out.pairs = slices.Clone(n.pairs)
	if !deeper {
		out.pairs = slices.Delete(out.pairs, i, i+1)
		return &out
	}
	out.pairs[i].value = out.pairs[i].value.without(rest)
	return &out
}

// String is n as the file would write it on one line, shortened.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return shorten(b.String())
}

func (n *node) write(b *strings.Builder) {
	if b.Len() > 240 { // more than shorten keeps
		return
	}
	switch n.kind {
	case mapping:
		b.WriteString("{")
		for i, p := range n.pairs {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.key.text + ": ")
			p.value.write(b)
		}
		b.WriteString("}")
	case sequence:
		b.WriteString("[")
		for i, v := range n.items {
			if i > 0 {
				b.WriteString(", ")
			}
			v.write(b)
		}
		b.WriteString("]")
	default:
		b.WriteString(n.text)
	}
}
