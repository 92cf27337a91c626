package influx

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A Dashboard is a Grafana dashboard for runs of an experiment. Its queries are in Flux, which InfluxDB 2.x has, and 1.8 where flux-enabled is set.
type Dashboard struct {
	Factors []string // paths of the factors that it has a variable for
}

// object is a JSON object.
type object = map[string]any

// dataSource is Grafana's variable that names the InfluxDB.
var dataSource = object{"type": "influxdb", "uid": "${datasource}"}

var notAWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// VariableOf names a factor's variable.
func VariableOf(factor string) string { return notAWord.ReplaceAllString(factor, "_") }

// JSON is the dashboard as Grafana imports it.
func (d Dashboard) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(object{
		"uid": "virtscope", "title": "virtscope", "tags": []string{"virtscope"}, "schemaVersion": 39, "editable": true, "graphTooltip": 1,
		"time":        object{"from": "now-15m", "to": "now"},
		"refresh":     "5s",
		"templating":  object{"list": d.variables()},
		"annotations": object{"list": d.annotations()},
		"panels":      d.panels(),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("make dashboard: %w", err)
	}
	return append(text, '\n'), nil
}

// source begins each query.
const source = `from(bucket: "${bucket}")
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
`

func (d Dashboard) variables() []any {
	list := []any{
		object{"name": "datasource", "label": "InfluxDB", "type": "datasource", "query": "influxdb"},
		object{"name": "bucket", "type": "textbox", "query": "virtscope", "current": object{"text": "virtscope", "value": "virtscope"}},
		d.variable(tagRun, tagRun, "", false),
		d.variable(tagTreatment, tagTreatment, ofRun, true),
	}
	for _, f := range d.Factors {
		list = append(list, d.variable(VariableOf(f), FactorTag(f), ofRun, true))
	}
	return list
}

const ofRun = `  |> filter(fn: (r) => r.run == "${run}")
`

func (d Dashboard) variable(name, tag, filter string, several bool) object {
	query := source + `  |> filter(fn: (r) => r._measurement == "trial.state" and r._field == "trial")
` + filter + fmt.Sprintf(`  |> filter(fn: (r) => exists r[%[1]q])
  |> group(columns: [%[1]q])
  |> first()
  |> group()
  |> distinct(column: %[1]q)
`, tag)
	o := object{"name": name, "label": tag, "type": "query", "datasource": dataSource, "query": object{"query": query}, "refresh": 2, "sort": 1}
	if several {
		o["multi"], o["includeAll"], o["allValue"], o["current"] = true, true, ".*", object{"text": "All", "value": "$__all"}
	}
	return o
}

// chosen keeps what the variables choose. A run without a factor has no tag of it, and its variable chooses nothing.
func (d Dashboard) chosen() string {
	var b strings.Builder
	b.WriteString(ofRun)
	b.WriteString("  |> filter(fn: (r) => r.treatment =~ /^${treatment:regex}$/)\n")
	for _, f := range d.Factors {
		fmt.Fprintf(&b, "  |> filter(fn: (r) => not exists r[%[1]q] or r[%[1]q] =~ /^${%[2]s:regex}$/)\n", FactorTag(f), VariableOf(f))
	}
	return b.String()
}

// records is a query of one field of a measurement; more is what follows.
func (d Dashboard) records(measurement, field, where, more string) string {
	if where != "" {
		where = " and " + where
	}
	return source + fmt.Sprintf("  |> filter(fn: (r) => r._measurement == %q and r._field == %q%s)\n", measurement, field, where) + d.chosen() + more
}

// A colour of each kind of annotation.
var annotationKinds = []struct{ kind, name, colour string }{
	{KindPhase, "phases", "blue"}, {KindRound, "rounds", "green"}, {KindOutage, "outages", "red"},
}

func (d Dashboard) annotations() []any {
	var list []any
	for _, k := range annotationKinds {
		query := source + fmt.Sprintf("  |> filter(fn: (r) => r._measurement == %q and r.kind == %q)\n", MeasurementAnnotation, k.kind) +
			`  |> filter(fn: (r) => r._field == "title" or r._field == "text" or r._field == "end_nanoseconds")
` + d.chosen() + `  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({_time: r._time, timeEnd: time(v: r.end_nanoseconds), title: r.title, text: r.text, tags: r.phase}))
`
		list = append(list, object{
			"name": k.name, "enable": true, "iconColor": k.colour, "datasource": dataSource,
			"target": object{"refId": "A", "query": query},
			"mappings": object{
				"time": object{"source": "field", "value": "_time"}, "timeEnd": object{"source": "field", "value": "timeEnd"},
				"title": object{"source": "field", "value": "title"}, "text": object{"source": "field", "value": "text"},
				"tags": object{"source": "field", "value": "tags"},
			},
		})
	}
	return list
}
