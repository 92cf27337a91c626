package report

import (
	"regexp"
	"strconv"
	"time"
	"virtscope/results"
)

// levelPattern splits an amount or a rate from its unit.
var levelPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([A-Za-z/]*)$`)

// levelUnits are the units in which an experiment writes amounts and rates of data, in B and B/s.
var levelUnits = map[string]float64{
	"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "KiB/s": 1 << 10, "MiB/s": 1 << 20, "GiB/s": 1 << 30,
	"bit/s": 1. / 8, "kbit/s": 1e3 / 8, "Mbit/s": 1e6 / 8, "Gbit/s": 1e9 / 8,
}

// levelValue is a level as a number of B, B/s, s or 1; ok is false if it is none.
func levelValue(level string) (v float64, u results.Unit, ok bool) {
	if v, err := strconv.ParseFloat(level, 64); err == nil && v-v == 0 { // neither infinite nor NaN
		return v, results.One, true
	}
	if m := levelPattern.FindStringSubmatch(level); m != nil {
		if factor, known := levelUnits[m[2]]; known {
			v, err := strconv.ParseFloat(m[1], 64)
			u = results.Bytes
			if m[2][len(m[2])-1] == 's' {
				u = results.BytesPerSecond
			}
			return v * factor, u, err == nil && v*factor-v*factor == 0
		}
	}
	if d, err := time.ParseDuration(level); err == nil {
		return d.Seconds(), results.Seconds, true
	}
	return 0, "", false
}

// levelValues are the levels of a factor as numbers of one unit; nil if they are not. A bare 0 is of any unit.
func levelValues(levels []string) []float64 {
	var list []float64
	var unit results.Unit
	for _, l := range levels {
		v, u, ok := levelValue(l)
		if !ok {
			return nil
		}
		list = append(list, v)
		if v == 0 && u == results.One {
			continue
		}
		if unit != "" && u != unit {
			return nil
		}
		unit = u
	}
	return list
}
