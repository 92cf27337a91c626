package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
	"virtscope/results/influx/influxtest"
)

// sentRun makes a run of real records: a trial with an attempt that was set aside, one that failed, one that was cut off, and one that never began.
func sentRun(t *testing.T) *results.Run {
	t.Helper()
	experiment, err := os.ReadFile("testdata/influx/experiment.yaml")
	fatalIf(t, err)
	p, err := loadPlan("testdata/influx/experiment.yaml")
	fatalIf(t, err)
	var plan []results.Trial
	for _, trial := range p.Trials {
		plan = append(plan, trial.Trial)
	}
	records := precopyRecords(t)
	sum := sha256.Sum256(experiment)
	m := results.Manifest{Format: results.ManifestFormat, Run: "sent-1", Name: "quickstart", Created: time.Unix(0, records[0].Time-1e9).UTC(), Seed: 7, SpecHash: hex.EncodeToString(sum[:])}
	r, err := results.Create(t.TempDir(), m, experiment, plan)
	fatalIf(t, err)
	j, err := r.Journal()
	fatalIf(t, err)
	attempt := func(trial results.Trial, v results.Verdict, hour int64, n int, end bool) {
		a, number, err := r.Begin(trial)
		fatalIf(t, err)
		shift := hour * int64(time.Hour)
		begin := time.Unix(0, records[0].Time+shift-1000).UTC()
		fatalIf(t, j.Append(results.Entry{Time: begin, Event: results.TrialBegin, Trial: trial.ID, Attempt: number}))
		for _, rec := range records[:n] {
			rec.Time += shift
			a.Record(rec)
		}
		o := results.Outcome{Trial: trial, Attempt: number, Verdict: v, Begin: begin, End: begin.Add(12 * time.Second), Overhead: time.Second, Warnings: []string{`a "warning"` + "\n\\"}}
		if v != results.Completed {
			o.Reason = "it was so"
		}
		fatalIf(t, a.Finish(&o))
		if !end {
			fatalIf(t, os.Remove(filepath.Join(a.Dir, "trial.json")))
		}
	}
	attempt(plan[0], results.Invalid, 0, 500, true)
	attempt(plan[0], results.Completed, 1, len(records), true)
	attempt(plan[1], results.Failed, 2, len(records)/2, true)
	attempt(plan[2], "", 3, 300, false)
	fatalIf(t, j.Close())
	return r
}

func fatalIf(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func precopyRecords(t *testing.T) []results.Record {
	t.Helper()
	f, err := os.Open("../../results/influx/testdata/precopy.ndjson.gz")
	fatalIf(t, err)
	defer f.Close()
	records, err := results.ReadRecords(f)
	fatalIf(t, err)
	return records
}

// sentLines are all points of a run.
func sentLines(t *testing.T, r *results.Run) []byte {
	t.Helper()
	labels := influx.Labels{Run: r.Manifest.Run, Experiment: r.Manifest.Name}
	var out []byte
	attempts, err := r.Attempts()
	fatalIf(t, err)
	out, err = influxHead(r)()
	fatalIf(t, err)
	beside := influxBeside(r)
	before := int64(0)
	for _, a := range attempts {
		e := influx.NewEncoder(labels, a.Trial, a.Number, before)
		tail := results.NewTail(a.Dir)
		tail.Over = func() bool { return true }
		fatalIf(t, tail.Each(context.Background(), 1000, func(batch []results.Record) error {
			for _, rec := range batch {
				if out, err = e.Append(out, rec); err != nil {
					return err
				}
			}
			return nil
		}))
		before = e.Latest()
		if !a.Ended {
			continue
		}
		more, err := beside(t.Context(), a)
		fatalIf(t, err)
		out = append(out, more...)
	}
	return out
}

// What is sent attempt by attempt is what the whole run gives.
func TestBesideIsAnnotations(t *testing.T) {
	r := sentRun(t)
	spans, points, err := annotations(t.Context(), r)
	fatalIf(t, err)
	labels := influx.Labels{Run: r.Manifest.Run, Experiment: r.Manifest.Name}
	want, err := influx.AppendAnnotations(nil, labels, spans)
	fatalIf(t, err)
	for _, p := range points {
		want, err = influx.AppendTrial(want, labels, p)
		fatalIf(t, err)
	}
	var got []byte
	attempts, err := r.Attempts()
	fatalIf(t, err)
	for _, a := range attempts {
		if a.Ended {
			more, err := influxBeside(r)(t.Context(), a)
			fatalIf(t, err)
			got = append(got, more...)
		}
	}
	lines := func(text []byte) []string { // those that begin a point
		var list []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, influx.MeasurementAnnotation+",") || strings.HasPrefix(line, influx.MeasurementTrial+",") {
				list = append(list, line)
			}
		}
		slices.Sort(list)
		return list
	}
	if g, w := lines(got), lines(want); !slices.Equal(g, w) || len(w) != len(spans)+3 || len(points) != 3 || len(spans) < 6 {
		t.Errorf("%d lines, want %d of %d spans and %d points", len(g), len(w), len(spans), len(points))
	}
	kinds := map[string]int{}
	for _, a := range spans {
		kinds[a.Kind]++
		if a.End < a.Begin || a.Title == "" || a.Text == "" || a.Phase == "" {
			t.Errorf("%+v", a)
		}
	}
	if kinds[influx.KindPhase] == 0 || kinds[influx.KindRound] == 0 || kinds[influx.KindOutage] == 0 {
		t.Errorf("kinds %v", kinds)
	}
	for _, p := range points {
		final := p.Outcome.Verdict.Final()
		if final != (len(p.Metrics) > 20) || final != (p.Problem == "") {
			t.Errorf("%s has %d metrics: %s", p.Outcome.Verdict, len(p.Metrics), p.Problem)
		}
	}
}

