package influx

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"
)

func testOutcome() results.Outcome {
	trial := testTrial
	trial.Block = "b1"
	return results.Outcome{
		Trial: trial, Attempt: 2, Verdict: results.Failed, Reason: `it did "not"` + "\nconverge", Warnings: []string{"one", "two"},
		Begin: time.Unix(1_795_765_122, 14_357_887).UTC(), End: time.Unix(1_795_765_132, 5).UTC(), Facts: []results.Fact{{Subject: "machine", Name: "cpu", Value: "x"}}, Overhead: -1, Dropped: 3,
	}
}

var testMetrics = []Metric{
	{Name: "downtime", Unit: results.Seconds, Known: true, Value: 0.25, Low: 0.2, High: 0.3},
	{Name: "total", Unit: results.Seconds, Known: true, Censored: true, Value: 9, Low: 9, High: math.Inf(1), Why: "timed out"},
	{Name: "bytes.wire", Unit: results.Bytes, Why: "no capture"},
}

// derivedLines are points of every derived measurement, with all that they may have.
func derivedLines(t *testing.T) []parsedLine {
	t.Helper()
	o := testOutcome()
	text, err := AppendTrial(nil, testLabels, TrialPoint{Outcome: o, Records: 12, Metrics: testMetrics, Problem: "p"})
	fatal(t, err)
	text, err = AppendAnnotations(text, testLabels, []Annotation{{Kind: KindPhase, Phase: "setup", Title: "setup", Text: "x", Begin: 5, End: 10, Bound: 1e-9, Trial: o.Trial, Attempt: 2}})
	fatal(t, err)
	text, err = AppendFile(text, testLabels, o.Begin, "manifest.json", []byte("{}"))
	fatal(t, err)
	return parseLines(t, text)
}

