package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"virtscope/analysis/timeline"
)

//go:embed assets
var assets embed.FS

// A pageSeries is a line of the viewer: time in s since the action began, and values in the unit.
type pageSeries struct {
	Label string   `json:"label"`
	Unit  string   `json:"unit"`
	T     []digits `json:"t"`
	V     []digits `json:"v"`
}

// digits is a number that is drawn: five digits are more than a screen shows, and take a third of the page.
type digits float64

// MarshalJSON implements json.Marshaler.
func (d digits) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d), 'g', 5, 64), nil
}

// newSeries are a trial's lines over time.
func newSeries(tl *timeline.Timeline) []pageSeries {
	var list []pageSeries
	for _, s := range append([]timeline.Series{tl.Throughput}, tl.CPU...) {
		if len(s.Points) < 2 {
			continue
		}
		p := pageSeries{Label: strings.TrimSpace(s.Host + " " + s.Label), Unit: string(s.Unit)}
		for _, at := range s.Points {
			p.T, p.V = append(p.T, digits(at.T)), append(p.V, digits(at.V))
		}
		list = append(list, p)
	}
	return list
}

// seriesJSON is what the viewer of a trial reads. Marshal escapes what could end a script.
func seriesJSON(tl *timeline.Timeline) (template.JS, error) {
	list := newSeries(tl)
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("write series: %w", err)
	}
	return template.JS(b), nil //nolint:gosec // escaped by Marshal
}

// banner is a leading comment: its address is no reference, but a page that has none is easier to check.
var banner = regexp.MustCompile(`(?s)^\s*/\*!?.*?\*/`)

func asset(name string) (string, error) {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return "", fmt.Errorf("read asset: %w", err)
	}
	return banner.ReplaceAllString(string(b), ""), nil
}
