package guestperf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"virtscope/results"
)

// A parameter is one thing that a report says it ran with.
type parameter struct{ path, value string }

// units are those of guestperf's parameters (hardware.py, scenario.py).
var units = map[string]string{
	"hardware.mem": "GiB", "scenario.downtime": "ms", "scenario.bandwidth": "MiB/s", "scenario.max_time": "s",
	"scenario.auto_converge_step": "%", "scenario.compression_xbzrle_cache": "%", "scenario.x_vcpu_dirty_limit_period": "ms",
	"scenario.vcpu_dirty_limit": "MB/s",
}

// parameters are those of the hardware and of the scenario, in order of their names. A scenario's own name is none: it is
// written by hand, and does not always say what was run.
func (r *Report) parameters() []parameter {
	var list []parameter
	for _, group := range []struct {
		name   string
		values map[string]any
	}{{"hardware", r.Hardware}, {"scenario", r.Scenario}} {
		for _, key := range slices.Sorted(maps.Keys(group.values)) {
			path := group.name + "." + key
			if path == "scenario.name" {
				continue
			}
			value := text(group.values[key])
			if u := units[path]; u != "" && value != "" {
				value += u
			}
			list = append(list, parameter{clean(path), clean(value)})
		}
	}
	return list
}

// text is a value of JSON as guestperf's command line has it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return number(v)
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, text(x))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}

// Plan makes the trials of reports, in their order: the parameters in which they differ are the factors, and reports that
// differ in none are replicates of one treatment. A parameter that an older guestperf does not write makes no difference by
// itself; where others differ in it, its level is "not given".
func Plan(reports []*Report) ([]results.Factor, []results.Trial) {
	factors := differing(reports)
	replicates := map[string]int{}
	trials := make([]results.Trial, 0, len(reports))
	for i, r := range reports {
		var levels []results.Level
		var names []string
		for _, f := range factors {
			l := results.Level{Factor: f.Path, Value: r.level(f.Path)}
			levels = append(levels, l)
			_, short, _ := strings.Cut(f.Path, ".")
			names = append(names, short+"="+l.Value)
		}
		treatment := strings.Join(names, ",")
		if treatment == "" {
			treatment = "default"
		}
		replicates[treatment]++
		trials = append(trials, results.Trial{
			ID: fmt.Sprintf("%03d-%s-r%d", i+1, slug(treatment), replicates[treatment]), Order: i + 1,
			Treatment: treatment, Levels: levels, Replicate: replicates[treatment],
		})
	}
	return factors, trials
}

const notGiven = "not given"

// level is r's value of a parameter.
func (r *Report) level(path string) string {
	for _, p := range r.parameters() {
		if p.path == path {
			if p.value == "" {
				return notGiven
			}
			return p.value
		}
	}
	return notGiven
}

// differing are the parameters that have several values, with these in the order of the reports.
func differing(reports []*Report) []results.Factor {
	paths := map[string]bool{}
	for _, r := range reports {
		for _, p := range r.parameters() {
			paths[p.path] = true
		}
	}
	var factors []results.Factor
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		var levels []string
		given := 0
		for _, r := range reports {
			l := r.level(path)
			if slices.Contains(levels, l) {
				continue
			}
			levels = append(levels, l)
			if l != notGiven {
				given++
			}
		}
		if given > 1 {
			factors = append(factors, results.Factor{Path: path, Levels: levels})
		}
	}
	return factors
}

// slug is a name in the letters that every file system takes as they are, of at most 60. The order in a trial's ID tells two
// of them apart.
func slug(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
			return c
		}
		return '-'
	}, strings.ReplaceAll(s, "/s", "ps"))
	return strings.Trim(s[:min(len(s), 60)], "-.")
}
