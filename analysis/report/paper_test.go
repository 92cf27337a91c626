package report

import (
	"bytes"
	"strings"
	"testing"
	"virtscope/analysis/published"
)

// A paper's figures stand beside the run's on the page, and its link is one to click: nothing is loaded.
func TestHTMLOfPaper(t *testing.T) {
	r := sample(t)
	r.Paper = published.Paper{Citation: "A. Author, A Paper", Year: 2011, Link: "https://doi.org/10.1/x", Changes: "a smaller guest"}
	r.Published = []published.Row{
		{Name: "downtime", Metric: "downtime", Published: "1 s", Measured: "37.00 ms", Interval: "[30, 44] ms", N: "3", Verdict: published.Disagrees, Source: "table 2"},
		{Name: "energy", Published: "no figure", Measured: "—", Verdict: published.NotJudged, Why: "nothing measures it here", Source: "section 5"},
	}
	var b bytes.Buffer
	if err := WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"Published and measured", "A. Author, A Paper (2011)", `<a href="https://doi.org/10.1/x"`, "Changed here: a smaller guest", "[30, 44] ms",
		"paper: table 2", "nothing measures it here", `href="#paper"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	offline(t, strings.ReplaceAll(page, "https://doi.org/10.1/x", ""))
	keep(t, "paper", r, b.Bytes())
}
