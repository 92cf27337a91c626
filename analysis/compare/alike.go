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
	for _, f := range base.Facts {
		i := slices.IndexFunc(head.Facts, func(h results.Fact) bool { return h.Subject == f.Subject && h.Name == f.Name })
		switch {
		case i < 0:
			list = append(list, fmt.Sprintf("%s %s is %s, and not known of head", f.Subject, f.Name, f.Value))
		case head.Facts[i].Value != f.Value:
			list = append(list, fmt.Sprintf("%s %s is %s, and %s", f.Subject, f.Name, f.Value, head.Facts[i].Value))
		}
	}
	for _, f := range head.Facts {
		if !slices.ContainsFunc(base.Facts, func(b results.Fact) bool { return b.Subject == f.Subject && b.Name == f.Name }) {
			list = append(list, fmt.Sprintf("%s %s is not known of base, and %s", f.Subject, f.Name, f.Value))
		}
	}
	return list
}

// Versions is a note where two versions of virtscope made the runs; "" where one did.
func Versions(base, head results.Manifest) string {
	if base.Tool == head.Tool {
		return ""
	}
	name := func(t results.Tool) string { return strings.TrimSpace(t.Version + " " + t.Revision) }
	return fmt.Sprintf("base was made by virtscope %s, head by %s: the records were analysed by this one", name(base.Tool), name(head.Tool))
}
