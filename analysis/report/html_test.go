package report

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"virtscope/results"
)

func TestHTML(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	if *figures != "" {
		if err := os.WriteFile(filepath.Join(*figures, "report.html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page := b.String()
	for _, want := range []string{
		r.Manifest.Question, "workload.rate 32MiB/s", "37.00 ms", "002-rate-4MiB-r2", "capture/switch dropped 12 frames", "10.0.2",
		"workload.rate: [4MiB/s, 32MiB/s]", r.Manifest.SpecHash, "noise floor",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if got := strings.Count(page, "<svg"); got != 11 {
		t.Errorf("%d figures, want 11", got)
	}
	offline(t, page)
}

// offline checks that a page loads nothing. Namespaces are names, not places.
func offline(t *testing.T, page string) {
	t.Helper()
	page = strings.ReplaceAll(page, "http://www.w3.org/", "")
	for _, ref := range regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]|src=|<link|@import|url\(`).FindAllString(page, -1) {
		t.Errorf("the report refers to something outside itself: %q", ref)
	}
}

// What an experiment's author writes must not become markup, in a figure either.
func TestHTMLEscapes(t *testing.T) {
	r := sample(t)
	r.Manifest.Question = "<script>alert(1)</script>"
	for i := range r.Trials {
		r.Trials[i].Outcome.Trial.Levels = []results.Level{{Factor: "workload.rate", Value: `<script>alert("2")&amp;</script>`}}
	}
	var b bytes.Buffer
	if err := WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>alert") {
		t.Error("a value became markup")
	}
}

func TestHTMLOfLittle(t *testing.T) {
	r := sample(t)
	lost := r.Trials[1]
	lost.Timeline, lost.Problem = nil, "read records: file is cut off"
	for name, run := range map[string]Run{
		"nothing": {}, "planned": {Manifest: r.Manifest, Planned: 4}, "one": {Trials: r.Trials[:1]},
		"failed": {Trials: r.Trials[5:]}, "no records": {Trials: []Trial{lost}},
	} {
		var b bytes.Buffer
		if err := WriteHTML(&b, run); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := WriteTable(&b, run); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := WriteCSV(&b, run); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(b.String(), "NaN") {
			t.Errorf("%s: the report says NaN", name)
		}
		offline(t, b.String())
	}
}
