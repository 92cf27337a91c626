package spec

import (
	"strings"

	"github.com/invopop/jsonschema"
)

// buildProperties lists the values that a build may set.
func buildProperties(root *jsonschema.Schema, defs jsonschema.Definitions) {
	values := jsonschema.NewProperties()
	for _, path := range grammar().factorPaths() {
		f, _ := grammar().at(path)
		p, ok := properties(root, defs, ownerOf(f)).Properties.Get(f.key)
		if !ok {
			continue
		}
		value := *p
		value.Default = nil
		values.Set(path, &value)
	}
	named := map[string]*jsonschema.Schema{}
	for _, f := range grammar().all {
		if f.settings() {
			named["^"+strings.ReplaceAll(f.path, ".", `\.`)+`\.`+strings.TrimPrefix(settingName.String(), "^")] = settingSchema(f)
		}
	}
	least := uint64(minBuilds)
	s := &jsonschema.Schema{
		Type: "object", MinProperties: &least, PropertyNames: &jsonschema.Schema{Pattern: buildName.String()},
		AdditionalProperties: &jsonschema.Schema{
			Type: "object", Properties: values, PatternProperties: named, AdditionalProperties: jsonschema.FalseSchema,
		},
	}
	if old, ok := root.Properties.Get("builds"); ok {
		s.Description = old.Description
	}
	root.Properties.Set("builds", s)
	for _, name := range []string{"Builds", "Build", "BuildValue"} {
		delete(defs, name)
	}
}
