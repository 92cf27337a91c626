package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The palette of Okabe and Ito (Color Universal Design, 2008), which colour-blind readers tell apart.
var (
	black   = color.NRGBA{A: 255}
	orange  = color.NRGBA{R: 0xE6, G: 0x9F, A: 255}
	sky     = color.NRGBA{R: 0x56, G: 0xB4, B: 0xE9, A: 255}
	green   = color.NRGBA{G: 0x9E, B: 0x73, A: 255}
	blue    = color.NRGBA{G: 0x72, B: 0xB2, A: 255}
	red     = color.NRGBA{R: 0xD5, G: 0x5E, A: 255}
	yellow  = color.NRGBA{R: 0xF0, G: 0xE4, B: 0x42, A: 255}
	purple  = color.NRGBA{R: 0xCC, G: 0x79, B: 0xA7, A: 255}
	grey    = color.NRGBA{R: 0x80, G: 0x80, B: 0x80, A: 255}
	pale    = color.NRGBA{R: 0xDD, G: 0xDD, B: 0xDD, A: 255}
	nothing = color.NRGBA{}
)

func faded(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

// columnWidth is one column of a printed page.
const columnWidth = 84 * vg.Millimeter

// Sizes of text: none is smaller than 7 points in print.
const (
	smallText  = vg.Length(7)
	normalText = vg.Length(8)
)

func textStyle(size vg.Length) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	return draw.TextStyle{Color: black, Font: f, Handler: plot.DefaultTextHandler}
}

// newPlot is an empty plot in the report's style.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nothing
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = textStyle(normalText).Font
		a.Tick.Label.Font = textStyle(smallText).Font
		a.Width, a.Tick.Width = 0.5, 0.5
		a.Tick.Length = 3
		a.Padding = 2
		a.Label.Padding = 2
	}
	return p
}

// ticks puts some five labelled ticks at round values.
func ticks(lo, hi float64) []plot.Tick {
	if !(hi > lo) {
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 3, 64)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, f := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*f) <= 6 {
			step *= f
			break
		}
	}
	d := int(max(0, -math.Floor(math.Log10(step)+1e-9)))
	var list []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+step*1e-9; i++ {
		list = append(list, plot.Tick{Value: i * step, Label: minus(strconv.FormatFloat(i*step+0, 'f', d, 64))})
	}
	return list
}

// minus writes a negative number with a minus sign, which a hyphen is not.
func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// timeLogTicks labels the decades of a time in s with a unit, and marks 2 and 5 between them.
func timeLogTicks(lo, hi float64) []plot.Tick {
	var list []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, f := range []float64{1, 2, 5} {
			v := f * math.Pow(10, e)
			if v < lo*0.999 || v > hi*1.001 {
				continue
			}
			t := plot.Tick{Value: v}
			if f == 1 {
				t.Label = timeLabel(v)
			}
			list = append(list, t)
		}
	}
	return list
}

func timeLabel(s float64) string {
	switch {
	case s >= 0.999:
		return fmt.Sprintf("%.0f s", s)
	case s >= 0.999e-3:
		return fmt.Sprintf("%.0f ms", s*1e3)
	case s >= 0.999e-6:
		return fmt.Sprintf("%.0f µs", s*1e6)
	}
	return fmt.Sprintf("%.0f ns", s*1e9)
}

// A key is one entry of a legend.
type key struct {
	label string
	color color.NRGBA
	// second is the colour of the right half of the patch, if it has two.
	second color.NRGBA
	line   bool // a line, not a patch
	dash   []vg.Length
	glyph  draw.GlyphDrawer
}

// legend writes keys in rows at the top of c and returns what is left of c beneath.
func legend(c draw.Canvas, keys []key) draw.Canvas {
	const space, row = vg.Length(8), vg.Length(9.5)
	sty := textStyle(smallText)
	sty.YAlign = -0.5
	x, y := c.Min.X+2, c.Max.Y-row/2
	for _, k := range keys {
		swatch := vg.Length(9)
		if k.line && k.dash != nil {
			swatch = 18 // the dashes must show
		}
		k.label = fit(sty, k.label, c.Max.X-c.Min.X-swatch-6)
		width := swatch + 3 + sty.Width(k.label)
		if x+width > c.Max.X && x > c.Min.X+2 {
			x, y = c.Min.X+2, y-row
		}
		drawKey(c, k, x, y, swatch)
		c.FillText(sty, vg.Point{X: x + swatch + 3, Y: y}, k.label)
		x += width + space
	}
	return draw.Crop(c, 0, 0, 0, y-row/2-3-c.Max.Y)
}

func drawKey(c draw.Canvas, k key, x, y, swatch vg.Length) {
	switch {
	case k.glyph != nil:
		if k.line {
			c.StrokeLine2(draw.LineStyle{Color: k.color, Width: 1, Dashes: k.dash}, x, y, x+swatch, y)
		}
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: k.color, Radius: 2, Shape: k.glyph}, vg.Point{X: x + swatch/2, Y: y})
	case k.line:
		c.StrokeLine2(draw.LineStyle{Color: k.color, Width: 1, Dashes: k.dash}, x, y, x+swatch, y)
	default:
		c.FillPolygon(k.color, box(x, y-2.5, x+swatch, y+2.5))
		if k.second != nothing {
			c.FillPolygon(k.second, box(x+swatch/2, y-2.5, x+swatch, y+2.5))
		}
	}
}

func box(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// fit shortens s until it is at most width wide.
func fit(sty draw.TextStyle, s string, width vg.Length) string {
	if sty.Width(s) <= width {
		return s
	}
	runes := []rune(strings.TrimSpace(s))
	for len(runes) > 1 && sty.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
