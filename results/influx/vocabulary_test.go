package influx

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"virtscope/results"
)

// A word is a constant of the vocabulary.
type word struct {
	ident, value, comment string
	group                 string // the comment of the constants that it stands among
}

// vocabulary reads the constants of package results with their comments.
func vocabulary(t testing.TB) []word {
	t.Helper()
	files, err := filepath.Glob("../vocabulary*.go")
	fatal(t, err)
	files = append(files, "../algorithm.go")
	var words []word
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		fatal(t, err)
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				fatal(t, err)
				text := v.Comment.Text()
				if text == "" {
					text = v.Doc.Text()
				}
				group := g.Doc.Text()
				if g.Lparen == token.NoPos {
					text, group = g.Doc.Text(), ""
				}
				words = append(words, word{v.Names[0].Name, value, oneLine(text), oneLine(group)})
			}
		}
	}
	if len(words) < 200 {
		t.Fatalf("%d words in %v", len(words), files)
	}
	return words
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// noRecord are the constants that name no record but a value.
var noRecord = regexp.MustCompile(`^(Source|State[A-Z]|Stage[A-Z]|Page[A-Z]|Algorithm[A-Z]|Attr[A-Z]|Fault[A-Z]|Flow(Image|Checkpoint|Migration|Disk|Client)$)`)

var (
	listOfAttributes = regexp.MustCompile(`\bAttrs?:? `)
	inParentheses    = regexp.MustCompile(`\([^()]*\)`)
	endOfSentence    = regexp.MustCompile(`\. [A-Z]|\.$`)
	oneWord          = regexp.MustCompile(`^"?([a-z][a-z0-9-]*)\b`)
)

// noAttribute are the words that stand where an attribute might, in the sentences of comments.
var noAttribute = strings.Fields("or and of as in if it is each beside the one none there when where")

// namedAttributes are the attributes that a comment names.
func namedAttributes(comment string) []string {
	var list []string
	for _, at := range listOfAttributes.FindAllStringIndex(comment, -1) {
		text := comment[at[1]:]
		for inParentheses.MatchString(text) {
			text = inParentheses.ReplaceAllString(text, "")
		}
		if end := endOfSentence.FindStringIndex(text); end != nil {
			text = text[:end[0]]
		}
		for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
			part = strings.TrimSpace(part)
			if strings.HasPrefix(part, "how long") {
				continue
			}
			if m := oneWord.FindStringSubmatch(part); m != nil && !slices.Contains(noAttribute, m[1]) {
				list = append(list, m[1])
			}
		}
	}
	return list
}

// Every attribute that the vocabulary names is a tag or a field by decision, and stands at the measurement that has it.
func TestVocabularyIsClassified(t *testing.T) {
	known := map[string]Measurement{}
	for _, m := range measurements {
		known[m.Name] = m
	}
	named := map[string]bool{}
	for _, w := range vocabulary(t) {
		for _, a := range append(namedAttributes(w.comment), namedAttributes(w.group)...) {
			if _, ok := attributes[a]; !ok {
				t.Errorf("%s has attribute %q, which is neither tag nor field in the schema", w.ident, a)
			}
			named[a] = true
		}
		if noRecord.MatchString(w.ident) {
			continue
		}
		m, ok := known[w.value]
		if !ok {
			t.Errorf("%s (%s) is no measurement of the schema", w.ident, w.value)
			continue
		}
		delete(known, w.value)
		for _, a := range namedAttributes(w.comment) {
			if a != results.AttrGuest && !slices.Contains(strings.Fields(m.Attributes), a) {
				t.Errorf("measurement %s lacks attribute %q", m.Name, a)
			}
		}
		if u, ok := unitOfComment(w.comment); ok && u != m.Unit {
			t.Errorf("measurement %s is in %q, by its comment in %q", m.Name, m.Unit, u)
		}
	}
	for name := range known {
		t.Errorf("measurement %s is not of the vocabulary", name)
	}
	if len(named) < 60 {
		t.Errorf("the comments name %d attributes", len(named))
	}
	for _, m := range measurements {
		for a := range strings.FieldsSeq(m.Attributes) {
			if _, ok := attributes[a]; !ok {
				t.Errorf("measurement %s has attribute %q, which is neither tag nor field in the schema", m.Name, a)
			}
		}
	}
}

var unitInComment = regexp.MustCompile(`^(?:[A-Z]\w+(?: is|:) )?(?:an )?(event|B/s|B|s|1|J|W|Hz)\b[ ,:;.]`)

func unitOfComment(comment string) (u results.Unit, ok bool) {
	m := unitInComment.FindStringSubmatch(comment + " ")
	if m == nil {
		return "", false
	}
	if m[1] == "event" {
		return results.Event, true
	}
	return results.Unit(m[1]), true
}

func TestNamedAttributes(t *testing.T) {
	for comment, want := range map[string]string{
		`event; Attrs: status (QAPI: setup, active …)`:                                        "status",
		`B; Attrs: process, pid`:                                                              "process pid",
		`s: x; Attrs: seq; error where the send call failed`:                                  "seq error",
		`it does. Attrs: flow (one of (the) constants), dir (to it), bin (s). Empty bins are`: "flow dir bin",
		`Attr "port" is the switch port`:                                                      "port",
		`event: nothing`:                                                                      "",
	} {
		if got := strings.Join(namedAttributes(comment), " "); got != want {
			t.Errorf("%s: %q, want %q", comment, got, want)
		}
	}
}

// Nothing that grows with a run's length is a tag.
func TestIdentifiersAreFields(t *testing.T) {
	for _, a := range strings.Fields("pid tid seq mono n round job checkpoint client server text error detail bytes packet offset histogram stream pass mac address name work earliest latest") {
		if _, ok := attributes[a]; !ok || attributes[a].form == asTag {
			t.Errorf("attribute %s is a tag, or not known", a)
		}
	}
}

// A unit that the store has and the schema has not would keep records from being sent.
func TestEveryUnitHasAField(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../record.go", nil, 0)
	fatal(t, err)
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		v, ok := node.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "Unit" {
			return true
		}
		unit, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		fatal(t, err)
		if _, ok := valueFields[results.Unit(unit)]; !ok {
			t.Errorf("unit %q (%s) has no field", unit, v.Names[0].Name)
		}
		n++
		return true
	})
	if n < 7 {
		t.Errorf("%d units", n)
	}
}
