package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/results"
)

func unitOf(s string) results.Unit { return results.Unit(s) }

var (
	lineTag   = strings.NewReplacer(`\`, `\\`, ",", `\,`, "=", `\=`, " ", `\ `, "\n", `\n`)
	lineField = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
)

// Line writes the figures as line protocol of InfluxDB: measurement virtscope_trial, tags run, trial, treatment and verdict, one field a metric, at the
// trial's begin in nanoseconds. What is not known has no field; a censored value has a second field, <metric>.censored. A trial whose begin is not known, as
// those of a CSV file, has no time: the server gives it its own.
func Line(w io.Writer, set dataset.Set) error {
	b := bufio.NewWriter(w)
	for _, t := range set.Trials {
		var fields []string
		for _, m := range t.Metrics {
			if !m.Known {
				continue
			}
			fields = append(fields, fmt.Sprintf("%s=%s", lineTag.Replace(m.Name), number(m.Value)))
			if m.Censored {
				fields = append(fields, lineTag.Replace(m.Name)+".censored=true")
			}
		}
		if len(fields) == 0 {
			continue
		}
		fmt.Fprintf(b, "virtscope_trial,run=%s,trial=%s", lineTag.Replace(set.Name), lineTag.Replace(t.ID))
		if t.Treatment != "" {
			fmt.Fprintf(b, ",treatment=%s", lineTag.Replace(t.Treatment))
		}
		fmt.Fprintf(b, ",verdict=%s %s", t.Verdict, strings.Join(fields, ","))
		if !t.Begin.IsZero() {
			fmt.Fprintf(b, " %d", t.Begin.UnixNano())
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// LineRecords writes raw records as line protocol: measurement virtscope_record, tags trial, host, source and name, fields value, unit and the record's own
// attributes, at the record's time.
func LineRecords(w io.Writer, trial string, records []results.Record) error {
	b := bufio.NewWriter(w)
	for _, r := range records {
		fmt.Fprintf(b, "virtscope_record,trial=%s", lineTag.Replace(trial))
		for _, tag := range [][2]string{{"host", r.Host}, {"source", r.Source}, {"name", r.Name}} {
			if tag[1] != "" {
				fmt.Fprintf(b, ",%s=%s", tag[0], lineTag.Replace(tag[1]))
			}
		}
		fmt.Fprintf(b, " value=%s", number(r.Value))
		if r.Unit != "" {
			fmt.Fprintf(b, ",unit=\"%s\"", lineField.Replace(string(r.Unit)))
		}
		for _, k := range sortedKeys(r.Attrs) {
			fmt.Fprintf(b, ",attr.%s=\"%s\"", lineTag.Replace(k), lineField.Replace(r.Attrs[k]))
		}
		fmt.Fprintf(b, " %d\n", r.Time)
	}
	return b.Flush()
}
