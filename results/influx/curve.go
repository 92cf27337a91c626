package influx

import (
	"fmt"
	"strings"
)

// A curve is one line of a graph for each value of some tags. Series that differ in other tags are joined before anything is computed of them, so that a
// window has one point. Points stand at the begin of their windows.
type curve struct {
	name string
	tags []string
}

func curveOf(name string, tags ...string) curve { return curve{name, tags} }

// columns are those by which the curve's tables are told apart.
func (c curve) columns(more ...string) string {
	var list []string
	for _, t := range append(more, c.tags...) {
		list = append(list, fmt.Sprintf("%q", t))
	}
	return strings.Join(list, ", ")
}

// joined makes one table of each line, by time.
func (c curve) joined(more ...string) string {
	return fmt.Sprintf("  |> group(columns: [%s])\n  |> sort(columns: [\"_time\"])\n", c.columns(append([]string{"_start", "_stop"}, more...)...))
}

// named ends a query.
func (c curve) named() string {
	return fmt.Sprintf("  |> set(key: \"name\", value: %q)\n  |> group(columns: [%s])\n  |> sort(columns: [\"_time\"])\n  |> keep(columns: [%s])\n",
		c.name, c.columns("name"), c.columns("_time", "_value", "name"))
}

// by is one number of each window that has samples: count, max or median of them.
func (c curve) by(function string) string {
	return c.joined() + fmt.Sprintf("  |> aggregateWindow(every: v.windowPeriod, fn: %s, timeSrc: \"_start\", createEmpty: false)\n", function) + c.named()
}

// ofWindows ends what each window was made one row of.
const ofWindows = `  |> duplicate(column: "_start", as: "_time")
  |> window(every: inf)
`

// throughput is what bins sum up to in a window, over its length. A window without a bin has none, and nothing passed in it; one that the graph's range cuts
// has none either, as bins may be missing that are of it.
func (c curve) throughput() string {
	return c.joined() + `  |> window(every: v.windowPeriod)
  |> filter(fn: (r) => int(v: r._stop) - int(v: r._start) == int(v: v.windowPeriod))
  |> sum()
  |> map(fn: (r) => ({r with _value: r._value * 1000000000.0 / float(v: int(v: v.windowPeriod))}))
` + ofWindows + c.named()
}

// steps are by how much a counter grows from sample to sample, and in how many ns. A counter begins anew with each trial, and with each process: steps are
// taken within one attempt and one value of the other fields of the query; what goes down meanwhile is none. What was read together, some ns apart, makes
// small steps in no time, and together with the others the right rate; but not what was read together first, which grew in a time that nobody saw.
func steps(field string) string {
	return fmt.Sprintf(`  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> rename(columns: {%s: "_value"})
  |> group(columns: ["_time", "_value"], mode: "except")
  |> sort(columns: ["_time"])
  |> map(fn: (r) => ({r with ns: int(v: r._time)}))
  |> difference(columns: ["_value", "ns"])
  |> duplicate(column: "ns", as: "since")
  |> cumulativeSum(columns: ["since"])
  |> filter(fn: (r) => r.since >= 1000000 and r._value >= 0.0)
`, field)
}

// rate is by how much steps that end in a window grew, over the time that they took; less than a millisecond, of what was read together, gives none.
func (c curve) rate(more ...string) string {
	return c.joined(more...) + `  |> window(every: v.windowPeriod)
  |> reduce(fn: (r, accumulator) => ({grown: accumulator.grown + r._value, took: accumulator.took + r.ns}), identity: {grown: 0.0, took: 0})
  |> filter(fn: (r) => r.took >= 1000000)
  |> map(fn: (r) => ({r with _value: r.grown * 1000000000.0 / float(v: r.took)}))
` + ofWindows
}

// highestOf is the highest of several rates at one time, such as those of processes.
func (c curve) highestOf() string {
	return fmt.Sprintf("  |> group(columns: [%s])\n  |> max()\n", c.columns("_time")) + c.named()
}
