package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/results"
)

// metricUnits are the names of units by the conventions of OpenMetrics.
var metricUnits = map[results.Unit]string{results.Seconds: "seconds", results.Bytes: "bytes", results.BytesPerSecond: "bytes_per_second", results.Joules: "joules", results.Watts: "watts", results.Hertz: "hertz"}

// OpenMetrics writes the figures as gauges in the text format of OpenMetrics 1.0, a family a metric and a sample a trial, with labels run, trial,
// treatment, verdict and one a factor. What is not known has no sample; a censored one has the label censored="true".
// Two metrics whose names differ in their separators alone, or whose units differ over trials, are an error.
func OpenMetrics(w io.Writer, set dataset.Set) error {
	b := bufio.NewWriter(w)
	families := map[string]string{}
	for _, name := range set.Metrics() {
		family, unit := "", results.Unit("")
		for _, t := range set.Trials {
			m, ok := t.Metric(name)
			if !ok || !m.Known || !t.Counted() {
				continue
			}
			if family == "" {
				family, unit = openFamily(b, name, m.Unit), m.Unit
				if other, taken := families[family]; taken {
					return fmt.Errorf("write openmetrics: %s and %s are both %s there: choose one with --metrics", other, name, family)
				}
				families[family] = name
			}
			if m.Unit != unit {
				return fmt.Errorf("write openmetrics: trial %s has %s in %s, others in %s", t.ID, name, m.Unit, unit)
			}
			fmt.Fprintf(b, "%s{%s} %s\n", family, labels(set, t, m.Censored), number(m.Value))
		}
	}
	fmt.Fprint(b, "# EOF\n")
	return b.Flush()
}

func openFamily(b *bufio.Writer, name string, u results.Unit) string {
	family := "virtscope_" + slug(name, '_')
	unit := metricUnits[u]
	if unit != "" && !strings.HasSuffix(family, "_"+unit) {
		family += "_" + unit
	}
	fmt.Fprintf(b, "# TYPE %s gauge\n", family)
	if unit != "" {
		fmt.Fprintf(b, "# UNIT %s %s\n", family, unit)
	}
	fmt.Fprintf(b, "# HELP %s %s of a trial.\n", family, openEscape(name))
	return family
}

var openEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func openEscape(s string) string { return openEscaper.Replace(s) }

func labels(set dataset.Set, t dataset.Trial, censored bool) string {
	list := []string{
		fmt.Sprintf(`run="%s"`, openEscape(set.Name)), fmt.Sprintf(`trial="%s"`, openEscape(t.ID)), fmt.Sprintf(`treatment="%s"`, openEscape(t.Treatment)),
		fmt.Sprintf(`verdict="%s"`, t.Verdict),
	}
	for _, l := range t.Levels {
		list = append(list, fmt.Sprintf(`factor_%s="%s"`, slug(l.Factor, '_'), openEscape(l.Value)))
	}
	if censored {
		list = append(list, `censored="true"`)
	}
	return strings.Join(list, ",")
}
