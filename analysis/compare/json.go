package compare

import (
	"encoding/json"
	"io"
	"math"
	"virtscope/analysis/stats"
)

type jsonResult struct {
	Base     string    `json:"base"`
	Head     string    `json:"head"`
	Alpha    float64   `json:"alpha"`
	Family   int       `json:"family"`
	Look     int       `json:"look,omitempty"`
	Looks    int       `json:"looks,omitempty"`
	Total    float64   `json:"alpha_all_looks,omitempty"`
	Answer   string    `json:"answer"`
	Rows     []jsonRow `json:"rows"`
	OnlyBase []string  `json:"only_base,omitempty"`
	OnlyHead []string  `json:"only_head,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
}

// What is not known is null.
type jsonRow struct {
	Treatment string      `json:"treatment"`
	Metric    string      `json:"metric"`
	Unit      string      `json:"unit"`
	Verdict   Verdict     `json:"verdict"`
	Why       string      `json:"why,omitempty"`
	Base      jsonSide    `json:"base"`
	Head      jsonSide    `json:"head"`
	Shift     *jsonEffect `json:"shift"`
	Ratio     *jsonEffect `json:"ratio"`
	Delta     *jsonEffect `json:"cliffs_delta"`
	P         *float64    `json:"p"`
	Floor     *float64    `json:"floor"`
	Tests     []jsonTest  `json:"tests,omitempty"`
}

// A jsonTest is a test with null for what was not computed.
type jsonTest struct {
	stats.Test
	Statistic *float64 `json:"statistic"`
	P         *float64 `json:"p"`
}

func testsOf(list []stats.Test) []jsonTest {
	var out []jsonTest
	for _, t := range list {
		j := jsonTest{Test: t}
		if t.Known {
			j.Statistic, j.P = finite(t.Statistic), finite(t.P)
		}
		out = append(out, j)
	}
	return out
}

type jsonSide struct {
	Trials   int      `json:"trials"`
	Known    int      `json:"known"`
	Censored int      `json:"censored"`
	Median   *float64 `json:"median"`
	AtLeast  bool     `json:"at_least,omitempty"`
	Failed   *int     `json:"failed,omitempty"`
}

type jsonEffect struct {
	Value      float64  `json:"value"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Confidence *float64 `json:"confidence"`
	Why        string   `json:"why,omitempty"`
}

// WriteJSON writes the comparison for a program; numbers are in base units.
func WriteJSON(w io.Writer, r Result) error {
	out := jsonResult{
		Base: r.Base, Head: r.Head, Alpha: r.Alpha, Family: r.Family, Answer: r.Answer(), Rows: []jsonRow{},
		OnlyBase: r.OnlyBase, OnlyHead: r.OnlyHead, Notes: r.Notes, Look: r.Look, Looks: r.MostLooks, Total: r.Total,
	}
	for _, row := range r.Rows {
		out.Rows = append(out.Rows, row.json())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}

func (row Row) json() jsonRow {
	j := jsonRow{
		Treatment: row.Treatment, Metric: row.Metric, Unit: string(row.Unit), Verdict: row.Verdict, Why: row.Why,
		Base: side(row.Base), Head: side(row.Head), P: finite(row.P), Floor: finite(row.Floor),
		Shift: effect(row.Shift), Ratio: effect(row.Ratio), Delta: effect(row.Delta), Tests: testsOf(row.Tests),
	}
	if row.Metric == Failures {
		j.Base = jsonSide{Trials: row.BaseTrials, Known: row.BaseTrials, Failed: &row.BaseFailed}
		j.Head = jsonSide{Trials: row.HeadTrials, Known: row.HeadTrials, Failed: &row.HeadFailed}
		j.Shift, j.Ratio, j.Delta, j.Floor = nil, nil, nil, nil
		if row.Decides.Known {
			j.Tests = testsOf([]stats.Test{row.Decides})
		}
	}
	return j
}

func side(s stats.Summary) jsonSide {
	j := jsonSide{Trials: s.N, Known: s.Known, Censored: s.Censored}
	if s.Known > 0 {
		j.Median, j.AtLeast = finite(s.Median.Value), s.Median.AtLeast
	}
	return j
}

func effect(e stats.Effect) *jsonEffect {
	if !e.Known {
		return nil
	}
	j := &jsonEffect{Value: e.Value, Why: e.Why}
	if e.Confidence > 0 {
		j.Low, j.High, j.Confidence = finite(e.Low), finite(e.High), finite(e.Confidence)
	}
	return j
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
