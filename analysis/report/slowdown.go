package report

import (
	"fmt"
	"slices"
	"strconv"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
)

// guestsFactor is how many guests a trial starts at once.
const guestsFactor = "action.boot.guests"

// slowdownTitle is of the table of what guests at once cost each other.
const slowdownTitle = "how much slower a start is than with the fewest guests"

// slowdown before a metric's name stands for its median over that of the treatment with the fewest guests.
const slowdown = "slowdown:"

// slowdownColumns are the time of a start and its phases; none where the number of guests is no factor.
func slowdownColumns(groups []group) []column {
	if !slices.ContainsFunc(groups, func(g group) bool { return g.fewest != nil && g.fewest.name != g.name }) {
		return nil
	}
	times := []column{{"arrival to", "ready, median", metric.DeployReady50}, {"spawn to", "ready", metric.BootTotal}}
	list := some(groups, slices.Concat(times, startColumns))
	list = slices.DeleteFunc(list, func(c column) bool { return c.metric == metric.BootPhase+timeline.Unattributed })
	for i := range list {
		list[i].metric = slowdown + list[i].metric
	}
	return list
}

// fewest finds for each treatment the one with the fewest guests whose other levels are the same.
func fewest(list []group) {
	least := map[string]group{}
	for _, g := range list {
		if n, rest, ok := g.guests(); ok {
			if m, _, there := least[rest].guests(); !there || n < m {
				least[rest] = g
			}
		}
	}
	for i := range list {
		if _, rest, ok := list[i].guests(); ok {
			g := least[rest]
			list[i].fewest = &g
		}
	}
}

// guests is how many a treatment starts, and its other levels; ok is false if that is no factor.
func (g group) guests() (n int, rest string, ok bool) {
	for _, l := range g.levels {
		if l.Factor != guestsFactor {
			rest += l.Factor + "=" + l.Value + "\n"
			continue
		}
		v, err := strconv.Atoi(l.Value)
		n, ok = v, err == nil
	}
	return n, rest, ok
}

// slowdown is a metric's median over that of the treatment with the fewest guests. The spread of both stands in their own tables.
func (g group) slowdown(name string) cell {
	if g.fewest == nil || g.absent(name) {
		return cell{}
	}
	few := g.fewest
	a, b := g.summary(name), few.summary(name)
	switch {
	case a.Known == 0:
		return g.cell(name)
	case b.Known == 0:
		return cell{Median: "—", Note: fmt.Sprintf("%s: %s", few.name, few.cell(name).Note)}
	case b.Median.AtLeast:
		return cell{Median: "—", Note: few.name + ": of the median only a least value is known"}
	case b.Median.Value <= 0:
		return cell{Median: "—", Note: few.name + ": the median is 0"}
	}
	v, decimals := a.Median.Value/b.Median.Value, 1
	if v < 10 {
		decimals = 2
	}
	return cell{Median: a.Median.Mark() + quantity.Fixed(v, 1, decimals, a.Median.Side(quantity.Nearest)) + "×", Note: g.missing(name)}
}
