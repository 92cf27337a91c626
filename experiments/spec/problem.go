package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one thing wrong with an experiment, at its place.
type Problem struct {
	File string // as it was given, or as extends names it
	Line int    // from 1; 0 where there is no line to show
	Col  int    // from 1, in characters
	Path string // dotted path of the key; empty for the whole file
	// Value as the file writes it, shortened; empty where a value is missing.
	Value string
	Want  string // what would be accepted
}

// String is `file:line:col: path: got "value": want …`.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Value != "" {
		b.WriteString("got " + strconv.Quote(p.Value) + ": ")
	}
	b.WriteString(p.Want)
	return b.String()
}

// Problems are all that is wrong with an experiment, by file and place. It is a spec error: nothing was started.
type Problems []Problem

// Error has one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps))
	for _, p := range ps {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// err sorts the problems by place, drops repetitions and returns nil if none is left.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			strings.Compare(a.Path, b.Path), strings.Compare(a.Want, b.Want))
	})
	return slices.Compact(ps)
}

// shorten cuts a value to what fits on a line.
func shorten(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
