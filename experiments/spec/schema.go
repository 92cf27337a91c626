package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON schema of experiments, made from the types and their comments; editors use it.
func Schema() ([]byte, error) {
	text, err := comments()
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[At]() {
				return atSchema()
			}
			if isQuantity(t) || t == reflect.TypeFor[Settings]() {
				return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
			}
			return nil
		},
		LookupComment: func(t reflect.Type, field string) string {
			if field == "" {
				return text[t.Name()]
			}
			return text[t.Name()+"."+field]
		},
	}
	s := r.Reflect(&Experiment{})
	s.Title = "virtscope experiment"
	for _, t := range []reflect.Type{reflect.TypeFor[Bytes](), reflect.TypeFor[Rate](), reflect.TypeFor[Duration]()} {
		s.Definitions[t.Name()] = quantitySchema(t, text[t.Name()])
	}
	settingsSchemas(s, s.Definitions)
	addDefaults(s, s.Definitions)
	optionalGroups(s, s.Definitions)
	factorProperties(s, s.Definitions)
	buildProperties(s, s.Definitions)
	// A file that extends another may leave the rest to it.
	s.AnyOf = []*jsonschema.Schema{{Required: []string{"extends"}}, {Required: []string{"name", "action"}}}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(out, '\n'), nil
}

// quantitySchema describes what is written with a unit. A bare 0 is a number in YAML.
func quantitySchema(t reflect.Type, comment string) *jsonschema.Schema {
	number := `[0-9]+(\.[0-9]+)?`
	names, examples := []string{"ns", "us", "µs", "μs", "ms", "s", "m", "h"}, []any{"300ms", "1m30s"}
	pattern := "^(0|(" + number + "(%s))+)$"
	switch t {
	case reflect.TypeFor[Bytes]():
		names, examples = byteUnits.names(), []any{"512MiB", "1GB"}
		pattern = "^(0|" + number + "(%s))$"
	case reflect.TypeFor[Rate]():
		names, examples = rateUnits.names(), []any{"8MiB/s", "1Gbit/s"}
		pattern = "^(0|" + number + "(%s))$"
	}
	return &jsonschema.Schema{
		Description: comment,
		AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: fmt.Sprintf(pattern, strings.Join(names, "|"))},
			{Const: 0},
		},
		Examples: examples,
	}
}

// settingsSchemas describe the maps of names that the language does not know.
func settingsSchemas(root *jsonschema.Schema, defs jsonschema.Definitions) {
	for _, f := range grammar().all {
		if !f.settings() {
			continue
		}
		if p, ok := properties(root, defs, ownerOf(f)).Properties.Get(f.key); ok {
			p.Ref, p.Type = "", "object"
			p.PropertyNames = &jsonschema.Schema{Pattern: settingName.String()}
			p.AdditionalProperties = settingSchema(f)
		}
	}
}

// atSchema describes levels by factor; which there are, the file says.
func atSchema() *jsonschema.Schema {
	one := uint64(1)
	level := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	return &jsonschema.Schema{Type: "object", AdditionalProperties: level, MinProperties: &one}
}

// settingSchema describes one value of f, which holds Settings.
func settingSchema(f field) *jsonschema.Schema {
	if f.enum != nil {
		return &jsonschema.Schema{Type: "boolean"}
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

// properties of a struct type are in the root for Experiment and among the definitions for the others.
func properties(root *jsonschema.Schema, defs jsonschema.Definitions, t reflect.Type) *jsonschema.Schema {
	if t == reflect.TypeFor[Experiment]() {
		return root
	}
	return defs[t.Name()]
}

// addDefaults writes each default that is not zero where an editor shows it.
func addDefaults(root *jsonschema.Schema, defs jsonschema.Definitions) {
	for _, f := range grammar().all {
		v, ok := defaultAt(f.path)
		if !ok || f.scalar() == nil {
			continue
		}
		if p, ok := properties(root, defs, ownerOf(f)).Properties.Get(f.key); ok {
			p.Default = v
		}
	}
}

// ownerOf is the struct type that has f.
func ownerOf(f field) reflect.Type {
	i := strings.LastIndexByte(f.path, '.')
	if i < 0 {
		return reflect.TypeFor[Experiment]()
	}
	parent, _ := grammar().at(f.path[:i])
	return parent.group()
}

// defaultAt is the default of the value at path, unless it is zero.
func defaultAt(path string) (any, bool) {
	v := reflect.ValueOf(Default()).Elem()
	for key := range strings.SplitSeq(path, ".") {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v = newGroup(v.Type().Elem())
			}
			v = v.Elem()
		}
		f, _ := fieldNamed(grammar().structs[v.Type()], key)
		v = v.Field(f.index)
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsZero() {
		return nil, false
	}
	return v.Interface(), true
}

// optionalGroups lets a child take a group away with null.
func optionalGroups(root *jsonschema.Schema, defs jsonschema.Definitions) {
	for _, f := range grammar().all {
		if f.group() == nil || f.typ.Kind() != reflect.Pointer {
			continue
		}
		if p, ok := properties(root, defs, ownerOf(f)).Properties.Get(f.key); ok && p.Ref != "" {
			p.AnyOf = []*jsonschema.Schema{{Ref: p.Ref}, {Type: "null"}}
			p.Ref = ""
		}
	}
}

// factorProperties lists the paths that may vary, each with the levels that it accepts, and the same for exclude.
func factorProperties(root *jsonschema.Schema, defs jsonschema.Definitions) {
	factors, entry := jsonschema.NewProperties(), jsonschema.NewProperties()
	one := uint64(1)
	for _, path := range grammar().factorPaths() {
		f, _ := grammar().at(path)
		p, ok := properties(root, defs, ownerOf(f)).Properties.Get(f.key)
		if !ok {
			continue
		}
		level := *p
		level.Default, level.Description = nil, ""
		list := &jsonschema.Schema{Type: "array", Items: &level, MinItems: &one, UniqueItems: true}
		described := *list
		described.Description = p.Description
		factors.Set(path, &described)
		entry.Set(path, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{&level, list}})
	}
	named, excluded := map[string]*jsonschema.Schema{}, map[string]*jsonschema.Schema{} // paths that end in a name of Settings
	for _, f := range grammar().all {
		if f.settings() {
			pattern := "^" + strings.ReplaceAll(f.path, ".", `\.`) + `\.` + strings.TrimPrefix(settingName.String(), "^")
			named[pattern] = &jsonschema.Schema{Type: "array", Items: settingSchema(f), MinItems: &one, UniqueItems: true}
			excluded[pattern] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{settingSchema(f), named[pattern]}}
		}
	}
	set := func(key string, s *jsonschema.Schema) {
		if old, ok := root.Properties.Get(key); ok {
			s.Description = old.Description
		}
		root.Properties.Set(key, s)
	}
	set("factors", &jsonschema.Schema{
		Type: "object", Properties: factors, PatternProperties: named, AdditionalProperties: jsonschema.FalseSchema,
	})
	set("exclude", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{
		Type: "object", Properties: entry, PatternProperties: excluded, AdditionalProperties: jsonschema.FalseSchema, MinProperties: &one,
	}})
	delete(defs, "Factors")
	delete(defs, "Factor")
}
