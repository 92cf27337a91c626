package plan

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// maxID is the longest ID: it is a folder's name, and part of a socket's path.
const maxID = 80

// A namer derives names from levels, so that a name cannot drift from what it names.
type namer struct {
	short map[string]string // of each factor: its shortest suffix that no other factor has
}

func newNamer(factors spec.Factors) *namer {
	n := &namer{short: map[string]string{}}
	for _, f := range factors {
		n.short[f.Path] = shortest(f.Path, factors)
	}
	return n
}

// shortest is rate for workload.rate, or workload.rate where testbed.link.rate is a factor too.
func shortest(path string, factors spec.Factors) string {
	parts := strings.Split(path, ".")
	for i := len(parts) - 1; i > 0; i-- {
		suffix := strings.Join(parts[i:], ".")
		shared := slices.ContainsFunc(factors, func(f spec.Factor) bool {
			return f.Path != path && (f.Path == suffix || strings.HasSuffix(f.Path, "."+suffix))
		})
		if !shared {
			return suffix
		}
	}
	return path
}

// treatment is such as rate=8MiB/s,vcpus=2, or default where nothing is varied.
func (n *namer) treatment(levels []results.Level) string {
	if len(levels) == 0 {
		return "default"
	}
	parts := make([]string, 0, len(levels))
	for _, l := range levels {
		parts = append(parts, n.level(l))
	}
	return strings.Join(parts, ",")
}

// level quotes what would make two treatments read the same.
func (n *namer) level(l results.Level) string {
	value := l.Value
	if strings.ContainsAny(value, `,="\ `) {
		value = strconv.Quote(value)
	}
	return n.short[l.Factor] + "=" + value
}

// identify gives each trial an ID such as 003-rate-8MiBps-r2. The order alone makes it unique; where two
// treatments come to the same letters, or to too many, a hash tells them apart.
func (n *namer) identify(trials []Trial) {
	width := max(3, len(strconv.Itoa(len(trials))))
	owner := map[string]string{} // treatments by what is left of them in an ID
	clash := map[string]bool{}
	for _, t := range trials {
		slug := strings.ToLower(slugOf(n, t.Levels)) // some file systems fold case
		if first, ok := owner[slug]; ok && first != t.Treatment {
			clash[slug] = true
		}
		owner[slug] = t.Treatment
	}
	for i := range trials {
		t := &trials[i]
		before, after := fmt.Sprintf("%0*d-", width, t.Order), fmt.Sprintf("-r%d", t.Replicate)
		slug, room := slugOf(n, t.Levels), maxID-len(before)-len(after)
		if clash[strings.ToLower(slug)] || len(slug) > room {
			sum := fmt.Sprintf("-%x", sha256.Sum256([]byte(t.Treatment)))[:9]
			slug = strings.TrimRight(slug[:min(len(slug), room-len(sum))], "-.") + sum
		}
		t.ID = before + slug + after
	}
}

// slugOf is a treatment in the letters that every file system and shell takes as they are.
func slugOf(n *namer, levels []results.Level) string {
	if len(levels) == 0 {
		return "default"
	}
	parts := make([]string, 0, len(levels))
	for _, l := range levels {
		value := strings.ReplaceAll(l.Value, "/s", "ps")
		parts = append(parts, sanitize(n.short[l.Factor])+"-"+sanitize(value))
	}
	return strings.Join(parts, "-")
}

// sanitize replaces each run of other characters by one hyphen.
func sanitize(s string) string {
	var b strings.Builder
	pending := false
	for _, c := range strings.NewReplacer("µ", "u", "μ", "u").Replace(s) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
		if !plain {
			pending = true
			continue
		}
		if pending && b.Len() > 0 {
			b.WriteByte('-')
		}
		pending = false
		b.WriteRune(c)
	}
	return b.String()
}
