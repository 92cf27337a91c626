package jobs

import (
	"cmp"
	"maps"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/start"
	"virtscope/results"
)

// ByJob is what a guest answered to that was asked nothing before it was given a job.
const ByJob = "job"

// Answered is the log with an answer of each guest that is given a job, or goes on with one: nobody asks it anything before, and it
// is given one as soon as it can take it. A log that has answers is left alone.
func Answered(log *edges.Log) *edges.Log {
	if len(log.Named(results.BootAnswer)) > 0 {
		return log
	}
	var list []results.Record
	for _, name := range []string{results.JobStarted, results.JobResumed} {
		for _, r := range log.Named(name) {
			attrs := map[string]string{}
			maps.Copy(attrs, r.Attrs)
			attrs["method"] = ByJob
			r.Attrs = attrs
			r.Name = results.BootAnswer
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
	return log.With(results.BootAnswer, list)
}

// TakeStarts keeps the starts that are over, and counts the others.
func (r *Report) TakeStarts(list []start.Start) {
	r.Starts = slices.DeleteFunc(list, func(s start.Start) bool {
		unused := s.Ready == nil && s.Failed == ""
		if unused {
			r.Unused++
		}
		return unused
	})
}
