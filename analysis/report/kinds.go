package report

import (
	"html/template"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
)

// A kind is how trials of one action are reported.
type kind struct {
	migrates bool
	outages  bool // the guest is there before the action, and four views see its outage
	verified bool // the guest's memory is verified at the end
	// headline is the metric whose median chooses the trial that stands for a treatment, and what it is called.
	headline, headlineName, headlineShort string
	// columns are those of the first table, cut before column cut where it is too wide; more are the other tables.
	columns      func([]group) []column
	cut          int
	more         func([]group) []section
	compared     []comparison
	figures      []func(Run) (Figure, bool)
	trialFigures []oneFigure
}

// A oneFigure draws one trial.
type oneFigure struct {
	title string
	draw  func(Trial) (Figure, bool)
}

// kindOfAction says how an action is reported: the one place that knows all. What is no other action is told as a migration.
func kindOfAction(action string) kind {
	switch action {
	case timeline.ActionBoot:
		return bootKind()
	case timeline.ActionCheckpoint:
		return checkpointKind()
	case timeline.ActionRecover:
		return recoverKind()
	case timeline.ActionJobs:
		return jobsKind()
	}
	return migrationKind()
}

func migrationKind() kind {
	return kind{
		migrates: true, outages: true, verified: true,
		headline: timeline.TotalTime, headlineName: "total time", headlineShort: "total",
		columns: func([]group) []column { return always }, cut: outageColumns,
		more: func(groups []group) []section {
			return []section{{algorithmsTitle, some(groups, sometimes), 0}, {diskTitle, some(groups, diskColumns), 0}}
		},
		compared:     compared,
		figures:      []func(Run) (Figure, bool){phaseFigure, outageFigure},
		trialFigures: []oneFigure{{"Throughput of the migration over time", throughputFigure}, {"CPU use over time", cpuFigure}},
	}
}

// kind is that of the trial's action.
func (t Trial) kind() kind {
	if t.Timeline == nil {
		return migrationKind()
	}
	return kindOfAction(t.Timeline.Action)
}

// headline is the metric by which a trial stands for its treatment.
func (t Trial) headline() quantity.Quantity { return t.metric(t.kind().headline) }

// kindOf is that of the groups' trials: a run has one action. It is that of the first trial in which the action began.
func kindOf(groups []group) kind {
	for _, g := range groups {
		for _, t := range g.trials {
			if t.Timeline != nil && t.Timeline.Action != "" {
				return t.kind()
			}
		}
	}
	return migrationKind()
}

// validityHead names the columns of Trial.validity.
func (k kind) validityHead() []template.HTML {
	list := []template.HTML{"trial", "verdict", "attempt"}
	if k.outages {
		list = append(list, "floor, wire", "floor, client", "floor, guest")
	}
	list = append(list, "frames dropped", "records dropped", "probes' share of a core", "overhead")
	if k.verified {
		list = append(list, "memory verified", "corrupt pages")
	}
	return list
}