func TestTrialComesBack(t *testing.T) {
	p := derivedLines(t)[0]
	var back results.Outcome
	fatal(t, json.Unmarshal([]byte(p.fields["outcome"].(string)), &back))
	if want := testOutcome(); !reflect.DeepEqual(back, want) || p.time-p.fields[fieldShift].(int64) != want.Begin.UnixNano() {
		t.Errorf("%+v at %d, want %+v", back, p.time, want)
	}
	for name, want := range map[string]any{
		"metric_downtime_seconds": 0.25, "metric_downtime_seconds_low": 0.2, "metric_downtime_seconds_high": 0.3, "metric_downtime_censored": false, "metric_downtime_unknown": "",
		"metric_total_seconds": 9.0, "metric_total_censored": true, "metric_total_seconds_high": nil, "metric_total_seconds_low": 9.0,
		"metric_bytes.wire_bytes": nil, "metric_bytes.wire_unknown": "no capture",
		"verdict": "failed", "duration_seconds": 9.985642118, "trial": int64(1), "attempt": int64(2),
	} {
		if got := p.fields[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestLongOutcome(t *testing.T) {
	o := testOutcome()
	for i := range 3000 {
		o.Warnings = append(o.Warnings, fmt.Sprintf("warning %d: 日本 é", i))
	}
	text, err := AppendTrial(nil, testLabels, TrialPoint{Outcome: o})
	fatal(t, err)
	p := parseLines(t, text)[0]
	parts := map[int]string{}
	for name, v := range p.fields {
		if key, part := partOf(name); key == "outcome" {
			parts[part] = v.(string)
		}
	}
	whole, err := joined(parts)
	fatal(t, err)
	var back results.Outcome
	fatal(t, json.Unmarshal([]byte(whole), &back))
	if len(parts) < 2 || !reflect.DeepEqual(back, o) {
		t.Errorf("%d parts, %d warnings", len(parts), len(back.Warnings))
	}
}

// Two phases of which the first has no length begin at one time, and neither takes the other's place.
func TestAnnotationsAreApart(t *testing.T) {
	var list []Annotation
	for _, end := range []int64{100, 100, 101, 200} {
		list = append(list, Annotation{Kind: KindPhase, Phase: "paused", Begin: 100, End: end, Bound: math.NaN(), Trial: testTrial, Attempt: 1})
	}
	text, err := AppendAnnotations(nil, testLabels, list)
	fatal(t, err)
	seen := map[int64]bool{}
	for _, p := range parseLines(t, text) {
		seen[p.time] = true
		if _, ok := p.fields["bound_seconds"]; ok {
			t.Error("a bound that is not known is there")
		}
	}
	if len(seen) != 4 {
		t.Errorf("points at %v", seen)
	}
	reversed := []Annotation{list[3], list[2], list[1], list[0]}
	if other, _ := AppendAnnotations(nil, testLabels, reversed); string(other) != string(text) {
		t.Error("the order in which they come matters")
	}
}

func TestFilePieces(t *testing.T) {
	for _, content := range []string{"", "{}", strings.Repeat("日本", 30_000), strings.Repeat("x", maxText)} {
		text, err := AppendFile(nil, testLabels, time.Unix(100, 0), "plan.ndjson", []byte(content))
		fatal(t, err)
		var whole strings.Builder
		for i, p := range parseLines(t, text) {
			whole.WriteString(p.fields["text"].(string))
			if p.time != 100e9+int64(i) || p.fields["size_bytes"] != int64(len(content)) || p.tags["file"] != "plan.ndjson" {
				t.Errorf("piece %d: %d %v %v", i, p.time, p.fields["size_bytes"], p.tags)
			}
		}
		if whole.String() != content {
			t.Errorf("%d bytes of %d came back", whole.Len(), len(content))
		}
	}
	if _, err := AppendFile(nil, testLabels, time.Unix(1, 0), "x", []byte{0xff}); err == nil {
		t.Error("what is not UTF-8 was taken")
	}
}

// Trials of one treatment that begin at one time, such as imported ones, have points of their own, and so have their annotations.
func TestTrialsThatBeginTogether(t *testing.T) {
	keys := map[string]bool{}
	for order := 1; order <= 3; order++ {
		o := testOutcome()
		o.Trial.Order = order
		text, err := AppendTrial(nil, testLabels, TrialPoint{Outcome: o})
		fatal(t, err)
		text, err = AppendAnnotations(text, testLabels, []Annotation{{Kind: KindPhase, Phase: "setup", Title: "setup", Text: "x", Begin: 5, End: 10, Trial: o.Trial, Attempt: 2}})
		fatal(t, err)
		for _, p := range parseLines(t, text) {
			keys[fmt.Sprint(p.measurement, p.tags, p.time)] = true
		}
	}
	if len(keys) != 6 {
		t.Errorf("%d points, want 6", len(keys))
	}
}

// A metric that was known, and is not any more, is not known on the server either: what is not written stays there.
func TestMetricsAreWrittenAnew(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	server.Create(t, "anew")
	for _, p := range []TrialPoint{
		{Outcome: testOutcome(), Problem: "damaged", Metrics: []Metric{{Name: "downtime", Unit: results.Seconds, Known: true, Censored: true, Value: 1, Low: 1}, {Name: "total", Unit: results.Seconds, Why: "no end"}}},
		{Outcome: testOutcome(), Metrics: []Metric{{Name: "downtime", Unit: results.Seconds, Known: true, Value: 2, Low: 2, High: 2}, {Name: "total", Unit: results.Seconds, Known: true, Value: 3, Low: 3, High: 3}}},
	} {
		text, err := AppendTrial(nil, testLabels, p)
		fatal(t, err)
		fatal(t, server.Write(t, "anew", text))
	}
	answer := string(server.Query(t, "anew", `SELECT "problem", "metric_downtime_censored", "metric_total_unknown", "metric_total_seconds" FROM "trial"`))
	if !strings.Contains(answer, `,"",false,"",3]`) {
		t.Errorf("the server has %s", answer)
	}
}
