package influx

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"
)

const dashboardFile = "../../deploy/grafana/dashboard.json"

// catalogueFactors are the factors that more than one experiment of the catalogue has.
var catalogueFactors = []string{
	"workload.rate", "action.migrate.algorithm", "action.migrate.max-bandwidth", "action.migrate.pause-after-rounds", "guest.memory", "guest.start",
	"provision.method", "action.boot.guests", "action.recover.period",
}

func TestDashboardIsCurrent(t *testing.T) {
	want, err := Dashboard{Factors: catalogueFactors}.JSON()
	fatal(t, err)
	have, err := os.ReadFile(dashboardFile)
	if err == nil && string(have) == string(want) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says: run go test ./results/influx -update", dashboardFile)
	}
	fatal(t, results.WriteFile(dashboardFile, want))
}

// A dashboardQuery is one query of the file.
type dashboardQuery struct{ where, text string }

func dashboardQueries(t *testing.T) []dashboardQuery {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	fatal(t, err)
	var d struct {
		Templating struct {
			List []struct {
				Name  string
				Type  string
				Query json.RawMessage
			}
		}
		Annotations struct {
			List []struct {
				Name   string
				Target struct{ Query string }
			}
		}
		Panels []struct {
			Title   string
			Targets []struct{ Query string }
		}
	}
	fatal(t, json.Unmarshal(text, &d))
	var list []dashboardQuery
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			var q struct{ Query string }
			fatal(t, json.Unmarshal(v.Query, &q))
			list = append(list, dashboardQuery{"variable " + v.Name, q.Query})
		}
	}
	for _, a := range d.Annotations.List {
		list = append(list, dashboardQuery{"annotation " + a.Name, a.Target.Query})
	}
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			list = append(list, dashboardQuery{fmt.Sprintf("panel %s %d", p.Title, i), target.Query})
		}
	}
	if len(list) < 25 {
		t.Fatalf("%d queries", len(list))
	}
	return list
}

var (
	comparedWith = regexp.MustCompile(`r\.(\w+) (?:==|=~) "([^"]*)"`)
	namedTag     = regexp.MustCompile(`r\.(\w+) =~|r\["([^"]+)"\]|distinct\(column: "([^"]+)"`)
	namedColumns = regexp.MustCompile(`(?:keep|group)\(columns: \[([^\]]+)\]`)
	inPivot      = regexp.MustCompile(`: r\.(\w+)`)
)

// Every measurement, tag and field that the dashboard names is of the schema.
func TestDashboardNames(t *testing.T) {
	known := schemaNames()
	for _, q := range dashboardQueries(t) {
		measurement := ""
		for _, m := range comparedWith.FindAllStringSubmatch(q.text, -1) {
			if m[1] == "_measurement" {
				measurement = m[2]
			}
		}
		names, ok := known[measurement]
		if !ok {
			t.Errorf("%s: measurement %q is not of the schema", q.where, measurement)
			continue
		}
		for _, m := range comparedWith.FindAllStringSubmatch(q.text, -1) {
			switch {
			case m[1] == "_measurement":
			case m[1] == "_field" && !names.field(m[2]):
				t.Errorf("%s: measurement %s has no field %q", q.where, measurement, m[2])
			case m[1] != "_field" && !names.tag(m[1]):
				t.Errorf("%s: measurement %s has no tag %q", q.where, measurement, m[1])
			}
		}
		for _, m := range namedTag.FindAllStringSubmatch(q.text, -1) {
			if tag := m[1] + m[2] + m[3]; !names.tag(tag) {
				t.Errorf("%s: measurement %s has no tag %q", q.where, measurement, tag)
			}
		}
		for _, m := range namedColumns.FindAllStringSubmatch(q.text, -1) {
			for column := range strings.SplitSeq(m[1], ", ") {
				if c := strings.Trim(column, `"`); c != "name" && !strings.HasPrefix(c, "_") && !names.tag(c) && !names.field(c) {
					t.Errorf("%s: measurement %s has no tag %q", q.where, measurement, c)
				}
			}
		}
		for _, m := range inPivot.FindAllStringSubmatch(q.text, -1) {
			if n := m[1]; !strings.HasPrefix(n, "_") && n != "grown" && n != "took" && !names.tag(n) && !names.field(n) {
				t.Errorf("%s: measurement %s has no tag or field %q", q.where, measurement, n)
			}
		}
	}
}

type schemaOf struct{ tags, fields []string }

func (s schemaOf) tag(name string) bool {
	return slices.Contains(s.tags, name) || slices.ContainsFunc(catalogueFactors, func(f string) bool { return FactorTag(f) == name })
}

func (s schemaOf) field(name string) bool {
	return slices.Contains(s.fields, name) || strings.HasPrefix(name, metricPrefix) && slices.Contains(s.fields, metricPrefix+"<name>_<unit>")
}

func schemaNames() map[string]schemaOf {
	known := map[string]schemaOf{}
	for _, m := range Measurements() {
		known[m.Name] = schemaOf{append(m.Tags(), recordTags...), m.Fields()}
	}
	for _, d := range DerivedMeasurements() {
		var s schemaOf
		for _, k := range d.Keys {
			if k.Type == "tag" {
				s.tags = append(s.tags, k.Name)
			} else {
				s.fields = append(s.fields, k.Name)
			}
		}
		known[d.Name] = s
	}
	return known
}

