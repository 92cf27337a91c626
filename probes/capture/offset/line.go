package offset

import (
	"cmp"
	"math"
	"slices"
)

// A point is a difference tB − tA in ns at a time in s.
type point struct{ x, y float64 }

// bounds are what a line must not cross: it is below the points of above and above those of below.
type bounds struct{ above, below []point }

// slopes is MaxDrift in ns per second.
const slopes = MaxDrift * 1e9

// slack is what a line may miss by, in ns, for the rounding of the arithmetic.
const slack = 1

// newBounds keeps the points that matter: the convex hulls of either side.
func newBounds(above, below []point) bounds {
	return bounds{lowerHull(above), mirrored(lowerHull(mirrored(below)))}
}

// mirrored turns points upside down.
func mirrored(points []point) []point {
	m := make([]point, len(points))
	for i, p := range points {
		m[i] = point{p.x, -p.y}
	}
	return m
}

// lowerHull is the lower convex hull, from left to right (A. M. Andrew: Another Efficient Algorithm for Convex Hulls in
// Two Dimensions, 1979).
func lowerHull(points []point) []point {
	sorted := slices.SortedFunc(slices.Values(points), func(p, q point) int {
		return cmp.Or(cmp.Compare(p.x, q.x), cmp.Compare(p.y, q.y))
	})
	var hull []point
	for _, p := range sorted {
		for n := len(hull); n >= 2 && turn(hull[n-2], hull[n-1], p) <= 0; n = len(hull) {
			hull = hull[:n-1]
		}
		hull = append(hull, p)
	}
	return hull
}

// turn is positive if the way from a over b to c turns left.
func turn(a, b, c point) float64 { return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x) }

// highest is where the highest line of a slope below all points of above meets x = 0; lowest is its counterpart.
func (b bounds) highest(slope float64) float64 {
	v := math.Inf(1)
	for _, p := range b.above {
		v = min(v, p.y-slope*p.x)
	}
	return v
}

func (b bounds) lowest(slope float64) float64 {
	v := math.Inf(-1)
	for _, p := range b.below {
		v = max(v, p.y-slope*p.x)
	}
	return v
}

// room is how far apart those two are: not negative if a line of the slope fits. It is a concave function of the slope.
func (b bounds) room(slope float64) float64 { return b.highest(slope) - b.lowest(slope) }

// slopes gives the slopes from least to most of all lines that fit. It is false if there are none.
func (b bounds) slopes() (least, most float64, ok bool) {
	best := peak(-slopes, slopes, b.room)
	fits := func(slope float64) bool { return b.room(slope) >= -slack }
	if !fits(best) {
		return 0, 0, false
	}
	return border(best, -slopes, fits), border(best, slopes, fits), true
}

// at gives the least and the greatest value at x of all lines with slopes in a range that fit.
func (b bounds) at(x, least, most float64) (low, high float64) {
	highest := func(slope float64) float64 { return b.highest(slope) + slope*x }
	lowest := func(slope float64) float64 { return -b.lowest(slope) - slope*x }
	return -lowest(peak(least, most, lowest)) - slack, highest(peak(least, most, highest)) + slack
}

// peak finds where a concave function is greatest.
func peak(from, to float64, f func(float64) float64) float64 {
	for range 200 { // each step leaves two thirds
		left, right := from+(to-from)/3, to-(to-from)/3
		if f(left) < f(right) {
			from = left
		} else {
			to = right
		}
	}
	return (from + to) / 2
}

// border finds the last place between inside, which is good, and outside.
func border(inside, outside float64, good func(float64) bool) float64 {
	if good(outside) {
		return outside
	}
	for range 100 {
		middle := (inside + outside) / 2
		if good(middle) {
			inside = middle
		} else {
			outside = middle
		}
	}
	return inside
}
