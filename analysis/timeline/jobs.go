package timeline

import (
	"virtscope/analysis/deploy"
	"virtscope/analysis/jobs"
	"virtscope/analysis/start"
	"virtscope/results"
)

// jobs is the action in which guests are started for jobs.
func (t *Timeline) jobs(x *index, o results.Outcome, obs observation) {
	log := x.log()
	r := jobs.Build(log, t.action())
	r.TakeStarts(start.Build(jobs.Answered(log), t.rest(), t.ActionEnd.Time))
	t.Jobs = r
	t.Phases = named(t.ActionBegin, t.ActionEnd, nil)
	t.warnStarts(r.Starts)
	t.take(r.Metrics())
	if len(r.Starts) > 0 {
		t.take(deploy.StartMetrics(r.Starts))
	}
	t.finish(x, o, obs)
}
