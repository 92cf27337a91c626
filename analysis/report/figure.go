package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Figure is a plot of the run, one column of a page wide, or of a capture.
type Figure struct {
	Name    string // file name without extension
	Title   string
	Caption string    // what is drawn, in full sentences
	width   vg.Length // 0 is one column
	height  vg.Length
	draw    func(draw.Canvas)
}

// Figures lists the figures that the run's data allow: none if no trial counts. Of more than 8 treatments, figures of a single
// trial are drawn of 8 only, spread over the design.
func Figures(r Run) []Figure {
	list := runFigures(r)
	chosen, _ := drawn(r.groups())
	for _, s := range trialFigures(chosen) {
		list = append(list, s.figures...)
	}
	return list
}

// runFigures are of all trials.
func runFigures(r Run) []Figure {
	var list []Figure
	for _, f := range kindOf(r.groups()).figures {
		if figure, ok := f(r); ok {
			list = append(list, figure)
		}
	}
	plots, _ := r.plots()
	if len(r.Plots) == 0 {
		list = append(list, without(compareFigures(r), plots, r.headlineName())...)
	}
	return append(list, without(plots, list, "")...)
}

// A trialFigure is a kind of figure of one trial.
type trialFigure struct {
	title string
	draw  func(Trial) []Figure
}

// A figureSet is figures of one kind, each of the typical trial of a treatment.
type figureSet struct {
	title   string
	figures []Figure
}

// trialFigures are what happened over time in the typical trial of each group.
func trialFigures(groups []group) []figureSet {
	one := func(draw func(Trial) (Figure, bool)) func(Trial) []Figure {
		return func(t Trial) []Figure {
			if f, ok := draw(t); ok {
				return []Figure{f}
			}
			return nil
		}
	}
	var list []figureSet
	all := []trialFigure{
		{"What the guest served and did over time", one(serviceFigure)},
		{"Latency over time", latencyFigures},
	}
	for _, f := range kindOf(groups).trialFigures {
		all = append(all, trialFigure{f.title, one(f.draw)})
	}
	for _, kind := range all {
		set := figureSet{title: kind.title}
		for _, g := range groups {
			if t, ok := g.typical(); ok {
				set.figures = append(set.figures, kind.draw(t)...)
			}
		}
		if len(set.figures) > 0 {
			list = append(list, set)
		}
	}
	return list
}

// WriteFigures writes each figure into dir as SVG, PDF and PNG (300 dpi), and returns the paths. The directory must exist.
func WriteFigures(dir string, r Run) ([]string, error) {
	var paths []string
	for _, f := range Figures(r) {
		for _, format := range []struct {
			extension string
			write     func(io.Writer) error
		}{{".svg", f.WriteSVG}, {".pdf", f.WritePDF}, {".png", f.WritePNG}} {
			path := filepath.Join(dir, f.Name+format.extension)
			var b bytes.Buffer
			if err := format.write(&b); err != nil {
				return paths, fmt.Errorf("draw %s: %w", path, err)
			}
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				return paths, fmt.Errorf("write figure: %w", err)
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// svgFonts are what a reader without Liberation Sans may have: first those of the same widths.
const svgFonts = `font-family:'Liberation Sans',Arial,Arimo,Helvetica,'DejaVu Sans Condensed',sans-serif`

// WriteSVG writes the figure as SVG. Its fonts are named, not embedded.
func (f Figure) WriteSVG(w io.Writer) error {
	c := vgsvg.NewWith(vgsvg.UseWH(f.across(), f.height))
	f.paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans"), []byte(svgFonts)))
	return err
}

// WritePDF writes the figure as PDF, fonts embedded.
func (f Figure) WritePDF(w io.Writer) error {
	c := vgpdf.New(f.across(), f.height)
	c.EmbedFonts(true)
	f.paint(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// WritePNG writes the figure as PNG at 300 dpi.
func (f Figure) WritePNG(w io.Writer) error {
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.across(), f.height), vgimg.UseDPI(300))}
	f.paint(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

func (f Figure) across() vg.Length {
	if f.width == 0 {
		return columnWidth
	}
	return f.width
}

func (f Figure) paint(c draw.Canvas) { f.draw(draw.Crop(c, 2, -2, 2, -2)) }
