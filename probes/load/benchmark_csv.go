package load

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"virtscope/results"
)

// A figure is one number of redis-benchmark's.
type figure struct {
	test, stat string
	value      float64
	unit       results.Unit
}

// columns of redis-benchmark --csv (7.0) by what they are called here.
var columns = []struct {
	name, stat string
	factor     float64
	unit       results.Unit
}{
	{"rps", "rps", 1, results.One},
	{"avg_latency_ms", "mean", 1e-3, results.Seconds},
	{"min_latency_ms", "min", 1e-3, results.Seconds},
	{"p50_latency_ms", "p50", 1e-3, results.Seconds},
	{"p95_latency_ms", "p95", 1e-3, results.Seconds},
	{"p99_latency_ms", "p99", 1e-3, results.Seconds},
	{"max_latency_ms", "max", 1e-3, results.Seconds},
}

// parseBenchmark reads what redis-benchmark --csv prints: a line that names the columns, and a line for each test.
func parseBenchmark(r io.Reader) ([]figure, error) {
	lines := csv.NewReader(r)
	head, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("read redis-benchmark's columns: %w", err)
	}
	test := slices.Index(head, "test")
	if test < 0 {
		return nil, fmt.Errorf("read redis-benchmark's columns: %q has no test: it takes redis-benchmark 6.2 or later", strings.Join(head, ","))
	}
	var figures []figure
	for {
		fields, err := lines.Read()
		if err == io.EOF && len(figures) == 0 {
			return nil, fmt.Errorf("read redis-benchmark's figures: there are none")
		}
		if err == io.EOF {
			return figures, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read redis-benchmark's figures: %w", err)
		}
		for _, c := range columns {
			i := slices.Index(head, c.name)
			if i < 0 {
				return nil, fmt.Errorf("read redis-benchmark's columns: %q has no %s", strings.Join(head, ","), c.name)
			}
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil || !(v >= 0) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("read redis-benchmark's figures: %s of %s is %q", c.name, fields[test], fields[i])
			}
			figures = append(figures, figure{fields[test], c.stat, v * c.factor, c.unit})
		}
	}
}
