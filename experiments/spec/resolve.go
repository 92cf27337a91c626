package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Resolved is e as one file that extends nothing and leaves nothing that matters to a default, so that Parse gives
// the same trials for ever, whatever becomes of the files that it was read from or of the defaults. Keys of
// workloads that no treatment has are left out.
func (e *Experiment) Resolved() ([]byte, error) {
	plain := e.clone()
	plain.Extends = ""
	text, err := yaml.Dump(plain)
	if err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	for _, n := range doc.Content {
		for _, f := range e.Factors {
			remove(n, strings.Split(f.Path, ".")) // the levels take its place
		}
		kinds := e.workloadKinds()
		for path, kind := range needs {
			if !slices.Contains(kinds, kind) {
				remove(n, strings.Split(path, "."))
			}
		}
	}
	if text, err = yaml.Dump(&doc); err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	return text, nil
}

// workloadKinds are those of all treatments.
func (e *Experiment) workloadKinds() []string {
	i := slices.IndexFunc(e.Factors, func(f Factor) bool { return f.Path == "workload.kind" })
	if i < 0 {
		return []string{e.Workload.Kind}
	}
	return e.Factors[i].Levels
}

// remove takes the value at path out of the mapping n.
func remove(n *yaml.Node, path []string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != path[0] {
			continue
		}
		if len(path) > 1 {
			remove(n.Content[i+1], path[1:])
			return
		}
		n.Content = slices.Delete(n.Content, i, i+2)
		return
	}
}
