package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/analysis/stream"
	"virtscope/analysis/stream/streamtest"
	"virtscope/results"
)

var captureRecords = flag.String("records", "", "draw this file of records, one a line, gzipped, beside the samples")

func TestPlot(t *testing.T) {
	dir := *figures
	if dir == "" {
		dir = t.TempDir()
	}
	all := map[string][]results.Record{
		"precopy": streamtest.PreCopy(), "postcopy": streamtest.PostCopy(), "damaged": streamtest.Damaged(), "encrypted": streamtest.Encrypted(),
	}
	if *captureRecords != "" {
		f, err := os.Open(*captureRecords)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if all["records"], err = results.ReadRecords(f); err != nil {
			t.Fatal(err)
		}
	}
	for name, records := range all {
		c, err := stream.Build(records)
		if err != nil {
			t.Fatal(err)
		}
		for extension, magic := range map[string]string{".svg": "<?xml", ".pdf": "%PDF-", ".png": "\x89PNG"} {
			path := filepath.Join(dir, "capture-"+name+extension)
			if err := PlotCapture(c, path); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(b, []byte(magic)) || bytes.Contains(b, []byte("NaN")) {
				t.Errorf("%s begins with %q, or holds NaN", path, b[:min(8, len(b))])
			}
		}
	}
}

func TestPlotRefuses(t *testing.T) {
	empty, err := stream.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	full, err := stream.Build(streamtest.PreCopy())
	if err != nil {
		t.Fatal(err)
	}
	many := &stream.Capture{Migrations: make([]stream.Migration, 13)}
	for _, c := range []struct {
		capture   *stream.Capture
		name, why string
	}{{empty, "a.png", "no migration"}, {full, "a.gif", "end its name in .png"}, {many, "a.png", "holds 12"}} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := PlotCapture(c.capture, path); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", c.name, err, c.why)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was made", c.name)
		}
	}
}

// A difference that bounds do not explain stands out in every form of the report.
func TestPacketDifferences(t *testing.T) {
	r := sample(t)
	if list := r.packetDifferences(); len(list) > 0 {
		t.Errorf("differences in a run without any: %v", list)
	}
	for i := range r.Trials[0].Timeline.Comparisons {
		c := &r.Trials[0].Timeline.Comparisons[i]
		if c.Name == "zero pages" {
			c.Agrees = false
			c.Difference.Value, c.Difference.Low, c.Difference.High = 3, 3, 3
		}
	}
	var md, html bytes.Buffer
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&html, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"≠ +3", r.Trials[0].Outcome.Trial.ID + ": zero pages: packets show"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the Markdown lacks %q", want)
		}
	}
	for _, want := range []string{"≠ &#43;3", packetTitle, "On the wire, against the hypervisor"} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the HTML lacks %q", want)
		}
	}
}
