package report

import (
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/saving"
	"virtscope/analysis/timeline"
)

// Titles of the tables of checkpoints, failures and restores.
const (
	savingTitle  = "phases of a checkpoint"
	bytesTitle   = "what a checkpoint wrote"
	viewsTitle   = "outage by a checkpoint, as four observers saw it"
	restoreTitle = "the guest's way back from a checkpoint"
	periodTitle  = "what the period costs, and its optimum"
)

func checkpointKind() kind {
	return kind{
		outages: true, verified: true,
		headline: metric.CheckpointTotal, headlineName: "time of a checkpoint", headlineShort: "a checkpoint took",
		columns: func(groups []group) []column { return slices.Concat(checkpointColumns, some(groups, backColumns)) },
		more: func(groups []group) []section {
			return []section{
				{savingTitle, some(groups, savingColumns), 0},
				{bytesTitle, some(groups, bytesColumns), 0},
				{viewsTitle, some(groups, viewColumns), 0},
				{restoreTitle, some(groups, restoreColumns), 0},
			}
		},
		compared: []comparison{
			{metric.CheckpointTotal, "Time of a checkpoint", "asked for to kept"},
			{metric.CheckpointDowntime, "Downtime of a checkpoint", "downtime of a checkpoint"},
			{metric.CheckpointWritten, "Size of a checkpoint", "bytes in files"},
			{metric.RestoreOutage, "Outage by the restore", "lost to answering"},
		},
		figures: []func(Run) (Figure, bool){savingFigure, restoreFigure, phaseFigure, outageFigure},
	}
}

var checkpointColumns = []column{
	{"checkpoint", "total", metric.CheckpointTotal},
	{"checkpoint", "downtime", metric.CheckpointDowntime},
	{"checkpoint", "in files", metric.CheckpointWritten},
	{"checkpoint", "rate", metric.CheckpointRate},
	{"checkpoints", "kept", metric.CheckpointCount},
}

// backColumns are there where the guest was brought back, or was not to be.
var backColumns = []column{
	{"restore", "total", metric.RestoreTotal},
	{"restore", "outage", metric.RestoreOutage},
	{"damaged", "refused", metric.CheckpointRefused},
}

var savingColumns = phaseColumns(metric.CheckpointPhase, saving.Phases)

var restoreColumns = slices.Concat(phaseColumns(metric.RestorePhase, saving.RestorePhases), []column{
	{"", "read", metric.RestoreBytes},
	{"", "rate", metric.RestoreRate},
	{"lost to", "running", metric.RestoreDowntime},
	{"blackout", "wire", metric.RestoreWire},
	{"blackout", "client", metric.RestoreClient},
})

var bytesColumns = []column{
	{"before", "compression", metric.CheckpointRaw},
	{"", "in files", metric.CheckpointWritten},
	{"", "ratio", metric.CheckpointRatio},
	{"disk", "full", metric.DiskFull},
	{"disk", "increment", metric.DiskIncrement},
	{"disk", "chain", metric.DiskChain},
	{"", "on the link", metric.CheckpointLink},
}

var viewColumns = []column{
	{"", "downtime", metric.CheckpointDowntime},
	{"blackout", "wire", metric.CheckpointWire},
	{"blackout", "client", metric.CheckpointClient},
	{"blackout", "guest", metric.CheckpointGuest},
	{"longest", "downtime", timeline.Downtime},
	{"longest", "wire", timeline.BlackoutWire},
	{"longest", "client", timeline.BlackoutClient},
	{"longest", "guest", timeline.BlackoutGuest},
}

func phaseColumns(prefix string, names []string) (list []column) {
	for _, name := range names {
		list = append(list, column{"", name, prefix + name})
	}
	return list
}

// savingFigure is the phases of a checkpoint, a bar a treatment.
func savingFigure(r Run) (Figure, bool) {
	return stacked(r, []layer{
		{saving.Prepare, metric.CheckpointPhase + saving.Prepare, grey},
		{saving.Freeze, metric.CheckpointPhase + saving.Freeze, black},
		{saving.Dump, metric.CheckpointPhase + saving.Dump, red},
		{saving.Disk, metric.CheckpointPhase + saving.Disk, orange},
		{saving.Thaw, metric.CheckpointPhase + saving.Thaw, yellow},
		{saving.Write, metric.CheckpointPhase + saving.Write, blue},
		{saving.Sync, metric.CheckpointPhase + saving.Sync, sky},
		{saving.Keep, metric.CheckpointPhase + saving.Keep, green},
		{edges.Unattributed, metric.CheckpointPhase + edges.Unattributed, faded(black, 70)},
	}, "checkpoint-phases", "Phases of a checkpoint",
		"Phases of a checkpoint by treatment, one after the other: each is the median over trials of the trial's median checkpoint. Medians of phases need not add up to the median of the whole, which the black line marks. Where the guest stands still, it does so from freeze to thaw.",
		metric.CheckpointTotal, "")
}

// restoreFigure is the phases of a restore, a bar a treatment.
func restoreFigure(r Run) (Figure, bool) {
	return stacked(r, []layer{
		{saving.Verify, metric.RestorePhase + saving.Verify, sky},
		{saving.Spawn, metric.RestorePhase + saving.Spawn, grey},
		{saving.Load, metric.RestorePhase + saving.Load, red},
		{saving.Resume, metric.RestorePhase + saving.Resume, black},
		{saving.Ready, metric.RestorePhase + saving.Ready, green},
		{edges.Unattributed, metric.RestorePhase + edges.Unattributed, faded(black, 70)},
	}, "restore-phases", "Phases of a restore",
		"Phases of a restore by treatment, from when it began until the guest answered: each is the median over trials of the trial's median restore. Medians of phases need not add up to the median of the whole, which the black line marks.",
		metric.RestoreTotal, "")
}
