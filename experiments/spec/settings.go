package spec

import (
	"maps"
	"reflect"
)

// settings reads a map of names to values. The names are not known to the language; the values are kept as they are written.
func (d *decoder) settings(n *node, f field, v reflect.Value) {
	if n.kind != mapping {
		d.fail(n, f.path, settingsWant(f))
		return
	}
	s := Settings{}
	for _, p := range n.pairs {
		if !settingName.MatchString(p.key.text) {
			d.unknown[f.path] = true
			d.problems = append(d.problems, Problem{
				p.key.file, p.key.line, p.key.col, f.path, shorten(p.key.text), "want a name of letters, digits, hyphens and underscores",
			})
			continue
		}
		sub := f.setting(p.key.text)
		if x, ok := d.parse(p.value, sub, sub.path); ok {
			s[p.key.text] = x.String()
		}
	}
	if len(s) > 0 { // none and no such key are the same
		v.Set(reflect.ValueOf(s))
	}
}

// settingsWant describes a map of names to values.
func settingsWant(f field) string {
	example := "x-my-knob: 1"
	if f.enum != nil {
		example = "x-my-knob: true"
	}
	return "want the hypervisor's names with their values, such as {" + example + "}"
}

// set is s with name set to value, a new map.
func (s Settings) set(name, value string) Settings {
	out := maps.Clone(s)
	if out == nil {
		out = Settings{}
	}
	out[name] = value
	return out
}
