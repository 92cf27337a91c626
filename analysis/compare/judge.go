package compare

import (
	"fmt"
	"math"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
)

// judge corrects the p-values over the family and gives the verdicts. A test that with these data could not come out below alpha whichever trial
// was whose, such as one of data that are all equal, cannot raise a false alarm and is not of the family (Tarone, Biometrics 46, 1990).
func (r *Result) judge(o Options) {
	p := make([]float64, len(r.Rows))
	for i, row := range r.Rows {
		p[i] = math.NaN()
		if row.Decides.Known && row.leastP() < o.Alpha {
			p[i] = row.Decides.P
			r.Family++
		}
	}
	for i, adjusted := range stats.Holm(p) {
		row := &r.Rows[i]
		row.P = adjusted
		if row.Decides.Known && math.IsNaN(adjusted) {
			row.P = 1
		}
		row.Verdict, row.Why = row.judge(o, r.Family)
	}
}

func (row *Row) judge(o Options, family int) (Verdict, string) {
	switch {
	case !row.Decides.Known:
		return Unknown, row.Decides.Why
	case row.Metric == Failures:
		return row.judgeFailures(o.Alpha)
	case row.P < o.Alpha:
		return row.found()
	}
	s := row.Shift
	if s.Known && s.Confidence > 0 && math.Max(math.Abs(s.Low), math.Abs(s.High)) <= row.Floor {
		return Same, ""
	}
	if row.leastP() == 1 {
		return Undecided, "the data are all alike, or all that they leave open is: no test can tell them apart"
	}
	if least := row.leastP() * float64(max(1, family)); least >= o.Alpha {
		return Undecided, fmt.Sprintf("n is too small: of a family of %d, these trials can give no corrected p below %.2g%s", max(1, family), math.Min(1, least), row.enough(o.Alpha, family))
	}
	return Undecided, ""
}

// found is the verdict of a difference that is not chance.
func (row *Row) found() (Verdict, string) {
	if row.Shift.Known && math.Abs(row.Shift.Value) < row.Floor {
		return Same, "there is a difference, and it is smaller than the effect floor"
	}
	up := row.Decides.Up
	why := ""
	switch {
	case up == 0:
		return Undecided, "the test finds a difference without a direction"
	case !row.Shift.Known:
		why = "by how much is not known, so that the effect floor is not applied: " + row.Shift.Why
	case row.Shift.Value*float64(up) < 0:
		return Undecided, "the test and the shift point in opposite directions"
	}
	switch {
	case row.Info.Better == metric.Neither:
		return Different, why
	case (up > 0) == (row.Info.Better == metric.Lower):
		return Worse, why
	}
	return Better, why
}

// leastP is the smallest p that the deciding test can give of so many trials.
func (row *Row) leastP() float64 {
	switch {
	case row.Metric == Failures:
		return row.leastFisher()
	case row.Base.Known > 0 && row.Head.Known > 0 && row.Base.Min == row.Base.Max && row.Head.Min == row.Head.Max && row.Base.Min == row.Head.Min:
		return 1
	case row.Decides.Least > 0:
		return row.Decides.Least
	case row.Pairs > 0:
		return math.Pow(2, 1-float64(row.Pairs))
	}
	return 2 / choose(row.Base.Known+row.Head.Known, row.Head.Known)
}

// enough says how many trials a side the rank tests need to find anything at all.
func (row *Row) enough(alpha float64, family int) string {
	have := min(row.Base.Known, row.Head.Known)
	if row.Pairs > 0 {
		have = row.Pairs
	}
	for n := 2; n < 100; n++ {
		least, what := 2/choose(2*n, n), "trials a side"
		if row.Pairs > 0 {
			least, what = math.Pow(2, 1-float64(n)), "pairs"
		}
		if least*float64(max(1, family)) < alpha && n <= have {
			return "" // strata or ties need more than that
		}
		if least*float64(max(1, family)) < alpha {
			return fmt.Sprintf("; from %d %s on they could", n, what)
		}
	}
	return ""
}

func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c)
}
