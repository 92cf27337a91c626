package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"virtscope/analysis/stream"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	// captureWidth is the width of a capture's figure: 1890 pixels of a PNG.
	captureWidth    = 160 * vg.Millimeter
	migrationHeight = 92 * vg.Millimeter
	// mostDrawn is how many migrations a figure holds; a PNG of more is too tall to read.
	mostDrawn = 12
)

// PlotCapture draws the migrations of a capture, one beneath the other, into a file that ends in .png (300 dpi), .svg or .pdf: the
// throughput with stages and rounds, the outage, and what each round sent once more. It is an error if there is no migration.
func PlotCapture(c *stream.Capture, path string) error {
	f, err := captureFigure(c)
	if err != nil {
		return fmt.Errorf("draw %s: %w", path, err)
	}
	formats := map[string]func(io.Writer) error{".png": f.WritePNG, ".svg": f.WriteSVG, ".pdf": f.WritePDF}
	write, ok := formats[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return fmt.Errorf("draw %s: no such format: end its name in .png, .svg or .pdf", path)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("draw %s: %w", path, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write figure: %w", err)
	}
	return nil
}

func captureFigure(c *stream.Capture) (Figure, error) {
	n := len(c.Migrations)
	switch {
	case n == 0:
		return Figure{}, errors.New("there is no migration in the capture")
	case n > mostDrawn:
		return Figure{}, fmt.Errorf("there are %d migrations, and a figure holds %d: cut the capture by time or port", n, mostDrawn)
	}
	return Figure{
		Name: "capture", Title: "Migrations on the wire", width: captureWidth, height: vg.Length(n) * migrationHeight,
		draw: func(canvas draw.Canvas) {
			for i := range c.Migrations {
				top := canvas.Max.Y - vg.Length(i)*migrationHeight
				part := canvas
				part.Rectangle = vg.Rectangle{Min: vg.Point{X: canvas.Min.X, Y: max(canvas.Min.Y, top-migrationHeight+4)}, Max: vg.Point{X: canvas.Max.X, Y: top}}
				newMigrationChart(c, &c.Migrations[i]).draw(part)
			}
		},
	}, nil
}
