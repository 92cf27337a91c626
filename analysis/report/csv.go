package report

import (
	"io"
	"virtscope/analysis/export"
)

// WriteCSV writes tidy data: see export.CSV.
func WriteCSV(w io.Writer, r Run) error { return export.CSV(w, r.Dataset(r.Manifest.Run)) }
