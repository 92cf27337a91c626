package report

import (
	"math"
	"slices"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot/plotter"
)

// meanWidth is over how long the throughput is averaged, in s. Captures see super-frames of up to 64 KiB: in a bin of
// 1 ms at 50 MiB/s there is one or none, and a line through such bins is a solid band.
const meanWidth = 0.04

// means averages a series over blocks of about width s, and returns the line's corners: a mean is a step, not a slope.
// No block crosses a cut, or the edge of a silence of half a width or more: what was sent before an edge is not
// drawn after it. Blocks are therefore between two thirds and three halves of width long, and shorter between near edges.
func means(points []timeline.Point, cuts []float64, width float64) plotter.XYs {
	step := points[1].T - points[0].T
	edges := silences(points, int(math.Ceil(width/2/step)))
	for _, c := range cuts {
		i := slices.IndexFunc(points, func(p timeline.Point) bool { return p.T-step/2 > c })
		near := func(e int) bool { return math.Abs(float64(e-i))*step < width/2 }
		if i > 0 && !slices.ContainsFunc(edges, near) {
			edges = append(edges, i)
		}
	}
	edges = append(edges, 0, len(points))
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var line plotter.XYs
	for i := 1; i < len(edges); i++ {
		from, n := edges[i-1], edges[i]-edges[i-1]
		blocks := min(n, max(1, int(math.Round(float64(n)*step/width))))
		for b := range blocks {
			lo, hi := from+n*b/blocks, from+n*(b+1)/blocks
			var sum float64
			for _, p := range points[lo:hi] {
				sum += p.V
			}
			mean := sum / float64(hi-lo)
			line = append(line, plotter.XY{X: points[lo].T - step, Y: mean}, plotter.XY{X: points[hi-1].T, Y: mean})
		}
	}
	return line
}

// silences lists where runs of at least n zeros begin and end, and where the first payload begins and the last ends.
func silences(points []timeline.Point, n int) []int {
	var edges []int
	for i := 0; i < len(points); {
		j := i
		for j < len(points) && points[j].V == 0 {
			j++
		}
		if j > i && (j-i >= n || i == 0 || j == len(points)) {
			edges = append(edges, i, j)
		}
		i = j + 1
	}
	return edges
}
