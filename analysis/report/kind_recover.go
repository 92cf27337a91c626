package report

import (
	"slices"
	"virtscope/analysis/metric"
)

func recoverKind() kind {
	return kind{
		verified: true,
		headline: metric.RecoveryTime, headlineName: "recovery time", headlineShort: "a recovery took",
		columns: func(groups []group) []column {
			return slices.Concat(some(groups, recoverColumns), []column{{"slower by", "checkpoints", metric.RecoveryOverhead}, {"checkpoint", "downtime", metric.CheckpointDowntime}})
		},
		more: func(groups []group) []section {
			return []section{
				{periodTitle, some(groups, periodColumns), 0},
				{savingTitle, some(groups, savingColumns), 0},
				{bytesTitle, some(groups, bytesColumns), 0},
				{restoreTitle, some(groups, restoreColumns), 0},
			}
		},
		compared: []comparison{
			{metric.RecoveryTime, "Recovery time", "a failure's effect to the guest's answer"},
			{metric.RecoveryLost, "Lost work", "the guest's own time that was lost"},
			{metric.RecoveryOverhead, "What checkpoints cost", "slower than in the baseline by a share"},
			{metric.RecoveryWaste, "Waste", "waste over work"},
		},
		figures:      []func(Run) (Figure, bool){recoveryFigure, savingFigure, restoreFigure, phaseFigure},
		trialFigures: []oneFigure{{"Failures and recoveries over time", failuresFigure}},
	}
}

var recoverColumns = []column{
	{"failures", "injected", metric.RecoveryFailures},
	{"failures", "recovered", metric.RecoveryRecovered},
	{"", "detection", metric.RecoveryDetection},
	{"", "restart", metric.RecoveryRestart},
	{"", "recovery", metric.RecoveryTime},
	{"outage", "client", metric.RecoveryOutage},
	{"lost work", "time", metric.RecoveryLost},
	{"lost work", "most", metric.RecoveryLostMax},
	{"lost work", "counter", metric.RecoveryLostCount},
	{"above the", "period", metric.RecoveryExceeded},
	{"false", "alarms", metric.RecoveryFalseAlarms},
	{"", "availability", metric.RecoveryAvailability},
}

var periodColumns = []column{
	{"", "period", metric.RecoveryPeriod},
	{"a checkpoint", "costs", metric.RecoveryCost},
	{"between", "failures", metric.RecoveryMTBF},
	{"optimum by", "Young", metric.RecoveryYoung},
	{"optimum by", "Daly", metric.RecoveryDaly},
	{"waste", "measured", metric.RecoveryWaste},
	{"waste", "predicted", metric.RecoveryPredicted},
}

// recoveryFigure is what a recovery consists of, a bar a treatment.
func recoveryFigure(r Run) (Figure, bool) {
	return stacked(r, []layer{
		{"detection", metric.RecoveryDetection, red},
		{"restart", metric.RecoveryRestart, orange},
	}, "recovery", "Recovery from a failure",
		"How long until a failure was detected, and the restart until the guest answered, by treatment: each is the median over trials of the trial's median failure. The black line marks the median of the whole, from a failure's effect to the guest's answer.",
		metric.RecoveryTime, "")
}
