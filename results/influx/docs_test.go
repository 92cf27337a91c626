package influx

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"virtscope/results"
)

var update = flag.Bool("update", false, "write the generated part of docs/influx.md")

const docsFile = "../../docs/influx.md"

// The generated part of the page stands between these lines.
const (
	docsBegin = "<!-- schema: go test ./results/influx -update writes what follows -->\n"
	docsEnd   = "<!-- end of schema -->\n"
)

func TestDocsAreCurrent(t *testing.T) {
	have, err := os.ReadFile(docsFile)
	fatal(t, err)
	before, rest, ok := bytes.Cut(have, []byte(docsBegin))
	_, after, ok2 := bytes.Cut(rest, []byte(docsEnd))
	if !ok || !ok2 {
		t.Fatalf("%s has no lines %q and %q", docsFile, docsBegin, docsEnd)
	}
	want := slices.Concat(before, []byte(docsBegin), schemaPage(t), []byte(docsEnd), after)
	if bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says: run go test ./results/influx -update", docsFile)
	}
	fatal(t, results.WriteFile(docsFile, want))
}

func schemaPage(t *testing.T) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	comments := map[string]string{}
	for _, w := range vocabulary(t) {
		comments[w.value] = w.comment
	}

	p("## Tags of every record\n")
	p("| tag | what it is |\n|---|---|")
	p("| `run` | the run's name |\n| `experiment` | the experiment's name |\n| `treatment` | the trial's treatment: all its levels in one text |")
	p("| one for each factor, such as `workload.rate` | the trial's level of it |")
	p("| `host` | whose clock stamped the record |\n| `source` | who observed it |")
	p("| `guest` | which guest it is about, in a trial with several |")
	p("| `again` | the trial's order and attempt; only on records that are not later than all of the attempts before, since a clock was set back |")
	p("| `late` | a number; only on records that came after one of a later time in their series |\n")

	p("## Fields of every record\n")
	p("| field | type | what it is |\n|---|---|---|")
	p("| `%s` | integer | the trial's place in the run, from 1 |\n| `%s` | integer | the attempt at it, from 1 |", fieldTrial, fieldAttempt)
	p("| `%s` | integer | the point is so many ns behind its record: others of its series came at the same time. None is 0 |", fieldShift)
	p("| `%s` | boolean | true: the record is an event |", fieldEvent)
	p("| `value` | float | the value of an event that has one, such as the number of a round |")
	for _, u := range []results.Unit{results.Seconds, results.Bytes, results.BytesPerSecond, results.One, results.Joules, results.Watts, results.Hertz} {
		p("| `%s` | float | the value of a sample in %s |", valueFields[u], u)
	}

	p("\n## Attributes\n")
	p("Tags are those that tell streams of one name apart, that a dashboard groups by, and of which the experiment bounds the values:\n")
	p("%s.\n", attributesOf(asTag))
	p("Fields of whole numbers and of numbers, with their unit. A value that is not written as virtscope writes a number is text, in the field without the unit:\n")
	p("| attribute | field | type |\n|---|---|---|")
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		switch a := attributes[name]; a.form {
		case asWhole:
			p("| %s | `%s` | integer |", name, numberField(name, a))
		case asFloat:
			p("| %s | `%s` | float |", name, numberField(name, a))
		}
	}
	p("\nFields of text, `%s` and the attribute's name; so is every attribute that is not listed here:\n", attributePrefix)
	p("%s.\n", attributesOf(asText))

	p("## Measurements of records\n")
	p("A measurement is a record's name. Its attributes are its own tags and fields, beside those above.\n")
	p("| measurement | value | tags of its own | fields of its own | what it is |\n|---|---|---|---|---|")
	for _, m := range measurements {
		value := valueFields[m.Unit]
		if m.Unit == results.Event {
			value = fieldEvent
		}
		if m.Name == results.BenchmarkResult {
			value += "`, `value_seconds"
		}
		var tags, fields []string
		for a := range strings.FieldsSeq(m.Attributes) {
			switch d := describe(a); d.form {
			case asTag:
				tags = append(tags, "`"+a+"`")
			case asText:
				fields = append(fields, "`"+string(d.text)+"`")
			default:
				fields = append(fields, "`"+string(d.number)+"`")
			}
		}
		p("| `%s` | `%s` | %s | %s | %s |", m.Name, value, strings.Join(tags, " "), strings.Join(fields, " "), cell(comments[m.Name]))
	}

	p("\n## Measurements that are derived\n")
	for _, d := range derived {
		p("### `%s`\n\n%s\n", d.Name, d.Meaning)
		p("| | type | what it is |\n|---|---|---|")
		for _, k := range d.Keys {
			p("| `%s` | %s | %s |", k.Name, k.Type, k.Meaning)
		}
		p("")
	}
	return b.Bytes()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(s)
}

func attributesOf(f form) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if attributes[name].form == f {
			list = append(list, "`"+name+"`")
		}
	}
	return strings.Join(list, ", ")
}

// What the encoders of derived points write is what the page says of them.
func TestDerivedIsDescribed(t *testing.T) {
	lines := derivedLines(t)
	seen := map[string]bool{}
	for _, p := range lines {
		i := slices.IndexFunc(derived, func(d Derived) bool { return d.Name == p.measurement })
		if i < 0 {
			t.Fatalf("measurement %s is not described", p.measurement)
		}
		for k := range p.tags {
			if !derived[i].has(k, "tag") && k != "workload.rate" {
				t.Errorf("%s: tag %s is not described", p.measurement, k)
			}
			seen[p.measurement+k] = true
		}
		for k, v := range p.fields {
			kind := map[string]string{"float64": "float", "int64": "integer", "bool": "boolean", "string": "text"}[fmt.Sprintf("%T", v)]
			if strings.HasPrefix(k, metricPrefix) {
				continue
			}
			if !derived[i].has(k, kind) {
				t.Errorf("%s: field %s (%s) is not described", p.measurement, k, kind)
			}
			seen[p.measurement+k] = true
		}
	}
	for _, d := range derived {
		for _, k := range d.Keys {
			if !seen[d.Name+k.Name] && !strings.Contains(k.Name, "…") && !strings.Contains(k.Name, "<") {
				t.Errorf("%s: nothing writes %s", d.Name, k.Name)
			}
		}
	}
}