func commandLine(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	root := newRoot(func() {})
	root.SetArgs(args)
	root.SetOut(&b)
	root.SetErr(&b)
	err = root.ExecuteContext(t.Context())
	return b.String(), err
}

func TestPullBringsRunBack(t *testing.T) {
	if testing.Short() {
		t.Skip("it derives a run's figures three times, which takes long under the race detector")
	}
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	server.Create(t, "bench")
	sent := sentRun(t)
	if dir := os.Getenv("VIRTSCOPE_PULL_RUN"); dir != "" {
		var err error
		sent, err = results.Open(dir)
		fatalIf(t, err)
	}
	for lines := sentLines(t, sent); len(lines) > 0; {
		n := min(len(lines), 8<<20)
		n += bytes.IndexByte(lines[n-1:], '\n')
		fatalIf(t, server.Write(t, "bench", lines[:n]))
		lines = lines[n:]
	}
	if out, err := commandLine(t, "pull", "--url", server.URL, "--bucket", "bench"); err != nil || !strings.Contains(out, sent.Manifest.Run+"\n") {
		t.Errorf("runs that are there: %v\n%s", err, out)
	}
	server.Create(t, "nothing")
	if _, err := commandLine(t, "pull", "--url", server.URL, "--bucket", "nothing"); err == nil || !strings.Contains(err.Error(), "there is no run in bucket nothing") {
		t.Errorf("no runs: %v", err)
	}
	to := filepath.Join(t.TempDir(), "pulled")
	args := []string{"pull", "--url", server.URL, "--bucket", "bench/autogen", "--run", sent.Manifest.Run, "--to", to}
	out, err := commandLine(t, args...)
	fatalIf(t, err)
	t.Log(out)
	got, err := results.Open(to)
	fatalIf(t, err)
	if !reflect.DeepEqual(got.Manifest, sent.Manifest) || !reflect.DeepEqual(got.Plan, sent.Plan) {
		t.Errorf("manifest %+v, plan %+v", got.Manifest, got.Plan)
	}
	compareAttempts(t, got, sent)
	for _, name := range influx.RunFiles {
		sameFile(t, filepath.Join(sent.Dir, name), filepath.Join(to, name))
	}
	for _, dir := range []string{sent.Dir, to} {
		if _, err := commandLine(t, "analyze", dir); err != nil {
			t.Fatal(err)
		}
	}
	sameFile(t, filepath.Join(sent.Dir, csvFile), filepath.Join(to, csvFile))
	if !strings.Contains(out, "not there: logs of consoles") || strings.Contains(out, "records are on the server") {
		t.Errorf("it does not say what is not there:\n%s", out)
	}
	var p pulled
	text, err := os.ReadFile(filepath.Join(to, pulledFile))
	fatalIf(t, err)
	fatalIf(t, json.Unmarshal(text, &p))
	if p.Records == 0 || len(p.Attempts) == 0 || len(p.Lacking) < 3 {
		t.Errorf("%s: %s", pulledFile, text)
	}
	if _, err := commandLine(t, args...); err == nil || !strings.Contains(err.Error(), "nothing is overwritten") {
		t.Errorf("a second time: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(to), ".pull-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	t.Run("without files", func(t *testing.T) { pullWithoutFiles(t, server, sent) })
}

// How an attempt ended is not believed of another trial, whose ID would name a folder.
func TestPullOfAnotherTrialsOutcome(t *testing.T) {
	p := newPulling(&influx.Found{Ended: []influx.Ended{
		{Outcome: results.Outcome{Trial: results.Trial{ID: "../../elsewhere", Order: 1}, Attempt: 1, Verdict: results.Completed}, Records: 3},
	}}, t.TempDir())
	plan := []results.Trial{{ID: "001-a", Order: 1, Replicate: 1}}
	r, err := results.Create(t.TempDir(), results.Manifest{Format: results.ManifestFormat, Run: "r"}, nil, plan)
	fatalIf(t, err)
	fatalIf(t, p.writeAttempts(r))
	if len(p.pulled.Lacking) == 0 || !strings.Contains(p.pulled.Lacking[0], `is of a trial "../../elsewhere"`) {
		t.Errorf("lacking %q", p.pulled.Lacking)
	}
	if len(p.pulled.Attempts) != 1 || p.pulled.Attempts[0].Trial != "001-a" || p.pulled.Attempts[0].Verdict != "" {
		t.Errorf("attempts %+v", p.pulled.Attempts)
	}
	list, err := os.ReadDir(filepath.Dir(r.Dir))
	if err != nil || len(list) != 1 {
		t.Errorf("beside the run: %v, %v", list, err)
	}
}

// What is known without the manifest, plan and experiment is enough to analyse the records.
func pullWithoutFiles(t *testing.T, server *influxtest.Server, sent *results.Run) {
	server.Query(t, "bench", `DROP SERIES FROM "run"`)
	to := filepath.Join(t.TempDir(), "bare")
	out, err := commandLine(t, "pull", "--url", server.URL, "--bucket", "bench", "--run", sent.Manifest.Run, "--to", to)
	fatalIf(t, err)
	for _, want := range []string{"manifest.json: it is not", "plan.ndjson: it is not", "experiment.yaml: it is not", "journal.ndjson: it is not"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	server.Query(t, "bench", `DELETE FROM "echo.rtt"`)
	if out, err := commandLine(t, "pull", "--url", server.URL, "--bucket", "bench", "--run", sent.Manifest.Run, "--to", to+"-2"); err != nil || !strings.Contains(out, " records are on the server") {
		t.Errorf("records that are gone are not missed: %v\n%s", err, out)
	}
	if _, err := commandLine(t, "analyze", to); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(sent.Dir, csvFile))
	fatalIf(t, err)
	got, err := os.ReadFile(filepath.Join(to, csvFile))
	fatalIf(t, err)
	rows := strings.Split(string(got), "\n")
	for _, row := range rows { // those that need the experiment are missing
		if !slices.Contains(strings.Split(string(want), "\n"), row) {
			t.Errorf("the row %s is new", row)
		}
	}
	if len(rows) < 100 {
		t.Errorf("%d rows", len(rows))
	}
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	want, err := os.ReadFile(a)
	fatalIf(t, err)
	got, err := os.ReadFile(b)
	fatalIf(t, err)
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			t.Errorf("%s, line %d of %d: %.300s, want %.300s", filepath.Base(a), i+1, len(w), g[min(i, len(g)-1)], w[i])
			return
		}
	}
	t.Errorf("%s has %d lines, want %d", filepath.Base(a), len(g), len(w))
}

