package report

import "virtscope/analysis/metric"

// leasesTitle is of the table of what guests cost.
const leasesTitle = "what the guests cost"

func jobsKind() kind {
	return kind{
		headline: metric.JobsMakespan, headlineName: "makespan", headlineShort: "makespan",
		columns: func([]group) []column { return jobColumns },
		more: func(groups []group) []section {
			return []section{{leasesTitle, some(groups, leaseColumns), 0}, {phasesTitle, some(groups, startColumns), 0}}
		},
		compared: []comparison{
			{metric.JobsWait50, "Wait of a job", "wait of the trial's median job"},
			{metric.JobsMakespan, "Makespan", "makespan"},
			{metric.JobsGuestTime, "Guest time", "all guests' time"},
			{metric.JobsUtilisation, "Utilisation", "share of the guests' time with a job"},
		},
		figures:      []func(Run) (Figure, bool){stackFigure},
		trialFigures: []oneFigure{{"Jobs and guests over time", jobsFigure}},
	}
}

var jobColumns = []column{
	{"jobs", "arrived", metric.JobsCount},
	{"jobs", "done", metric.JobsDone},
	{"", "makespan", metric.JobsMakespan},
	{"wait", "median", metric.JobsWait50},
	{"wait", "p90", metric.JobsWait90},
	{"slowdown", "median", metric.JobsSlowdown50},
	{"slowdown", "p90", metric.JobsSlowdown90},
	{"", "preemptions", metric.JobsPreemptions},
}

var leaseColumns = []column{
	{"guests", "started", metric.JobsGuests},
	{"guests", "at once", metric.JobsPeak},
	{"all guests'", "time", metric.JobsGuestTime},
	{"of it", "used", metric.JobsUtilisation},
	{"jobs with", "a fresh guest", metric.JobsFresh},
	{"spawn to", "first job", metric.BootTotal},
}
