package influx

import (
	"fmt"
	"virtscope/results"
)

func (d Dashboard) panels() []any {
	bytes, seconds, perSecond := valueFields[results.Bytes], valueFields[results.Seconds], valueFields[results.BytesPerSecond]
	forward := `r.dir == "forward"`
	list := []any{
		overBins("Throughput on the link: mean of each window, idle time included", "Bps",
			d.records(results.FlowBytes, bytes, "", curveOf("frames", "flow", "dir").throughput()),
			d.records(results.FlowPayload, bytes, "", curveOf("payload", "flow", "dir").throughput())),
		overBins("Dirty rate against link rate", "Bps",
			d.counter(results.GuestDirtied, bytes, "", theGuest.rate()+theGuest.named()),
			// QEMU says 0 until it has computed a rate.
			d.records(results.MigrationDirtyRate, perSecond, "r._value > 0.0", curveOf("the hypervisor says: dirtied", "guest", "host").by("median")),
			d.records(results.MigrationRate, perSecond, "r._value > 0.0", curveOf("the hypervisor says: sent", "guest", "host").by("median")),
			d.records(results.FlowPayload, bytes, `r.flow == "migration" and `+forward, curveOf("payload of the migration").throughput())),
		graph("Echo: round trip", "s",
			d.records(results.EchoRTT, seconds, "", curveOf("longest").by("max")),
			d.records(results.EchoRTT, seconds, "", curveOf("median").by("median"))),
		graph("Echo: probes without an answer", "short",
			d.records(results.EchoLost, fieldTrial, "", curveOf("lost").by("count"))),
		graph("CPU of the machine", "short",
			d.counter(results.HostCPU, seconds, `(r.mode == "user" or r.mode == "system" or r.mode == "iowait")`, modes.rate()+modes.named())),
		graph("Steal: CPU time that the machine did not get", "short",
			d.counter(results.HostCPU, seconds, `r.mode == "steal"`, modes.rate()+modes.named())),
		graph("Steps that the guest's ticker missed", "s",
			d.records(results.GuestTickMiss, seconds, "", curveOf("longest step", "host", "guest").by("max"))),
		// Of several of one role the busiest: a sum would lack those without a sample in a window.
		graph("CPU of the busiest hypervisor", "short",
			d.counter(results.ProcessCPU, seconds, "", processes.rate(pidField)+processes.highestOf(), pidField)),
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

// Curves of counters.
var (
	theGuest  = curveOf("the guest dirties", "guest", "host")
	modes     = curveOf("CPUs", "mode", "host")
	processes = curveOf("CPUs", "process", "host")
)

// counter is a query of a counter, and of the fields of also, within one value of which it goes on; more is what follows.
func (d Dashboard) counter(measurement, field, where, more string, also ...string) string {
	fields := fmt.Sprintf("r._field == %q", field)
	for _, f := range append([]string{fieldTrial, fieldAttempt}, also...) {
		fields += fmt.Sprintf(" or r._field == %q", f)
	}
	if where != "" {
		where = " and " + where
	}
	return source + fmt.Sprintf("  |> filter(fn: (r) => r._measurement == %q and (%s)%s)\n", measurement, fields, where) + d.chosen() + steps(field) + more
}

// overBins is a graph of throughput. Its windows are longer than bins (10 ms), whose bytes would else all fall into one that is shorter.
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