// compareAttempts compares all records of all attempts, each list sorted, since records of one time have no order on the server.
func compareAttempts(t *testing.T, got, want *results.Run) {
	t.Helper()
	list, err := want.Attempts()
	fatalIf(t, err)
	for _, a := range list {
		rel, err := filepath.Rel(want.Dir, a.Dir)
		fatalIf(t, err)
		w, g := sortedRecords(t, a.Dir), sortedRecords(t, filepath.Join(got.Dir, rel))
		if !slices.EqualFunc(g, w, func(a, b results.Record) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("%s: %d records, want %d, or they differ", rel, len(g), len(w))
		}
		if a.Ended {
			sameFile(t, filepath.Join(a.Dir, "trial.json"), filepath.Join(got.Dir, rel, "trial.json"))
		} else if _, err := os.Stat(filepath.Join(got.Dir, rel, "trial.json")); err == nil {
			t.Errorf("%s has ended", rel)
		}
	}
}

func sortedRecords(t *testing.T, dir string) []results.Record {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "records.ndjson.gz"))
	fatalIf(t, err)
	defer f.Close()
	records, err := results.ReadRecords(f)
	fatalIf(t, err)
	slices.SortStableFunc(records, func(a, b results.Record) int {
		if n := cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)); n != 0 {
			return n
		}
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return records
}
