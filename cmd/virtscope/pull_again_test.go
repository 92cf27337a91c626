package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"
)

// A run that was pulled makes the points that it was made of, those of late records, too: pushed to where it came from it changes nothing.
func TestPulledRunMakesTheSamePoints(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	server.Create(t, "a")
	server.Create(t, "b")
	r := lateRun(t)
	push := func(dir, db string) {
		t.Helper()
		if out, err := commandLine(t, "influx", "push", dir, "--url", server.URL, "--database", db); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	all := func(db string) string { return string(server.Query(t, db, "SELECT * FROM /.*/ GROUP BY *")) }
	push(r.Dir, "a")
	want := all("a")
	to := filepath.Join(t.TempDir(), r.Manifest.Run)
	if out, err := commandLine(t, "pull", "--url", server.URL, "--database", "a", "--run", r.Manifest.Run, "--to", to); err != nil || strings.Contains(out, "twice") {
		t.Fatalf("%v\n%s", err, out)
	}
	push(to, "a")
	push(to, "b")
	if got := all("a"); got != want {
		t.Errorf("what was there has changed: %d B, %d before", len(got), len(want))
	}
	if got := all("b"); got != want {
		t.Errorf("another server has other points: %d B, want %d", len(got), len(want))
	}
	if !strings.Contains(want, `"late":"1"`) || !strings.Contains(want, `"again":"2-1"`) {
		t.Error("no record was late, or none came again")
	}
}

// lateRun is a run with records that come late, at one time, in several series, and of two trials of which the second is at the first one's time.
func lateRun(t *testing.T) *results.Run {
	t.Helper()
	r := scriptedRun(t, 2)
	for i, trial := range r.Plan {
		a, _, err := r.Begin(trial)
		fatalIf(t, err)
		journal(t, r, results.Entry{Event: results.TrialBegin, Trial: trial.ID, Attempt: 1})
		for k := range 600 {
			at := int64(1_790_000_000_000_000_000) + int64(k)*1e6
			switch {
			case k%10 == 3:
				at -= 25e6 + int64(k%4)
			case k%10 == 4:
				at -= 26e6 - int64(k%3) // among those before, out of order
			case k%7 == 0:
				at -= 1e6 // with the one before
			}
			a.Record(results.Record{Time: at, Host: "h", Source: "s", Name: []string{"n", "m"}[k%2], Value: float64(k + i*1000), Unit: results.One, Attrs: map[string]string{"seq": strings.Repeat("x", k%3)}})
		}
		o := results.Outcome{Trial: trial, Attempt: 1, Verdict: results.Completed, Begin: time.Unix(1_790_000_000, 0).UTC(), End: time.Unix(1_790_000_010, 0).UTC()}
		fatalIf(t, a.Finish(&o))
		fatalIf(t, results.WriteJSON(filepath.Join(a.Dir, "trial.json"), o))
	}
	return r
}

func scriptedRun(t *testing.T, trials int) *results.Run {
	t.Helper()
	var plan []results.Trial
	for i := range trials {
		plan = append(plan, results.Trial{ID: string(rune('a' + i)), Order: i + 1, Replicate: i + 1})
	}
	m := results.Manifest{Format: results.ManifestFormat, Run: "late-1", Name: "e", Created: time.Unix(1_789_999_999, 0).UTC()}
	r, err := results.Create(t.TempDir(), m, []byte("x"), plan)
	fatalIf(t, err)
	return r
}

func journal(t *testing.T, r *results.Run, e results.Entry) {
	t.Helper()
	j, err := r.Journal()
	fatalIf(t, err)
	fatalIf(t, j.Append(e))
	fatalIf(t, j.Close())
}

// Of a trial whose records were damaged, or of which some are not on the server any more, no figures are derived in the folder that is pulled.
func TestPullOfAPartIsInvalid(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	server.Create(t, "a")
	r := sentRun(t)
	cut := filepath.Join(r.TrialDir(r.Plan[1].ID), "records.ndjson.gz") // of the one that failed
	data, err := os.ReadFile(cut)
	fatalIf(t, err)
	fatalIf(t, os.WriteFile(cut, data[:len(data)/2], 0o600))
	if out, err := commandLine(t, "influx", "push", r.Dir, "--url", server.URL, "--database", "a"); err == nil || !strings.Contains(out, "cut off") || !strings.Contains(err.Error(), "1 attempt that ended could not be read whole") {
		t.Errorf("%v\n%s", err, out)
	}
	to := filepath.Join(t.TempDir(), "damaged")
	out, err := commandLine(t, "pull", "--url", server.URL, "--database", "a", "--run", r.Manifest.Run, "--to", to)
	if err != nil || !strings.Contains(out, "the file is damaged or cut off") || !strings.Contains(out, "it was failed, and is invalid here") {
		t.Errorf("%v\n%s", err, out)
	}
	verdict := func(dir string, trial int) results.Outcome {
		t.Helper()
		var o results.Outcome
		text, err := os.ReadFile(filepath.Join(dir, "trials", r.Plan[trial].ID, "trial.json"))
		fatalIf(t, err)
		fatalIf(t, json.Unmarshal(text, &o))
		return o
	}
	if o := verdict(to, 1); o.Verdict != results.Invalid || !strings.Contains(o.Reason, "it was so; when it was sent: ") {
		t.Errorf("%+v", o)
	}
	if o := verdict(to, 0); o.Verdict != results.Completed {
		t.Errorf("%+v", o)
	}
	server.Query(t, "a", `DELETE FROM "echo.rtt"`)
	to += "-more"
	if out, err := commandLine(t, "pull", "--url", server.URL, "--database", "a", "--run", r.Manifest.Run, "--to", to); err != nil || !strings.Contains(out, "it was completed, and is invalid here") {
		t.Errorf("%v\n%s", err, out)
	}
	if o := verdict(to, 0); o.Verdict != results.Invalid {
		t.Errorf("%+v", o)
	}
}

// A journal that lost the end of a line loses nothing else: outcomes and annotations are sent, and what is wrong is said.
func TestTornJournal(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	server.Create(t, "a")
	r := sentRun(t)
	f, err := os.OpenFile(filepath.Join(r.Dir, journalName), os.O_APPEND|os.O_WRONLY, 0)
	fatalIf(t, err)
	_, err = f.WriteString("{\"event\":\"\xc3\n")
	fatalIf(t, err)
	fatalIf(t, f.Close())
	out, err := commandLine(t, "influx", "push", r.Dir, "--url", server.URL, "--database", "a")
	if err == nil || !strings.Contains(out, "journal.ndjson: it is not UTF-8") {
		t.Errorf("%v\n%s", err, out)
	}
	if answer := string(server.Query(t, "a", `SELECT count("outcome") FROM "trial"`)); !strings.Contains(answer, `,3]`) {
		t.Errorf("outcomes: %s", answer)
	}
}
