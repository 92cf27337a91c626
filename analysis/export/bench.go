package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/results"
)

// benchUnits are how benchstat knows a unit: times and amounts then get its prefixes.
var benchUnits = map[results.Unit]string{results.Seconds: "sec", results.Bytes: "B", results.BytesPerSecond: "B/s", results.One: "count"}

// Bench writes the format of Go's benchmarks (golang.org/design/14313-benchmark-format), which benchstat reads: a line a trial, a unit a metric, such as
// downtime-sec. A value that is not known is left out of its line; of a censored one nothing can be said there, and it is left out, too: a trial that
// failed has a unit failed of 1 instead, which completed ones have as 0.
func Bench(w io.Writer, set dataset.Set) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "run: %s\n", set.Name)
	if set.Manifest.Tool.Version != "" {
		fmt.Fprintf(b, "virtscope: %s\n", set.Manifest.Tool.Version)
	}
	for _, t := range set.Trials {
		if !t.Counted() {
			continue
		}
		failed := 0
		if t.Verdict == results.Failed {
			failed = 1
		}
		fmt.Fprintf(b, "Benchmark%s 1", benchName(set, t))
		for _, m := range t.Metrics {
			if m.Known && !m.Censored {
				fmt.Fprintf(b, " %s %s-%s", number(m.Value), strings.ReplaceAll(m.Name, " ", "_"), benchUnit(m.Unit))
			}
		}
		fmt.Fprintf(b, " %d failed-count\n", failed)
	}
	return b.Flush()
}

func benchUnit(u results.Unit) string {
	if s, ok := benchUnits[u]; ok {
		return s
	}
	return string(u)
}

// benchName is the experiment's, and a part for each level: /rate=4MiB_s. A factor is named by the last part of its path, or by all of it where
// another ends alike.
func benchName(set dataset.Set, t dataset.Trial) string {
	name := slug(set.Manifest.Name, '_')
	if name == "" {
		name = "run"
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	for _, l := range t.Levels {
		name += fmt.Sprintf("/%s=%s", benchFactor(t.Levels, l.Factor), benchLevel(l.Value))
	}
	return name
}

func benchFactor(levels []results.Level, path string) string {
	last := func(p string) string { return slug(p[strings.LastIndex(p, ".")+1:], '_') }
	for _, other := range levels {
		if other.Factor != path && last(other.Factor) == last(path) {
			return slug(path, '_')
		}
	}
	return last(path)
}

// benchLevel is a level without what ends a name or a part of it. Two levels never get one name, or benchstat would pool them: a slash is _, and all
// else but letters, digits and .+- is written %XX, as is a hyphen before digits at the end, which would make them a number of processors.
func benchLevel(s string) string {
	var b strings.Builder
	processors := -1
	if head := strings.TrimRight(s, "0123456789"); strings.HasSuffix(head, "-") {
		processors = len(head) - 1
	}
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '+', c == '-' && i != processors:
			b.WriteByte(c)
		case c == '/':
			b.WriteByte('_')
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
