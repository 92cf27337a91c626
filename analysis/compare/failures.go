package compare

import (
	"math"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// failures compares the shares of trials that failed. A trial that could not be read counts here all the same: how it ended is known.
func failures(base, head dataset.Treatment) Row {
	row := Row{Treatment: base.Name, Levels: base.Levels, Metric: Failures, Unit: results.One, Info: metric.Info{Title: "trials that failed", Better: metric.Lower}}
	row.BaseFailed, row.BaseTrials = count(base)
	row.HeadFailed, row.HeadTrials = count(head)
	if row.BaseTrials == 0 || row.HeadTrials == 0 {
		row.Decides = stats.Test{Why: "a side has no trial that ended"}
		return row
	}
	row.Decides = fisher(row.BaseFailed, row.BaseTrials, row.HeadFailed, row.HeadTrials)
	return row
}

func count(t dataset.Treatment) (failed, all int) {
	for _, trial := range t.Trials {
		if !trial.Verdict.Final() {
			continue
		}
		all++
		if trial.Verdict == results.Failed {
			failed++
		}
	}
	return failed, all
}

// fisher is Fisher's exact test, two-sided: the chance of all tables with the same margins that are no likelier than this one.
func fisher(a, m, b, n int) stats.Test {
	chance := func(x int) float64 { return choose(m, x) * choose(n, a+b-x) / choose(m+n, a+b) }
	here, p := chance(a), 0.0
	for x := max(0, a+b-n); x <= min(m, a+b); x++ {
		if c := chance(x); c <= here*(1+1e-7) {
			p += c
		}
	}
	return stats.Test{Name: "Fisher's exact", Statistic: float64(b)/float64(n) - float64(a)/float64(m), P: math.Min(1, p), Exact: true, Known: true}
}

func (row *Row) judgeFailures(alpha float64) (Verdict, string) {
	switch {
	case row.P < alpha && row.Decides.Statistic > 0:
		return Worse, ""
	case row.P < alpha:
		return Better, ""
	case row.BaseFailed == 0 && row.HeadFailed == 0:
		return Same, ""
	}
	return Undecided, ""
}

// leastFisher is the smallest p that the margins allow.
func (row *Row) leastFisher() float64 {
	failed, least := row.BaseFailed+row.HeadFailed, 1.0
	for x := max(0, failed-row.HeadTrials); x <= min(row.BaseTrials, failed); x++ {
		least = min(least, fisher(x, row.BaseTrials, failed-x, row.HeadTrials).P)
	}
	return least
}
