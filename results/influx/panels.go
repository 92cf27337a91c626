package influx

import (
	"fmt"
	"virtscope/results"
)

// What follows a query of samples.
const (
	// Sums of bins over a window, as a rate. A window without a bin has none, and nothing passed in it.
	rateOfBins = `  |> aggregateWindow(every: v.windowPeriod, fn: sum, createEmpty: false)
  |> map(fn: (r) => ({r with _value: r._value * 1000000000.0 / float(v: int(v: v.windowPeriod))}))
`
	highest = `  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)
`
	// One table of all processes of a role, of which highest takes the highest.
	busiest = `  |> group(columns: ["_start", "_stop", "process", "host"])
  |> sort(columns: ["_time"])
`
	average = `  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)
`
	middle = `  |> aggregateWindow(every: v.windowPeriod, fn: median, createEmpty: false)
`
	counted = `  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false)
`
)

// named calls the curves of a query by a text and the tags that tell them apart, and joins those of several trials.
func named(text string, tags ...string) string {
	columns := `"name"`
	for _, t := range tags {
		columns += fmt.Sprintf(", %q", t)
	}
	return fmt.Sprintf("  |> set(key: \"name\", value: %q)\n  |> group(columns: [%s])\n  |> sort(columns: [\"_time\"])\n  |> keep(columns: [\"_time\", \"_value\", %[2]s])\n", text, columns)
}

func (d Dashboard) panels() []any {
	bytes, seconds, perSecond := valueFields[results.Bytes], valueFields[results.Seconds], valueFields[results.BytesPerSecond]
	forward := `r.dir == "forward"`
	list := []any{
		overBins("Throughput on the link", "Bps",
			d.records(results.FlowBytes, bytes, "", rateOfBins+named("frames", "flow", "dir")),
			d.records(results.FlowPayload, bytes, "", rateOfBins+named("payload", "flow", "dir"))),
		overBins("Dirty rate against link rate", "Bps",
			d.counter(results.GuestDirtied, bytes, "", average+named("the guest dirties", "guest", "host")),
			d.records(results.MigrationDirtyRate, perSecond, "", middle+named("the hypervisor says: dirtied", "guest", "host")),
			d.records(results.MigrationRate, perSecond, "", middle+named("the hypervisor says: sent", "guest", "host")),
			d.records(results.FlowPayload, bytes, `r.flow == "migration" and `+forward, rateOfBins+named("payload of the migration"))),
		graph("Echo: round trip", "s",
			d.records(results.EchoRTT, seconds, "", highest+named("longest")),
			d.records(results.EchoRTT, seconds, "", middle+named("median"))),
		graph("Echo: probes without an answer", "short",
			d.records(results.EchoLost, fieldTrial, "", counted+named("lost"))),
		graph("CPU of the machine", "short",
			d.counter(results.HostCPU, seconds, `(r.mode == "user" or r.mode == "system" or r.mode == "iowait")`, average+named("CPUs", "mode", "host"))),
		graph("Steal: CPU time that the machine did not get", "short",
			d.counter(results.HostCPU, seconds, `r.mode == "steal"`, average+named("CPUs", "mode", "host"))),
		graph("Steps that the guest's ticker missed", "s",
			d.records(results.GuestTickMiss, seconds, "", highest+named("longest step", "host", "guest"))),
		// Of several of one role the busiest: a sum would lack those without a sample in a window.
		graph("CPU of the busiest hypervisor", "short",
			d.counter(results.ProcessCPU, seconds, "", busiest+highest+named("CPUs", "process", "host"), pidField)),
		d.table("Downtime by treatment"),
	}
	const width, height = 12, 8
	for i, p := range list {
		o := p.(object)
		o["id"] = i + 1
		w, x := width, width*(i%2)
		if i == len(list)-1 {
			w, x = 2*width, 0
		}
		o["gridPos"] = object{"x": x, "y": height * (i / 2), "w": w, "h": height}
	}
	return list
}

// pidField tells the processes of one role apart, which share a series.
var pidField = string(describe("pid").number)

// counter is the rate of a counter. One begins anew with each trial, and with each process: rates are taken within one attempt, and one value of each field
// of also; what goes down meanwhile is no rate. (Versions of Flux do not agree on what derivative's nonNegative makes of that.)
func (d Dashboard) counter(measurement, field, where, more string, also ...string) string {
	fields := fmt.Sprintf("r._field == %q", field)
	for _, f := range append([]string{fieldTrial, fieldAttempt}, also...) {
		fields += fmt.Sprintf(" or r._field == %q", f)
	}
	if where != "" {
		where = " and " + where
	}
	return source + fmt.Sprintf("  |> filter(fn: (r) => r._measurement == %q and (%s)%s)\n", measurement, fields, where) + d.chosen() +
		fmt.Sprintf(`  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> rename(columns: {%s: "_value"})
  |> group(columns: ["_time", "_value"], mode: "except")
  |> sort(columns: ["_time"])
  |> derivative(unit: 1s)
  |> filter(fn: (r) => r._value >= 0.0)
`, field) + more
}

// overBins is a graph of rateOfBins. Its windows are longer than bins (10 ms), whose bytes would else all fall into one that is shorter.
func overBins(title, unit string, queries ...string) object {
	o := graph(title, unit, queries...)
	o["interval"] = "100ms"
	return o
}

func graph(title, unit string, queries ...string) object {
	return object{
		"title": title, "type": "timeseries", "datasource": dataSource, "targets": targets(queries...),
		"fieldConfig": object{"defaults": object{"unit": unit, "custom": object{"showPoints": "auto", "spanNulls": false}}},
	}
}

func targets(queries ...string) []any {
	var list []any
	for i, q := range queries {
		list = append(list, object{"refId": string(rune('A' + i)), "datasource": dataSource, "query": q})
	}
	return list
}

// table is of trials. Of one that is censored the truth is at least the value, and the column says so.
func (d Dashboard) table(title string) object {
	var keep string
	for i, f := range trialColumns {
		if i > 0 {
			keep += " or "
		}
		keep += fmt.Sprintf("r._field == %q", f)
	}
	query := source + fmt.Sprintf("  |> filter(fn: (r) => r._measurement == %q and (%s))\n", MeasurementTrial, keep) + d.chosen() +
		`  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> drop(columns: ["_start", "_stop", "_measurement", "run", "experiment"])
  |> sort(columns: ["treatment", "_time"])
`
	return object{
		"title": title, "type": "table", "datasource": dataSource, "targets": targets(query),
		"fieldConfig": object{"defaults": object{}, "overrides": []any{
			object{"matcher": object{"id": "byRegexp", "options": "_seconds"}, "properties": []any{object{"id": "unit", "value": "s"}}},
		}},
	}
}

// trialColumns are what the table shows of a trial.
var trialColumns = []string{
	fieldTrial, fieldAttempt, "verdict", "metric_downtime_seconds", "metric_downtime_seconds_low", "metric_downtime_seconds_high", "metric_downtime_censored",
	"metric_downtime_unknown", "metric_blackout.client_seconds", "metric_blackout.client_censored", "metric_total_seconds", "metric_total_censored",
}
