package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Resolved is e as one file that extends nothing and leaves nothing that matters to a default, so that Parse gives
// the same trials for ever, whatever becomes of the files that it was read from or of the defaults. Keys that no treatment
// reads are left out. Scale and amounts stay as they are written.
func (e *Experiment) Resolved() ([]byte, error) {
	plain := e.Clone()
	plain.Extends = ""
	text, err := yaml.Dump(plain)
	if err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	unread := e.unread()
	for _, n := range doc.Content {
		for _, f := range e.Factors {
			remove(n, strings.Split(f.Path, ".")) // the levels take its place
		}
		for _, path := range unread {
			remove(n, strings.Split(path, "."))
		}
	}
	if text, err = yaml.Dump(&doc); err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	return text, nil
}

// unread are the keys that no treatment reads. There are none where the treatments are too many or all excluded.
func (e *Experiment) unread() []string {
	treatments := e.Treatments()
	if len(treatments) == 0 {
		return nil
	}
	keys := newReadKeys()
	for _, levels := range treatments {
		if with, err := e.With(levels); err == nil { // a level that does not parse is reported where it is read
			keys.add(with)
		}
	}
	return keys.unread()
}

// remove takes the value at path out of the mapping n, and a group that it leaves empty too.
func remove(n *yaml.Node, path []string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != path[0] {
			continue
		}
		if len(path) > 1 {
			group := n.Content[i+1]
			before := len(group.Content)
			remove(group, path[1:])
			if len(group.Content) == 0 && before > 0 {
				n.Content = slices.Delete(n.Content, i, i+2)
			}
			return
		}
		n.Content = slices.Delete(n.Content, i, i+2)
		return
	}
}
