package spec

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// typeFiles hold the comments from which the schema and the reference are made, also where there is no source tree.
//
//go:embed experiment.go influx.go lifecycle.go noise.go paper.go plots.go quantity.go stopwhen.go
var typeFiles embed.FS

// A commentMap maps "Type" and "Type.Field" to comments on one line.
type commentMap map[string]string

var comments = sync.OnceValues(func() (commentMap, error) {
	m := commentMap{}
	for _, name := range []string{"experiment.go", "influx.go", "lifecycle.go", "noise.go", "paper.go", "plots.go", "quantity.go", "stopwhen.go"} {
		src, err := typeFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the types' comments: %w", err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read the types' comments: %w", err)
		}
		for _, decl := range file.Decls {
			if g, ok := decl.(*ast.GenDecl); ok {
				m.add(g)
			}
		}
	}
	return m, nil
})

func (m commentMap) add(g *ast.GenDecl) {
	for _, s := range g.Specs {
		t, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		m[t.Name.Name] = oneLine(g.Doc.Text())
		st, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range st.Fields.List {
			for _, name := range f.Names {
				m[t.Name.Name+"."+name.Name] = asKey(oneLine(f.Doc.Text()), name.Name, f.Tag)
			}
		}
	}
}

// asKey begins a comment with the key, where Go's name for it (MaxBandwidth) is not what a file writes.
func asKey(comment, goName string, tag *ast.BasicLit) string {
	if tag == nil {
		return comment
	}
	key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(tag.Value, "`")).Get("yaml"), ",")
	rest, ok := strings.CutPrefix(comment, goName+" ")
	if !ok || !strings.Contains(key, "-") {
		return comment
	}
	return key + " " + rest
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var defaultPattern = regexp.MustCompile(` ?Default: (.+?)\.( |$)`)

// splitDefault takes "Default: 1s." out of a comment.
func splitDefault(comment string) (meaning, value string) {
	m := defaultPattern.FindStringSubmatchIndex(comment)
	if m == nil {
		return comment, ""
	}
	return strings.TrimSpace(comment[:m[0]] + " " + comment[m[1]:]), comment[m[2]:m[3]]
}
