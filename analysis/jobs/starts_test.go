package jobs_test

import (
	"slices"
	"testing"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/jobs"
	"virtscope/analysis/start"
	"virtscope/results"
)

// Two guests are spawned, and one is given a job 3 s later: it is ready then, and of the other nothing is known.
func TestGuestIsReadyWhenGivenAJob(t *testing.T) {
	event := func(s int64, source, name string, attrs map[string]string) results.Record {
		return results.Record{Time: s * 1e9, Host: "src", Source: source, Name: name, Attrs: attrs}
	}
	records := []results.Record{
		event(1, results.SourceQMP, results.BootSpawn, map[string]string{"guest": "a"}),
		event(2, results.SourceQMP, results.BootSpawn, map[string]string{"guest": "b"}),
		event(4, results.SourceRunner, results.JobStarted, map[string]string{"guest": "a", "job": "1"}),
		event(6, results.SourceRunner, results.JobStarted, map[string]string{"guest": "a", "job": "2"}),
		event(7, results.SourceRunner, results.JobResumed, nil),
	}
	log := edgestest.Log(records)
	var r jobs.Report
	r.TakeStarts(start.Build(jobs.Answered(log), edgestest.Whole, 9e9))
	if len(r.Starts) != 1 || r.Unused != 1 {
		t.Fatalf("%d starts, %d unused", len(r.Starts), r.Unused)
	}
	s := r.Starts[0]
	if s.By != jobs.ByJob || s.Total.Value != 3 || s.Arrival.Known {
		t.Errorf("by %s, total %+v, arrival %+v", s.By, s.Total, s.Arrival)
	}
	if len(log.Named(results.BootAnswer)) != 0 || records[2].Attrs["method"] != "" {
		t.Error("the log or its records were changed")
	}
	records = append(records, event(3, results.SourceReady, results.BootAnswer, map[string]string{"guest": "a", "method": "echo"}))
	list := start.Build(jobs.Answered(edgestest.Log(records)), edgestest.Whole, 9e9)
	if i := slices.IndexFunc(list, func(s start.Start) bool { return s.Guest == "a" }); list[i].By != "echo" || list[i].Total.Value != 2 {
		t.Errorf("an answer that was recorded is not taken: %+v", list[i].Total)
	}
}
