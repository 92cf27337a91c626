package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// withoutValue are the defaults that a comment puts into words, because the value is zero or chosen later.
var withoutValue = []string{"not limited", "the newest readable /boot/vmlinuz-*", "one per vCPU", "no blocks", "0", "none", "nothing", "not said", "rate", "binary", "at-once for postcopy, 1 round for hybrid"}

func TestCommentsNameTheDefaults(t *testing.T) {
	text, err := comments()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, f := range grammar().all {
		if f.scalar() == nil {
			continue
		}
		comment := text[ownerOf(f).Name()+"."+f.goName]
		if comment == "" {
			t.Errorf("%s has no comment", f.path)
		}
		_, said := splitDefault(comment)
		value, set := defaultAt(f.path)
		switch {
		case set:
			named++
			word, _, _ := strings.Cut(said, " ")
			x, err := f.parse(word)
			if err != nil || x.Interface() != value {
				t.Errorf("%s: the comment says %q, Default gives %v", f.path, said, value)
			}
		case said != "" && !slices.Contains(withoutValue, said) && !isZeroText(f, said):
			t.Errorf("%s: the comment says %q, Default gives nothing", f.path, said)
		}
	}
	if named < 20 {
		t.Errorf("only %d defaults were compared", named)
	}
}

// isZeroText reports whether the text is f's zero value, such as false.
func isZeroText(f field, text string) bool {
	x, err := f.parse(text)
	return err == nil && x.IsZero()
}

// TestZeroIsKept: a field may be left out when it is zero only if zero is its default.
func TestZeroIsKept(t *testing.T) {
	for _, f := range grammar().all {
		if f.scalar() == nil || f.typ.Kind() == reflect.Pointer {
			continue
		}
		sf := ownerOf(f).Field(f.index)
		_, set := defaultAt(f.path)
		for _, tag := range []string{"yaml", "json"} {
			if omits := strings.HasSuffix(sf.Tag.Get(tag), ",omitempty"); omits && set {
				t.Errorf("%s: %s would leave out a zero, which then reads as the default", f.path, tag)
			}
		}
		if y, j := sf.Tag.Get("yaml"), sf.Tag.Get("json"); y != j {
			t.Errorf("%s: yaml %q, json %q", f.path, y, j)
		}
	}
}

func TestOptionalGroupsHaveDefaults(t *testing.T) {
	for _, f := range grammar().all {
		if f.group() == nil || f.typ.Kind() != reflect.Pointer || f.path == "paper" { // a paper has no defaults
			continue
		}
		if v := newGroup(f.group()); v.Elem().IsZero() || v.Type() != f.typ {
			t.Errorf("%s: newGroup does not know %s", f.path, f.group())
		}
	}
}

func TestConstraintsAreRead(t *testing.T) {
	for _, f := range grammar().all {
		tag := ownerOf(f).Field(f.index).Tag.Get("jsonschema")
		if tag == "" {
			continue
		}
		read := len(f.enum)
		for _, x := range []*float64{f.minimum, f.maximum, f.above} {
			if x != nil {
				read++
			}
		}
		if f.mandatory {
			read++
		}
		if want := strings.Count(tag, ",") + 1; read != want {
			t.Errorf("%s: %d of %d constraints of %q were read", f.path, read, want, tag)
		}
	}
}

func TestEveryFactorPathSets(t *testing.T) {
	examples := map[string]string{"Bytes": "768MiB", "Rate": "7MiB/s", "Duration": "7ms", "string": "other", "int": "7", "float64": "0.7", "bool": "false"}
	for _, path := range grammar().factorPaths() {
		f, _ := grammar().factor(path)
		level := examples[f.scalar().Name()]
		if f.enum != nil {
			level = f.enum[len(f.enum)-1]
		}
		e := Default()
		if err := e.set(path, level); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := valueAt(e, path); fmt.Sprint(got) != level {
			t.Errorf("%s: set %s, got %v", path, level, got)
		}
	}
}

func valueAt(e *Experiment, path string) any {
	v, _ := fieldAt(e, path)
	return reflect.Indirect(v).Interface()
}

// fieldAt is the Go field at path, if the groups around it exist.
func fieldAt(e *Experiment, path string) (reflect.Value, bool) {
	v := reflect.ValueOf(e)
	for key := range strings.SplitSeq(path, ".") {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return v, false
		}
		v = reflect.Indirect(v)
		f, _ := fieldNamed(grammar().structs[v.Type()], key)
		v = v.Field(f.index)
	}
	return v, true
}

func TestCloneSharesNothing(t *testing.T) {
	e, err := Parse("everything", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	c := e.Clone()
	if !reflect.DeepEqual(e, c) {
		t.Fatalf("the clone differs:\n%+v\n%+v", e, c)
	}
	if shared := pointers(reflect.ValueOf(e).Elem()); len(shared) == 0 {
		t.Fatal("nothing to compare")
	} else {
		for p := range pointers(reflect.ValueOf(c).Elem()) {
			if where, ok := shared[p]; ok {
				t.Errorf("%s is shared", where)
			}
		}
	}
}

// pointers are the addresses of all that v refers to.
func pointers(v reflect.Value) map[uintptr]string {
	found := map[uintptr]string{}
	var walk func(v reflect.Value, at string)
	walk = func(v reflect.Value, at string) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if v.IsNil() {
				return
			}
			found[v.Pointer()] = at
		}
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			walk(v.Elem(), at)
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), at+"."+v.Type().Field(i).Name)
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), fmt.Sprintf("%s[%d]", at, i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				walk(v.MapIndex(k), fmt.Sprintf("%s[%v]", at, k))
			}
		}
	}
	walk(v, "")
	return found
}
