package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A field is one key of the language, described by the types of experiment.go alone.
type field struct {
	key    string
	path   string // dotted, from the top of the file
	goName string
	index  int
	typ    reflect.Type // of the Go field; may be a pointer

	enum      []string
	minimum   *float64
	maximum   *float64
	above     *float64 // exclusive minimum
	mandatory bool
	loose     bool // text that need not look like text: a value of Settings
}

// A language is every key that may be written.
type language struct {
	structs map[reflect.Type][]field // by the type of the struct; a struct type occurs at one path, Link at two
	all     []field                  // depth first, in the order of the types
}

// grammar is the language, built once from the types.
var grammar = sync.OnceValue(func() *language {
	l := &language{structs: map[reflect.Type][]field{}}
	l.add(reflect.TypeFor[Experiment](), "")
	(&language{structs: l.structs}).add(reflect.TypeFor[Plot](), "plots") // of a list's items: no paths of their own
	return l
})

func (l *language) add(t reflect.Type, path string) {
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if !sf.IsExported() || key == "" || key == "-" {
			continue
		}
		f := field{key: key, path: join(path, key), goName: sf.Name, index: i, typ: sf.Type}
		f.constraints(sf.Tag.Get("jsonschema"))
		fields = append(fields, f)
		l.all = append(l.all, f)
		if g := f.group(); g != nil {
			l.add(g, f.path)
		}
		if item := f.items(); item != nil {
			(&language{structs: l.structs}).add(item, f.path) // what is in a list has no paths of its own
		}
	}
	l.structs[t] = fields
}

// constraints reads the same tag as the JSON schema, so that an editor and Load agree.
func (f *field) constraints(tag string) {
	for part := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "enum":
			f.enum = append(f.enum, value)
		case "minimum":
			f.minimum = number(value)
		case "maximum":
			f.maximum = number(value)
		case "exclusiveMinimum":
			f.above = number(value)
		case "required":
			f.mandatory = true
		}
	}
}

// number reads a constraint; a test checks that every constraint is one.
func number(s string) *float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &x
}

// group is the struct that f holds, or nil if f is a value.
func (f *field) group() reflect.Type {
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

// items is the struct of which f holds a list, or nil.
func (f *field) items() reflect.Type {
	if f.typ.Kind() == reflect.Slice && f.typ.Elem().Kind() == reflect.Struct && f.typ != reflect.TypeFor[Factors]() {
		return f.typ.Elem()
	}
	return nil
}

// scalar is the type of f's value without a pointer, or nil if f is a group, settings, the factors or exclude.
func (f *field) scalar() reflect.Type {
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map:
		return nil
	}
	return t
}

// settings reports whether f maps names that the language does not know to values.
func (f *field) settings() bool { return f.typ == reflect.TypeFor[Settings]() }

// settingName is what a name of Settings may be. A dot would end it in a path.
var settingName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

// setting is the value called name in f, which holds Settings.
func (f *field) setting(name string) field {
	return field{key: name, path: join(f.path, name), typ: reflect.TypeFor[string](), enum: f.enum, loose: true}
}

// varying are the top-level keys below which a factor may vary a value. What names, orders or repeats trials
// cannot vary between them.
var varying = []string{"testbed", "guest", "provision", "workload", "action", "probes", "warmup", "baseline", "quiesce", "timeout"}

// factor is the field that a factor may vary at path.
func (l *language) factor(path string) (field, bool) {
	top, _, _ := strings.Cut(path, ".")
	if !slices.Contains(varying, top) {
		return field{}, false
	}
	if i := strings.LastIndexByte(path, '.'); i > 0 {
		if f, ok := l.at(path[:i]); ok && f.settings() && settingName.MatchString(path[i+1:]) {
			return f.setting(path[i+1:]), true
		}
	}
	f, ok := l.at(path)
	return f, ok && f.scalar() != nil
}

// at is the field at path.
func (l *language) at(path string) (field, bool) {
	i := slices.IndexFunc(l.all, func(f field) bool { return f.path == path })
	if i < 0 {
		return field{}, false
	}
	return l.all[i], true
}

// factorPaths are all the paths that a factor may vary, in the order of the types.
func (l *language) factorPaths() []string {
	var paths []string
	for _, f := range l.all {
		if _, ok := l.factor(f.path); ok {
			paths = append(paths, f.path)
		}
	}
	return paths
}
