package compare

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/results"
)

// Unlike says in what two runs differ beside what they measured: the machine and its tools, and the experiment. What the trials differ in by
// their factors is not of it. The versions of virtscope are told apart in a note: see Notes.
func Unlike(base, head results.Manifest) []string {
	var list []string
	if base.Name != head.Name {
		list = append(list, fmt.Sprintf("experiment %s, and %s", base.Name, head.Name))
	} else if base.SpecHash != head.SpecHash {
		list = append(list, "the experiment's settings (compare the experiment.yaml of both)")
	}
	b, h := known(base.Facts), known(head.Facts)
	for _, f := range slices.Concat(base.Facts, head.Facts) {
		key := fact{f.Subject, f.Name}
		x, y := b[key], h[key]
		delete(b, key) // said once
		delete(h, key)
		switch {
		case slices.Equal(x, y):
		case len(x) == 0:
			list = append(list, fmt.Sprintf("%s %s is not known of base, and %s", f.Subject, f.Name, strings.Join(y, " or ")))
		case len(y) == 0:
			list = append(list, fmt.Sprintf("%s %s is %s, and not known of head", f.Subject, f.Name, strings.Join(x, " or ")))
		default:
			list = append(list, fmt.Sprintf("%s %s is %s, and %s", f.Subject, f.Name, strings.Join(x, " or "), strings.Join(y, " or ")))
		}
	}
	return list
}

type fact struct{ subject, name string }

// measured begin the names of facts that were measured before the run: they are never the same twice.
var measured = []string{"emulator.delay.", "emulator.loss", "emulator.reordered"}

// known are the facts' values, sorted: a run that takes several hypervisors has several of a name.
func known(facts []results.Fact) map[fact][]string {
	values := map[fact][]string{}
	for _, f := range facts {
		if slices.ContainsFunc(measured, func(m string) bool { return strings.HasPrefix(f.Name, m) }) {
			continue
		}
		key := fact{f.Subject, f.Name}
		values[key] = append(values[key], f.Value)
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return values
}

// Versions is a note where two versions of virtscope made the runs; "" where one did.
func Versions(base, head results.Manifest) string {
	if base.Tool == head.Tool {
		return ""
	}
	name := func(t results.Tool) string { return strings.TrimSpace(t.Version + " " + t.Revision) }
	return fmt.Sprintf("base was made by virtscope %s, head by %s: the records were analysed by this one", name(base.Tool), name(head.Tool))
}
