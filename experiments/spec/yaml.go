package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxFile  = 1 << 20 // B; the largest sensible experiment is a few kB
	maxDepth = 32      // the language itself needs 4
)

// A reader turns one file into nodes and collects what is wrong with it as YAML.
type reader struct {
	file     string
	layer    int
	data     []byte
	problems Problems
}

// readTree returns the file's mapping, or nil if the problems are such that there is none.
func readTree(file string, layer int, data []byte) (*node, Problems) {
	r := &reader{file: file, layer: layer, data: data}
	if len(data) > maxFile {
		r.add(1, 1, "", "", fmt.Sprintf("want a file of at most %s; this one has %d bytes", Bytes(maxFile), len(data)))
		return nil, r.problems
	}
	if line, col, ok := unreadable(data); ok {
		r.add(line, col, "", "", "want text in UTF-8 without control characters")
		return nil, r.problems
	}
	root := r.document(data)
	if root == nil {
		return nil, r.problems
	}
	n := r.node(root, "", 0)
	if n != nil && n.kind != mapping {
		r.add(n.line, n.col, "", n.String(), "want an experiment: keys and values, such as virtscope: 1")
		return nil, r.problems
	}
	return n, r.problems
}

// document parses the only document of data.
func (r *reader) document(data []byte) *yaml.Node {
	const empty = "want an experiment; the file is empty (quickstart.yaml is one to start from)"
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.add(1, 1, "", "", "want YAML: "+err.Error())
		return nil
	}
	var doc yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		r.add(1, 1, "", "", empty)
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	var second yaml.Node
	if err := loader.Load(&second); err == nil {
		r.add(second.Line, max(1, second.Column), "", "", "want one experiment a file; a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if len(doc.Content) == 0 || (doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null") {
		r.add(1, 1, "", "", empty)
		return nil
	}
	return doc.Content[0]
}

// syntax reports what the YAML parser says, at its place.
func (r *reader) syntax(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		r.add(1, 1, "", "", "want YAML: "+err.Error())
		return
	}
	want := "want YAML: " + le.Message
	if le.ContextMsg != "" {
		want += " " + le.ContextMsg
		if le.ContextMark.Line > 0 && le.ContextMark.Line != le.Mark.Line {
			want += fmt.Sprintf(" that begins in line %d", le.ContextMark.Line)
		}
	}
	r.add(max(1, le.Mark.Line), max(1, le.Mark.Column), "", "", want+r.hint(le))
}

// hint says what most likely caused a syntax error.
func (r *reader) hint(le *yaml.LoadError) string {
	lines := bytes.Split(r.data, []byte("\n"))
	if i := le.Mark.Line - 1; i >= 0 && i < len(lines) {
		if indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]; bytes.ContainsRune(indent, '\t') {
			return "; indent with spaces, not tabs"
		}
	}
	if le.Message == "mapping values are not allowed in this context" {
		return `; a text that holds ": " needs quotes, and the keys of one map the same indentation`
	}
	return ""
}

// node converts y, or returns nil where nothing useful is left of it.
func (r *reader) node(y *yaml.Node, path string, depth int) *node {
	n := &node{file: r.file, layer: r.layer, line: y.Line, col: y.Column, tag: y.Tag, text: y.Value}
	if depth > maxDepth {
		r.add(y.Line, y.Column, path, "", fmt.Sprintf("want at most %d levels of nesting", maxDepth))
		return nil
	}
	if y.Anchor != "" {
		r.add(y.Line, y.Column, path, "&"+y.Anchor, "want the value written out: anchors and aliases are not supported (extends shares values between files)")
	}
	if y.Style&yaml.TaggedStyle != 0 {
		r.add(y.Line, y.Column, path, y.Tag, "want a value without a tag")
		return nil
	}
	switch y.Kind {
	case yaml.AliasNode:
		r.add(y.Line, y.Column, path, "*"+y.Value, "want the value written out: anchors and aliases are not supported (extends shares values between files)")
		return nil
	case yaml.MappingNode:
		n.kind = mapping
		r.mapping(n, y, path, depth)
	case yaml.SequenceNode:
		n.kind = sequence
		for i, c := range y.Content {
			if v := r.node(c, fmt.Sprintf("%s[%d]", path, i), depth+1); v != nil {
				n.items = append(n.items, v)
			}
		}
	default:
		if i := controlCharacter(y.Value); i >= 0 {
			r.add(y.Line, y.Column, path, shorten(y.Value), "want text on one line, without control characters")
			return nil
		}
	}
	return n
}

// mapping converts y's pairs and reports keys that are not plain text or occur twice.
func (r *reader) mapping(n *node, y *yaml.Node, path string, depth int) {
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Tag == "!!merge" {
			r.add(k.Line, k.Column, path, "<<", "want the keys written out: merge keys are not supported (extends shares values between files)")
			continue
		}
		key := r.node(k, path, depth+1)
		if key == nil {
			continue
		}
		if key.kind != scalar || key.text == "" {
			r.add(k.Line, k.Column, path, key.String(), "want a key that is a word")
			continue
		}
		at := join(path, key.text)
		if first, ok := n.get(key.text); ok {
			r.add(k.Line, k.Column, at, "", fmt.Sprintf("want each key once; it is already in line %d", first.key.line))
			continue
		}
		value := r.node(v, at, depth+1)
		if value == nil {
			value = &node{file: r.file, layer: r.layer, line: v.Line, col: v.Column, tag: badTag}
		}
		n.pairs = append(n.pairs, pair{key, value})
	}
}

// badTag marks a value that was already reported, so that nothing more is said of it.
const badTag = "!bad"

func (r *reader) add(line, col int, path, value, want string) {
	r.problems = append(r.problems, Problem{r.file, line, col, path, value, want})
}

// join appends a key to a dotted path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// controlCharacter is the index of the first character that would break a line of a table, or -1.
func controlCharacter(s string) int {
	for i, c := range s {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return i
		}
	}
	return -1
}

// unreadable is the place of the first byte that is not UTF-8 or is a control character that YAML does not allow.
func unreadable(data []byte) (line, col int, found bool) {
	line, col = 1, 1
	for len(data) > 0 {
		c, n := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && n == 1, unicode.IsControl(c) && c != '\t' && c != '\n' && c != '\r' && c != '\u0085':
			return line, col, true
		case c == '\n':
			line, col = line+1, 0
		}
		col++
		data = data[n:]
	}
	return 0, 0, false
}
