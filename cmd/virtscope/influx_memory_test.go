package main

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
)

// A live sink that annotates trials of real records, as large as it annotates while a run goes on, and larger ones, holds little memory meanwhile.
func TestLiveSinkMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector has memory of its own")
	}
	const bound = 64 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(server.Close)
	plan := []results.Trial{{ID: "001-a", Order: 1, Replicate: 1}, {ID: "002-a", Order: 2, Replicate: 2}, {ID: "003-a", Order: 3, Replicate: 3}}
	r, err := results.Create(t.TempDir(), results.Manifest{Format: results.ManifestFormat, Run: "r", Name: "e"}, []byte("x"), plan)
	fatalIf(t, err)
	sizes := []int{30_000, 200_000, 30_000}
	total := 0
	for i, n := range sizes {
		repeatedTrial(t, r, plan[i], n)
		total += n
	}
	runtime.GC()
	s := startLive(t.Context(), r, influx.Target{URL: server.URL, Bucket: "db"}, func(text string) { t.Error(text) })
	most := uint64(0)
	for end := time.Now().Add(2 * time.Minute); s.shipper.Status().Records < int64(total) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	t.Logf("heap of %.1f MiB at most", float64(most)/(1<<20))
	if got := s.shipper.Status().Records; got != int64(total) || most > bound || most == 0 {
		t.Errorf("%d records of %d shipped, heap of %d MiB", got, total, most>>20)
	}
	s.finish(t.Context(), t.Output(), time.Minute)
	if s.err != nil {
		t.Error(s.err)
	}
}

// repeatedTrial writes the records of a real trial again and again, as one long trial.
func repeatedTrial(t *testing.T, r *results.Run, trial results.Trial, n int) {
	t.Helper()
	records := precopyRecords(t)
	a, _, err := r.Begin(trial)
	fatalIf(t, err)
	j, err := r.Journal()
	fatalIf(t, err)
	fatalIf(t, j.Append(results.Entry{Event: results.TrialBegin, Trial: trial.ID, Attempt: 1}))
	fatalIf(t, j.Close())
	for k := range n {
		rec := records[k%len(records)]
		rec.Time += int64(k/len(records)) * int64(10*time.Second)
		a.Record(rec)
		for k%1000 == 0 && a.Pending() > 20_000 {
			time.Sleep(time.Millisecond)
		}
	}
	o := results.Outcome{Trial: trial, Attempt: 1, Verdict: results.Completed, Begin: time.Unix(0, records[0].Time-1000), End: time.Now()}
	fatalIf(t, a.Finish(&o))
	if o.Dropped > 0 {
		t.Fatalf("%d records were dropped", o.Dropped)
	}
}
