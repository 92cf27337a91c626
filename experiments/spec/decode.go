package spec

import (
	"reflect"
	"strings"
)

// A decoder fills an Experiment from a tree and collects what is wrong.
type decoder struct {
	extends  bool // the file extends another: a null removes what it inherits
	problems Problems
	bad      map[string]bool // paths whose value was reported
	unknown  map[string]bool // groups in which an unknown key was reported
}

func newDecoder() *decoder {
	return &decoder{bad: map[string]bool{}, unknown: map[string]bool{}}
}

// decode lays root over the defaults.
func (d *decoder) decode(root *node) *Experiment {
	e := Default()
	_, d.extends = root.get("extends")
	d.group(root, reflect.ValueOf(e).Elem(), "")
	return e
}

// group fills the struct v.
func (d *decoder) group(n *node, v reflect.Value, path string) {
	if n.kind != mapping {
		d.fail(n, path, "want keys and values: "+strings.Join(keysOf(v.Type()), ", "))
		return
	}
	fields := grammar().structs[v.Type()]
	for _, p := range n.pairs {
		f, ok := fieldNamed(fields, p.key.text)
		if !ok {
			d.unknownKey(p, path, keysOf(v.Type()))
			continue
		}
		f.path = join(path, f.key)
		d.value(p.value, f, v.Field(f.index))
	}
}

// value fills one field.
func (d *decoder) value(n *node, f field, v reflect.Value) {
	switch {
	case n.tag == badTag:
		d.bad[f.path] = true
	case n.isNull() && n.text == "" && n.kind == scalar:
		d.fail(n, f.path, emptyWant(f))
	case f.key == "factors" && f.path == "factors":
		d.factors(n, v)
	case f.key == "exclude" && f.path == "exclude":
		d.exclude(n, v)
	case f.key == "builds" && f.path == "builds":
		d.builds(n, v)
	case f.key == "plots" && f.path == "plots":
		d.plots(n, v)
	case n.isNull() && d.extends && f.typ.Kind() == reflect.Pointer && f.group() != nil:
		v.SetZero() // removes what is inherited
	case f.settings():
		d.settings(n, f, v)
	case f.path == "paper.published":
		d.published(n, v)
	case f.isAt():
		d.levelsAt(n, f, v)
	case f.group() != nil:
		if v.Kind() == reflect.Pointer {
			v.Set(newGroup(f.group()))
			v = v.Elem()
		}
		d.group(n, v, f.path)
	default:
		d.scalar(n, f, v)
	}
}

// emptyWant says what is missing after a key.
func emptyWant(f field) string {
	switch {
	case f.group() != nil:
		return "want keys below this one (" + strings.Join(keysOf(f.group()), ", ") + "), or {} for the defaults; it is empty"
	case f.scalar() != nil:
		return f.want("") + "; it is empty"
	case f.settings():
		return settingsWant(f) + "; it is empty"
	}
	return "want entries below this key, or no such key; it is empty"
}

// scalar fills one value.
func (d *decoder) scalar(n *node, f field, v reflect.Value) {
	x, ok := d.parse(n, f, f.path)
	if !ok {
		return
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(x.Type())
		p.Elem().Set(x)
		x = p
	}
	v.Set(x)
}

// parse reads a scalar node as f's type, or reports it at path.
func (d *decoder) parse(n *node, f field, path string) (reflect.Value, bool) {
	if n.tag == badTag {
		d.bad[path] = true
		return reflect.Value{}, false
	}
	if n.kind != scalar || !f.accepts(n.tag) {
		want := f.want(n.text)
		if t := f.scalar(); n.kind == scalar && n.tag == "!!str" && !isQuantity(t) && t.Kind() != reflect.String {
			if _, err := f.parse(n.text); err == nil {
				want += ", without quotes"
			}
		}
		if n.kind == scalar && n.tag != "!!null" && f.scalar().Kind() == reflect.String && f.enum == nil && !f.loose {
			want += `; in quotes it is: "` + shorten(n.text) + `"`
		}
		d.fail(n, path, want)
		return reflect.Value{}, false
	}
	x, err := f.parse(n.text)
	if err != nil {
		d.fail(n, path, err.Error())
		return reflect.Value{}, false
	}
	return x, true
}

func (d *decoder) fail(n *node, path, want string) {
	d.bad[path] = true
	d.problems = append(d.problems, Problem{n.file, n.line, n.col, path, n.String(), want})
}

// unknownKey reports a key and guesses what was meant: a neighbour, a dotted path, or a key of another group.
func (d *decoder) unknownKey(p pair, path string, keys []string) {
	d.unknown[path] = true
	want := "want one of the keys " + strings.Join(keys, ", ")
	if len(keys) == 1 {
		want = "want the key " + keys[0]
	}
	if guess := guessKey(p.key.text, path, keys); guess != "" {
		want = "there is no such key here" + guess
	}
	d.problems = append(d.problems, Problem{p.key.file, p.key.line, p.key.col, path, shorten(p.key.text), want})
}

func guessKey(key, path string, keys []string) string {
	if s := didYouMean(key, keys); s != "" {
		return s
	}
	if f, ok := grammar().at(join(path, key)); ok { // workload.rate: at the top of the file
		return "; " + f.path + " is written as " + strings.ReplaceAll(key, ".", ": {") + ": …" + strings.Repeat("}", strings.Count(key, "."))
	}
	var elsewhere []string
	for _, f := range grammar().all {
		if strings.EqualFold(f.key, key) {
			elsewhere = append(elsewhere, f.path)
		}
	}
	if len(elsewhere) == 0 || len(elsewhere) > 3 {
		return ""
	}
	return "; did you mean " + oneOf(elsewhere) + "?"
}

func fieldNamed(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// keysOf are the keys of the group t.
func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range grammar().structs[t] {
		keys = append(keys, f.key)
	}
	return keys
}
