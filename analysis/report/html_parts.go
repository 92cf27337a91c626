package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"virtscope/results"
)

// lazyFrom is above how many trials a page builds a trial's section only when it is opened: all of a thousand would take a browser seconds.
const lazyFrom = 40

func pageTemplate() (*template.Template, error) {
	t, err := template.New("report.html.tmpl").Funcs(template.FuncMap{"capital": capital}).ParseFS(files, "report.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("write html report: %w", err)
	}
	return t, nil
}

// pack compresses the trials' sections where there are many.
func (p *page) pack() error {
	if p.Lazy = len(p.Trials) > lazyFrom; !p.Lazy {
		return nil
	}
	t, err := pageTemplate()
	if err != nil {
		return err
	}
	for i := range p.Trials {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if err := errors.Join(t.ExecuteTemplate(z, "trial", p.Trials[i]), z.Close()); err != nil {
			return err
		}
		p.Trials[i].Packed = base64.URLEncoding.EncodeToString(b.Bytes())
	}
	return nil
}

// scripts fills in the viewer's library, with its licence, and the page's own script.
func (p *page) scripts() error {
	licence, err := assets.ReadFile("assets/LICENSE.uPlot")
	if err != nil {
		return fmt.Errorf("read asset: %w", err)
	}
	for name, set := range map[string]func(string){
		"uplot.iife.min.js": func(s string) { p.Library = template.JS("/* uPlot 1.6.32. " + string(licence) + "*/\n" + s) }, //nolint:gosec // bundled
		"viewer.js":         func(s string) { p.Viewer = template.JS(s) },                                                   //nolint:gosec // bundled
		"report.js":         func(s string) { p.Script = template.JS(s) },                                                   //nolint:gosec // bundled
		"uplot.min.css":     func(s string) { p.LibraryCSS = template.CSS(s) },                                              //nolint:gosec // bundled
	} {
		s, err := asset(name)
		if err != nil {
			return err
		}
		set(s)
	}
	return nil
}

// trialFacts are what was found at run time, each once, with the trials that it is of.
func trialFacts(r Run) [][3]string {
	of := map[results.Fact][]string{}
	var order []results.Fact
	for _, t := range r.Trials {
		for _, f := range t.Outcome.Facts {
			if of[f] == nil {
				order = append(order, f)
			}
			of[f] = append(of[f], t.Outcome.Trial.ID)
		}
	}
	var rows [][3]string
	for _, f := range order {
		who := "all trials"
		switch n := len(of[f]); {
		case n == 1:
			who = "trial " + of[f][0]
		case n < len(r.Trials):
			who = fmt.Sprintf("%d trials, the first %s", n, of[f][0])
		}
		rows = append(rows, [3]string{who + ": " + f.Subject, f.Name, f.Value})
	}
	return rows
}
