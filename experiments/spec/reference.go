package spec

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference is the language as a Markdown table (key, value, default, meaning), made from the types and their
// comments.
func Reference() (string, error) {
	text, err := comments()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| Key | Value | Default | Meaning |\n|---|---|---|---|\n")
	for _, f := range grammar().all {
		if strings.HasPrefix(f.path, "testbed.migration-link.") {
			continue // the same as those of testbed.link
		}
		meaning, std := splitDefault(text[ownerOf(f).Name()+"."+f.goName])
		if f.mandatory || strings.HasSuffix(meaning, " Required.") || strings.Contains(meaning, "Required: ") {
			std = "required"
			meaning, _, _ = strings.Cut(meaning, " Required")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.path, f.valueText(), cell(std), cell(meaning))
	}
	return b.String(), nil
}

// valueText says what f takes, in a table's cell.
func (f *field) valueText() string {
	t := f.scalar()
	switch {
	case f.path == "factors":
		return "paths with lists of levels"
	case f.path == "exclude":
		return "list of levels by factor"
	case f.path == "builds":
		return "names with values by path"
	case f.path == "plots":
		return "list of `kind`, `metric`, `x`, `by`"
	case f.path == "testbed.migration-link":
		return "keys of `testbed.link`"
	case f.path == "paper.published":
		return "list of figures: [papers](../docs/papers.md)"
	case f.settings():
		return "names with values"
	case f.group() != nil:
		return "keys below"
	case t == reflect.TypeFor[Bytes]():
		return "amount, `512MiB`"
	case t == reflect.TypeFor[Rate]():
		return "rate, `8MiB/s` or `1Gbit/s`"
	case t == reflect.TypeFor[Duration]():
		return "duration, `300ms`"
	case f.enum != nil:
		return "`" + strings.Join(f.enum, "`, `") + "`"
	case t.Kind() == reflect.Bool:
		return "`true`, `false`"
	case t.Kind() == reflect.String:
		return "text"
	case f.minimum != nil && f.maximum != nil && *f.minimum == *f.maximum:
		return "`" + trim(*f.minimum) + "`"
	case t.Kind() == reflect.Float64:
		return "number" + f.rangeText()
	}
	return "whole number" + f.rangeText()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
