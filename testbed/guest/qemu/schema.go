package qemu

import (
	"encoding/json"
	"fmt"
)

// A schema is the part of query-qmp-schema (QAPI introspect.json) that tells what a migration can be told.
type schema map[string]schemaEntry

type schemaEntry struct {
	Name    string         `json:"name"`
	Meta    string         `json:"meta-type"`
	ArgType string         `json:"arg-type"`     // of a command
	Element string         `json:"element-type"` // of an array
	Members []schemaMember `json:"members"`      // of an object; of an enum since QEMU 6.2
	Values  []string       `json:"values"`       // of an enum
}

type schemaMember struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func parseSchema(raw []byte) (schema, error) {
	var entries []schemaEntry
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("read reply to query-qmp-schema: %w", err)
	}
	s := make(schema, len(entries))
	for _, e := range entries {
		s[e.Name] = e
	}
	return s, nil
}

// argument returns the type of a command's argument, or of what is in it along the path.
func (s schema) argument(command string, path ...string) (schemaEntry, bool) {
	e, ok := s[s[command].ArgType]
	for _, name := range path {
		if e.Meta == "array" {
			e = s[e.Element]
		}
		e, ok = s.member(e, name)
		if !ok {
			return schemaEntry{}, false
		}
	}
	return e, ok
}

func (s schema) member(of schemaEntry, name string) (schemaEntry, bool) {
	for _, m := range of.Members {
		if m.Name == name {
			e, ok := s[m.Type]
			return e, ok
		}
	}
	return schemaEntry{}, false
}
