package timeline

import (
	"cmp"
	"slices"
	"virtscope/results"
)

// A Point is a rate over (T − width, T], with T in s since the action began.
type Point struct {
	T float64 `json:"t"`
	V float64 `json:"v"`
}

// A Series is what one figure line needs.
type Series struct {
	Label  string       `json:"label"`
	Host   string       `json:"host,omitempty"`
	Unit   results.Unit `json:"unit"`
	Points []Point      `json:"points"`
}

// maxPoints bounds a series: no figure shows more.
const maxPoints = 1500

// throughput is the payload's rate at the switch over w, in B/s. A step is a whole number of the capture's bins, so that
// each holds equally many of them and a steady flow looks steady. The last step may end after w.
func throughput(f flow, origin int64, w window) Series {
	s := Series{Label: "migration", Unit: results.BytesPerSecond}
	if len(f.bins) == 0 || w.length() <= 0 {
		return s
	}
	one := f.bins[0].to - f.bins[0].from
	step := one * max(1, (w.length()/maxPoints+one)/one)
	sums := make([]float64, w.length()/step+1)
	for _, b := range f.bins {
		mid := b.from + (b.to-b.from)/2
		if i := (mid - w.from) / step; mid >= w.from && i < int64(len(sums)) {
			sums[i] += b.bytes
		}
	}
	for i, sum := range sums {
		s.Points = append(s.Points, Point{seconds(w.from + int64(i+1)*step - origin), sum / seconds(step)})
	}
	return s
}

// cpuSeries lists the CPU rates over w, in cores: each hypervisor process, its vCPU and migration threads, each host.
// Readings that are less than least ns apart are left out, but no growth is.
func (x *index) cpuSeries(origin int64, w window, least int64) []Series {
	var all []Series
	add := func(host, label string, groups map[string][]sample) {
		if s := rates(groups, origin, w, least); len(s) > 0 {
			all = append(all, Series{Label: label, Host: host, Unit: results.One, Points: s})
		}
	}
	for _, role := range []string{roleSource, roleDestination} {
		process := func(r results.Record) string {
			if r.Attrs["process"] != role {
				return ""
			}
			return r.Host + "/" + r.Attrs["pid"]
		}
		thread := func(match func(string) bool) func(results.Record) string {
			return func(r results.Record) string {
				if process(r) == "" || !match(r.Attrs["thread"]) {
					return ""
				}
				return process(r) + "/" + r.Attrs["tid"]
			}
		}
		add("", role, x.counters(results.ProcessCPU, process))
		add("", role+" vCPU", x.counters(results.ThreadCPU, thread(vcpuThread)))
		add("", role+" migration", x.counters(results.ThreadCPU, thread(migrationThread)))
	}
	for _, host := range x.hostsOf(results.HostCPU) {
		add(host, "machine", x.counters(results.HostCPU, func(r results.Record) string {
			// Time in a mode that does no work is not use.
			if r.Host != host || r.Attrs["mode"] == "idle" || r.Attrs["mode"] == "iowait" || r.Attrs["mode"] == "steal" {
				return ""
			}
			return r.Attrs["mode"]
		}))
	}
	return all
}

func (x *index) hostsOf(name string) []string {
	var hosts []string
	for _, r := range x.byName[name] {
		if !slices.Contains(hosts, r.Host) {
			hosts = append(hosts, r.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// rates adds the counters' rates of growth over a common grid: the times at which any of them was read.
func rates(groups map[string][]sample, origin int64, w window, least int64) []Point {
	var grid []int64
	for _, list := range groups {
		for _, s := range list {
			if w.holds(s.at) {
				grid = append(grid, s.at)
			}
		}
	}
	slices.SortFunc(grid, cmp.Compare[int64])
	grid = thin(grid, least)
	var points []Point
	for i := 1; i < len(grid); i++ {
		var grew float64
		for _, list := range groups {
			grew += at(list, grid[i]) - at(list, grid[i-1])
		}
		points = append(points, Point{seconds(grid[i] - origin), max(0, grew) / seconds(grid[i]-grid[i-1])})
	}
	return points
}

// leastStep is how far apart two readings must be: those of one sample differ by µs.
const leastStep = 2_000_000

// drawnStep is the step of what is drawn in print.
func drawnStep(w window) int64 { return max(w.length()/maxPoints, leastStep) }

// thin leaves out times that are too close to the one before: readings of one sample differ by µs.
func thin(grid []int64, least int64) []int64 {
	var kept []int64
	for _, t := range grid {
		if len(kept) == 0 || t-kept[len(kept)-1] >= least {
			kept = append(kept, t)
		}
	}
	return kept
}