// A sum of bins as a rate needs windows that are longer than bins: in a shorter one all of a bin's bytes would pass.
func TestDashboardWindowsHoldBins(t *testing.T) {
	text, err := os.ReadFile(dashboardFile)
	fatal(t, err)
	var d struct {
		Panels []struct {
			Title, Interval string
			Targets         []struct{ Query string }
		}
	}
	fatal(t, json.Unmarshal(text, &d))
	sums := 0
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			if !strings.Contains(q.Query, "|> sum()") {
				continue
			}
			sums++
			if window, err := time.ParseDuration(p.Interval); err != nil || window < 100*time.Millisecond {
				t.Errorf("%s: windows of %q, want at least 100 ms", p.Title, p.Interval)
			}
		}
	}
	if sums < 3 {
		t.Errorf("%d sums of bins", sums)
	}
}

// Each query runs on a real server, and finds what a real trial recorded.
func TestDashboardQueries(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), true)
	server.Create(t, "grafana")
	records := recordedTrials(t)["precopy"]
	e := NewEncoder(testLabels, testTrial, 1, 0)
	text := encodeAll(t, e, records)
	begin, end := time.Unix(0, records[0].Time), time.Unix(0, e.Latest())
	var err error
	text, err = AppendTrial(text, testLabels, TrialPoint{Outcome: results.Outcome{Trial: testTrial, Attempt: 1, Verdict: results.Completed, Begin: begin, End: end}, Metrics: testMetrics})
	fatal(t, err)
	var spans []Annotation
	for _, kind := range []string{KindPhase, KindRound, KindOutage} {
		spans = append(spans, Annotation{Kind: kind, Phase: "x", Title: "title of " + kind, Text: "text", Begin: begin.UnixNano() + 5, End: end.UnixNano(), Trial: testTrial, Attempt: 1})
	}
	text, err = AppendAnnotations(text, testLabels, spans)
	fatal(t, err)
	fatal(t, server.Write(t, "grafana", text))

	for _, q := range dashboardQueries(t) {
		flux := q.flux("grafana/autogen", begin.Add(-time.Second), end.Add(time.Second))
		rows := fluxRows(t, server.URL, q.where, flux)
		empty := strings.HasPrefix(q.where, "variable ") && !strings.Contains(q.where, "run") && !strings.Contains(q.where, "treatment") && !strings.Contains(q.where, "workload_rate")
		if (len(rows) == 0) != empty {
			t.Errorf("%s: %d rows of\n%s", q.where, len(rows), flux)
		}
		if strings.HasPrefix(q.where, "annotation ") && (rows[0]["title"] == "" || rows[0]["timeEnd"] == "") {
			t.Errorf("%s: %v", q.where, rows[0])
		}
		if strings.Contains(q.where, "Downtime") && (rows[0]["metric_total_censored"] != "true" || rows[0]["metric_downtime_seconds"] != "0.25") {
			t.Errorf("%s: %v", q.where, rows[0])
		}
	}
}

var dashboardVariable = regexp.MustCompile(`\$\{(\w+)(:regex)?\}`)

// flux is the query as Grafana asks it.
func (q dashboardQuery) flux(bucket string, begin, end time.Time) string {
	text := dashboardVariable.ReplaceAllStringFunc(q.text, func(s string) string {
		switch dashboardVariable.FindStringSubmatch(s)[1] {
		case "bucket":
			return bucket
		case "run":
			return testLabels.Run
		case "treatment":
			return `(rate=8MiB\/s|other)`
		default:
			return ".*"
		}
	})
	return strings.NewReplacer("v.timeRangeStart", begin.UTC().Format(time.RFC3339Nano), "v.timeRangeStop", end.UTC().Format(time.RFC3339Nano), "v.windowPeriod", "200ms").Replace(text)
}

// fluxRows asks a server in Flux, and fails the test if it answers with an error.
func fluxRows(t *testing.T, url, what, query string) []map[string]string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "dialect": map[string]any{"header": true, "annotations": []string{"datatype", "group", "default"}}})
	fatal(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v2/query", strings.NewReader(string(body)))
	fatal(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/csv")
	res, err := http.DefaultClient.Do(req)
	fatal(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	fatal(t, err)
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s: %s\n%s", what, res.Status, answer, query)
		return nil
	}
	var rows []map[string]string
	for table := range strings.SplitSeq(strings.ReplaceAll(string(answer), "\r\n", "\n"), "\n\n") {
		var lines []string
		for line := range strings.Lines(table) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			continue
		}
		r := csv.NewReader(strings.NewReader(strings.Join(lines, "")))
		r.FieldsPerRecord = -1
		all, err := r.ReadAll()
		fatal(t, err)
		if len(all) > 1 && slices.Contains(all[0], "error") {
			t.Errorf("%s: %v\n%s", what, all, query)
			return nil
		}
		for _, values := range all[min(1, len(all)):] {
			row := map[string]string{}
			for i, v := range values {
				if i < len(all[0]) {
					row[all[0][i]] = v
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}
