package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// factors reads the map of dotted paths to levels.
func (d *decoder) factors(n *node, v reflect.Value) {
	if n.kind != mapping {
		d.fail(n, "factors", "want dotted paths with their levels, such as workload.rate: [4MiB/s, 8MiB/s]")
		return
	}
	var factors Factors
	for _, p := range n.pairs {
		path := p.key.text
		f, ok := grammar().factor(path)
		if !ok {
			d.bad["factors"] = true
			d.problems = append(d.problems, Problem{p.key.file, p.key.line, p.key.col, "factors", shorten(path), factorWant(path)})
			continue
		}
		if levels := d.levels(p.value, f); levels != nil {
			factors = append(factors, Factor{Path: path, Levels: levels})
		}
	}
	v.Set(reflect.ValueOf(factors))
}

// factorWant says what may be varied in place of path.
func factorWant(path string) string {
	f, known := grammar().at(path)
	switch {
	case known && f.group() != nil:
		return fmt.Sprintf("want the path of a value; %s is a group: %s", path, oneOf(keysOf(f.group())))
	case known && f.settings():
		return "want the path of one of its values, such as " + path + ".x-my-knob"
	case known:
		return "want a value that can differ between trials; this one is the same for the whole experiment"
	}
	want := "want the dotted path of a value of this file, such as workload.rate"
	paths := grammar().factorPaths()
	if s := didYouMean(path, paths); s != "" {
		return want + s
	}
	var ends []string // rate for workload.rate
	for _, p := range paths {
		if bytes.HasSuffix([]byte(p), []byte("."+path)) {
			ends = append(ends, p)
		}
	}
	if len(ends) > 0 {
		return want + "; did you mean " + oneOf(ends) + "?"
	}
	return want
}

// levels reads the list of one factor, or returns nil if anything in it is wrong.
func (d *decoder) levels(n *node, f field) []string {
	at := "factors." + f.path
	if n.tag == badTag {
		d.bad["factors"] = true
		return nil
	}
	if n.kind != sequence || len(n.items) == 0 {
		d.bad["factors"], d.bad[f.path] = true, true
		d.fail(n, at, fmt.Sprintf("want a list of levels, such as [%s]", exampleOf(f)))
		return nil
	}
	var levels []string
	seen := map[any]*node{}
	good := true
	for _, item := range n.items {
		x, ok := d.parse(item, f, at)
		if !ok {
			good = false
			continue
		}
		if first, dup := seen[x.Interface()]; dup {
			d.fail(item, at, fmt.Sprintf("want each level once; it is the same as %s in line %d", first.text, first.line))
			good = false
			continue
		}
		seen[x.Interface()] = item
		levels = append(levels, item.text)
	}
	if !good {
		d.bad["factors"], d.bad[f.path] = true, true
		return nil
	}
	return levels
}

// exampleOf is a level of f.
func exampleOf(f field) string {
	switch t := f.scalar(); {
	case t == reflect.TypeFor[Bytes]():
		return "256MiB, 512MiB"
	case t == reflect.TypeFor[Rate]():
		return "4MiB/s, 8MiB/s"
	case t == reflect.TypeFor[Duration]():
		return "100ms, 300ms"
	case len(f.enum) > 0:
		return f.enum[0]
	case t.Kind() == reflect.String:
		return "one, another"
	case t.Kind() == reflect.Float64:
		return "0.1, 0.5"
	}
	return "1, 2"
}

// exclude reads the list of what is not run: maps whose values are a string or a []string, levels as the file
// writes them. What they mean is checked once the factors of all files are
// known.
func (d *decoder) exclude(n *node, v reflect.Value) {
	const want = "want a list of levels that, together, are not run, such as - {workload.rate: 8MiB/s, guest.vcpus: 2}"
	if n.kind != sequence {
		d.fail(n, "exclude", want)
		return
	}
	var entries []map[string]any
	for i, item := range n.items {
		at := fmt.Sprintf("exclude[%d]", i)
		if item.kind != mapping || len(item.pairs) == 0 {
			d.bad["exclude"] = true
			if item.tag != badTag {
				d.fail(item, at, want)
			}
			continue
		}
		entry := map[string]any{}
		for _, p := range item.pairs {
			if levels, ok := d.excluded(p.value, join(at, p.key.text)); ok {
				entry[p.key.text] = levels
			}
		}
		entries = append(entries, entry)
	}
	v.Set(reflect.ValueOf(entries))
}

// excluded is a level or a list of levels.
func (d *decoder) excluded(n *node, at string) (any, bool) {
	if n.tag == badTag {
		d.bad["exclude"] = true
		return nil, false
	}
	if n.kind == scalar && !n.isNull() {
		return n.text, true
	}
	if n.kind != sequence || len(n.items) == 0 {
		d.bad["exclude"] = true
		d.fail(n, at, "want a level of this factor, or a list of its levels")
		return nil, false
	}
	var levels []string
	for _, item := range n.items {
		if item.kind != scalar || item.isNull() {
			d.bad["exclude"] = true
			d.fail(item, at, "want a level of this factor")
			return nil, false
		}
		levels = append(levels, item.text)
	}
	return levels, true
}

// MarshalYAML is a mapping in the order of the factors.
func (fs Factors) MarshalYAML() (any, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fs {
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, level := range f.Levels {
			list.Content = append(list.Content, levelNode(f.Path, level))
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.Path}, list)
	}
	return m, nil
}

// levelNode writes a level so that it reads back with the type that its path has.
func levelNode(path, level string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: level}
	if f, ok := grammar().factor(path); ok && f.scalar().Kind() == reflect.String {
		n.Tag = "!!str" // quoted where it looks like something else
	}
	return n
}

// MarshalJSON is an object in the order of the factors; levels are strings, as the file writes them.
func (fs Factors) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fs {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(f.Path)
		if err != nil {
			return nil, fmt.Errorf("write factor %s: %w", f.Path, err)
		}
		levels, err := json.Marshal(f.Levels)
		if err != nil {
			return nil, fmt.Errorf("write levels of %s: %w", f.Path, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(levels)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes, in its order.
func (fs *Factors) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("read factors: %w", err)
	}
	var out Factors
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("read factors: %w", err)
		}
		path, ok := key.(string)
		if !ok {
			return fmt.Errorf("read factors: want an object of paths, got %v", key)
		}
		f := Factor{Path: path}
		if err := dec.Decode(&f.Levels); err != nil {
			return fmt.Errorf("read levels of %s: %w", path, err)
		}
		out = append(out, f)
	}
	*fs = out
	return nil
}
