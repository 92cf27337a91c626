package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// seriesDashes tell lines apart beside their colours.
var seriesDashes = [][]vg.Length{nil, {4, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}, {8, 3}, {3, 1}, {1, 2.5}, {6, 1.5, 1.5, 1.5, 1.5, 1.5}}

// A look is how one of several is drawn.
type look struct {
	color color.NRGBA
	shape draw.GlyphDrawer
	dash  []vg.Length
}

func lookOf(i int) look {
	s := seriesColors[i%len(seriesColors)]
	return look{s.color, s.shape, seriesDashes[i%len(seriesDashes)]}
}

// A painter draws in a plot's area.
type painter func(c draw.Canvas, p *plot.Plot)

// Plot implements plot.Plotter.
func (f painter) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// categories puts names along x, one a unit from 0 on. Where they are too wide to stand side by side they are slanted.
func categories(p *plot.Plot, names []string, area vg.Length) {
	sty := textStyle(smallText)
	var list []plot.Tick
	var widest vg.Length
	for i, name := range names {
		name = fit(sty, name, 24*vg.Millimeter)
		widest = max(widest, sty.Width(name))
		list = append(list, plot.Tick{Value: float64(i), Label: name})
	}
	p.X.Tick.Marker = plot.ConstantTicks(list)
	p.X.Tick.Width, p.X.Tick.Length = 0, 0
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
	if widest+3 > area/vg.Length(max(len(names), 1)) {
		p.X.Tick.Label.Rotation = math.Pi / 5
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YTop
	}
}

// plotArea is about how wide a plot's area is in a figure of one column.
const plotArea = columnWidth - 14*vg.Millimeter

// byKeys are the legend of a factor in colours.
func (c chart) byKeys(line bool) []key {
	if c.by == nil {
		return nil
	}
	var keys []key
	for i, level := range c.by.levels {
		if !slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.by == i }) {
			continue
		}
		l := lookOf(i)
		keys = append(keys, key{label: level, color: l.color, glyph: l.shape, line: line, dash: l.dash})
	}
	return keys
}

// titled is the figure's title.
func (c chart) titled() string {
	s := capital(c.title)
	switch {
	case c.x != nil && c.by != nil:
		return s + " by " + shortName(c.x.path) + " and " + shortName(c.by.path)
	case c.x != nil:
		return s + " by " + shortName(c.x.path)
	case c.by != nil:
		return s + " by " + shortName(c.by.path)
	}
	return s + " by treatment"
}

// shown is what a caption says of the factors.
func (c chart) shown() string {
	s := ""
	if c.x != nil {
		s = " by " + c.x.path
	}
	if c.by != nil {
		s += ", in colours by " + c.by.path
	}
	return s
}

// intervalNote says how many of the rows have an interval of the median, or why some have none.
func intervalNote(rows []chartRow) string {
	var without, whys []string
	with := 0
	for _, r := range rows {
		switch {
		case r.summary.Known == 0:
		case r.summary.MedianInterval.Known:
			with++
		default:
			without = append(without, r.name)
			if why := r.summary.MedianInterval.Why; !slices.Contains(whys, why) {
				whys = append(whys, why)
			}
		}
	}
	text := fmt.Sprintf("%g %% interval of the median (order statistics, of at least that confidence)", Confidence*100)
	why := strings.Join(whys, "; ")
	switch {
	case len(without) == 0:
		return capital("intervals: " + text + ".")
	case with == 0:
		return "No interval is drawn: " + why + "."
	}
	return fmt.Sprintf("Intervals: %s. There is none of %s: %s.", text, strings.Join(without, "; "), why)
}

// lackNote says where trials that count have no value, or one that is a lower bound.
func lackNote(rows []chartRow) string {
	var lack, more, failed []string
	for _, r := range rows {
		if n := r.unknown(); n > 0 {
			lack = append(lack, fmt.Sprintf("%s (%d of %d)", r.name, n, r.summary.N))
		}
		if n := r.summary.Censored; n > 0 {
			more = append(more, fmt.Sprintf("%s (%d of %d)", r.name, n, r.summary.N))
		}
	}
	for _, r := range rows {
		if n := r.failed - r.summary.Censored - r.unknown(); n > 0 {
			failed = append(failed, fmt.Sprintf("%s (%d of %d)", r.name, n, r.summary.N))
		}
	}
	s := ""
	if len(failed) > 0 {
		s += " Failed, and drawn with the value that they had: " + strings.Join(failed, "; ") + "."
	}
	if len(more) > 0 {
		s += " Larger than drawn, because the trial failed or was not seen to end: " + strings.Join(more, "; ") + "."
	}
	if len(lack) > 0 {
		s += " Trials without a value, which are not drawn: " + strings.Join(lack, "; ") + "."
	}
	return s
}

// note is for the end of a caption.
func (a valueAxis) note() string {
	if a.log {
		return " The scale is logarithmic."
	}
	return ""
}

// counts are the numbers of trials with a value, such as "n = 5" or "n = 4 to 5".
func counts(rows []chartRow) string {
	least, most := math.MaxInt, 0
	for _, r := range rows {
		least, most = min(least, r.summary.Known), max(most, r.summary.Known)
	}
	if least == most {
		return fmt.Sprintf("n = %d a treatment", most)
	}
	return fmt.Sprintf("n = %d to %d a treatment", least, most)
}

// values are all that must lie on an axis: data, and the ends of intervals.
func values(rows []chartRow) []float64 {
	var list []float64
	for _, r := range rows {
		for _, d := range r.known() {
			list = append(list, d.Value)
		}
	}
	return list
}
