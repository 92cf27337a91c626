package influx

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx/influxtest"
)

// recordedTrials are records of real trials, by their action.
func recordedTrials(t testing.TB) map[string][]results.Record {
	t.Helper()
	files, err := filepath.Glob("testdata/*.ndjson.gz")
	fatal(t, err)
	all := map[string][]results.Record{}
	for _, name := range files {
		f, err := os.Open(name)
		fatal(t, err)
		records, err := results.ReadRecords(f)
		f.Close()
		fatal(t, err)
		all[strings.TrimSuffix(filepath.Base(name), ".ndjson.gz")] = records
	}
	if len(all) < 3 {
		t.Fatalf("%d recorded trials", len(all))
	}
	return all
}

func TestServerKeepsRecords(t *testing.T) {
	server := influxtest.Start(t, os.Getenv("VIRTSCOPE_INFLUXD"), false)
	t.Run("odd", func(t *testing.T) { testOddRecords(t, server) })
	t.Run("estimates", func(t *testing.T) { testEstimates(t, server) })
	t.Run("run", func(t *testing.T) { testWholeRun(t, server) })
}

func testOddRecords(t *testing.T, server *influxtest.Server) {
	server.Create(t, "odd")
	records := oddRecords()
	for i := range records {
		if i%3 == 1 { // at one time
			records[i].Time = records[i-1].Time
		}
		if i%7 == 6 { // late
			records[i].Time = records[i-5].Time
		}
	}
	labels := Labels{Run: `r "1", \'=%`, Experiment: "e x\n"}
	text := encodeAll(t, NewEncoder(labels, testTrial, 3, 0), records)
	for range 2 { // the second time changes nothing
		fatal(t, server.Write(t, "odd", text))
	}
	reader := &Reader{URL: server.URL, Bucket: "odd/autogen"}
	found, err := reader.Find(t.Context(), labels.Run)
	fatal(t, err)
	compareRecords(t, pullAll(t, reader, found), records)
	if runs, err := reader.Runs(t.Context()); err != nil || !slices.Equal(runs, []string{labels.Run}) {
		t.Errorf("runs %q, %v", runs, err)
	}
	if _, err := reader.Find(t.Context(), "other"); !errors.Is(err, ErrNoRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	if _, err := (&Reader{URL: server.URL, Bucket: "nowhere"}).Find(t.Context(), "x"); err == nil {
		t.Error("a database that is not there has the run")
	}
}

func pullAll(t testing.TB, r *Reader, f *Found) []Decoded {
	t.Helper()
	var all []Decoded
	fatal(t, r.Records(t.Context(), f, func(batch []Decoded) error {
		all = append(all, batch...)
		return nil
	}))
	return all
}

// compareRecords compares in the order of time, and of what is told apart at one time.
func compareRecords(t testing.TB, pulled []Decoded, want []results.Record) {
	t.Helper()
	got := make([]results.Record, len(pulled))
	for i, d := range pulled {
		got[i] = d.Record
	}
	want = slices.Clone(want)
	for _, list := range [][]results.Record{got, want} {
		slices.SortStableFunc(list, func(a, b results.Record) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
		})
	}
	if len(got) != len(want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
	bad := 0
	for i := range min(len(got), len(want)) {
		if !sameRecord(got[i], want[i]) {
			if bad++; bad < 4 {
				t.Errorf("record %d is %.300q, want %.300q", i, fmt.Sprint(got[i]), fmt.Sprint(want[i]))
			}
		}
	}
}

// A run of real trials comes back whole, and makes no more series than were estimated.
func testWholeRun(t *testing.T, server *influxtest.Server) {
	server.Create(t, "real")
	labels := Labels{Run: "real", Experiment: "exp"}
	var all []results.Record
	var text []byte
	order, before := 0, int64(0)
	created := time.Unix(1_700_000_000, 0)
	for name, records := range recordedTrials(t) {
		order++
		trial := results.Trial{ID: name, Order: order, Treatment: name, Levels: []results.Level{{Factor: "file", Value: name}}, Replicate: 1}
		e := NewEncoder(labels, trial, 1, before)
		text = append(text, encodeAll(t, e, records)...)
		before = e.Latest()
		all = append(all, records...)
		o := results.Outcome{Trial: trial, Attempt: 1, Verdict: results.Completed, Begin: time.Unix(0, records[0].Time).UTC(), End: time.Unix(0, before).UTC()}
		var err error
		text, err = AppendTrial(text, labels, TrialPoint{Outcome: o, Metrics: testMetrics})
		fatal(t, err)
	}
	text, err := AppendFile(text, labels, created, "manifest.json", []byte(`{"format":1}`))
	fatal(t, err)
	fatal(t, server.Write(t, "real", text))
	reader := &Reader{URL: server.URL, Bucket: "real"}
	found, err := reader.Find(t.Context(), labels.Run)
	fatal(t, err)
	if len(found.Ended) != order || string(found.Files["manifest.json"]) != `{"format":1}` || found.Experiment != "exp" || len(found.Broken) > 0 {
		t.Errorf("found %d outcomes, files %q, broken %v, experiment %s", len(found.Ended), found.Files, found.Broken, found.Experiment)
	}
	compareRecords(t, pullAll(t, reader, found), all)
	checkSeries(t, server, "real", Plan{Treatments: order, Hosts: 2, Guests: 4, VCPUs: 1})
}

// Each action is estimated by itself: an estimate of all together would hide one that is too low.
func testEstimates(t *testing.T, server *influxtest.Server) {
	plans := map[string]Plan{
		"precopy":    {Treatments: 1, Hosts: 2, Guests: 1, VCPUs: 1, Action: "migrate"},
		"boot":       {Treatments: 1, Hosts: 2, Guests: 1, VCPUs: 1, Action: "boot"},
		"checkpoint": {Treatments: 1, Hosts: 2, Guests: 1, VCPUs: 1, Action: "checkpoint"},
		"jobs":       {Treatments: 1, Hosts: 2, Guests: 8, VCPUs: 1, Action: "jobs"},
	}
	for name, records := range recordedTrials(t) {
		server.Create(t, name)
		fatal(t, server.Write(t, name, encodeAll(t, NewEncoder(testLabels, testTrial, 1, 0), records)))
		checkSeries(t, server, name, plans[name])
	}
}

var seriesCount = regexp.MustCompile(`"values":\[\[(\d+)\]\]`)

// checkSeries compares an estimate with what the server counts.
func checkSeries(t testing.TB, server *influxtest.Server, db string, p Plan) {
	t.Helper()
	total := 0
	for _, m := range seriesCount.FindAllSubmatch(server.Query(t, db, "SHOW SERIES EXACT CARDINALITY"), -1) {
		n, err := strconv.Atoi(string(m[1]))
		fatal(t, err)
		total += n
	}
	estimate := EstimateSeries(p).Series
	t.Logf("%d series, at most %d were estimated", total, estimate)
	if total == 0 || total > estimate {
		t.Errorf("%d series, estimated %d", total, estimate)
	}
	const sensible = 30 // times as many: hosts, guests and kinds of records that a plan may have and a trial need not
	if estimate > sensible*total {
		t.Errorf("%d series are estimated, and there are %d", estimate, total)
	}
}
