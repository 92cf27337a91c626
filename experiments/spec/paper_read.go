package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"virtscope/results"
)

// mostPublished bounds how many figures a paper may have.
const mostPublished = 100

const (
	publishedWant = "want a list of what the paper published, such as - {name: downtime, metric: downtime, where: {workload.kind: dirty}, value: 60, unit: ms, source: abstract, comparable: yes}"
	atWant        = "want the level of each factor, such as {workload.rate: 8MiB/s}"
)

// published reads the list of figures. A figure that cannot be read is there, empty, so that places in the list stay.
func (d *decoder) published(n *node, v reflect.Value) {
	const path = "paper.published"
	if n.kind != sequence {
		d.fail(n, path, publishedWant)
		return
	}
	if len(n.items) > mostPublished {
		d.fail(n, path, fmt.Sprintf("want at most %d figures; these are %d", mostPublished, len(n.items)))
		return
	}
	var list []Published
	for i, item := range n.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		p := Published{Kind: "value"}
		switch {
		case item.tag == badTag:
			d.bad[at] = true
		case item.kind != mapping:
			d.fail(item, at, publishedWant)
		default:
			d.group(item, reflect.ValueOf(&p).Elem(), at)
		}
		list = append(list, p)
	}
	v.Set(reflect.ValueOf(list))
}

// levelsAt reads a mapping of factors to levels. Whether there are such is checked once the factors of all files are known.
func (d *decoder) levelsAt(n *node, f field, v reflect.Value) {
	if n.kind != mapping || len(n.pairs) == 0 {
		d.fail(n, f.path, atWant)
		return
	}
	at := At{}
	for _, p := range n.pairs {
		switch {
		case p.value.tag == badTag:
			d.bad[f.path] = true
		case p.value.kind != scalar || p.value.isNull():
			d.fail(p.value, f.path, "want one level of "+p.key.text)
		default:
			at[p.key.text] = p.value.text
		}
	}
	v.Set(reflect.ValueOf(at))
}

// isAt reports whether f maps factors to levels.
func (f *field) isAt() bool { return f.typ == reflect.TypeFor[At]() }

// Named are the treatments of e that have the levels of at.
func (e *Experiment) Named(at At) (list [][]results.Level) {
	for _, t := range e.Treatments() {
		if at.has(t) {
			list = append(list, t)
		}
	}
	return list
}

func (at At) has(t []results.Level) bool {
	for path, level := range at {
		if !slices.ContainsFunc(t, func(l results.Level) bool { return l.Factor == path && sameLevel(path, level, l.Value) }) {
			return false
		}
	}
	return true
}

// Amount is the amount of data in B at path of e, one treatment; ok is false if there is none.
func (e *Experiment) Amount(path string) (b Bytes, ok bool) {
	if f, found := grammar().at(path); !found || f.scalar() != reflect.TypeFor[Bytes]() {
		return 0, false
	}
	v := reflect.ValueOf(e).Elem()
	for key := range strings.SplitSeq(path, ".") {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return 0, false
			}
			v = v.Elem()
		}
		f, _ := fieldNamed(grammar().structs[v.Type()], key)
		v = v.Field(f.index)
	}
	b, ok = v.Interface().(Bytes)
	return b, ok && b > 0
}

// amountPaths are the paths of amounts of data that may vary.
func amountPaths() []string {
	return slices.DeleteFunc(grammar().factorPaths(), func(path string) bool {
		f, _ := grammar().at(path)
		return f.scalar() != reflect.TypeFor[Bytes]()
	})
}

// clone shares nothing with p.
func (p *Paper) clone() *Paper {
	if p == nil {
		return nil
	}
	out := *p
	out.Published = slices.Clone(p.Published)
	for i := range out.Published {
		f := &out.Published[i]
		f.Where, f.Against = maps.Clone(f.Where), maps.Clone(f.Against)
		f.Value, f.Low, f.High = copied(f.Value), copied(f.Low), copied(f.High)
	}
	return &out
}

func copied(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return new(*x)
}
