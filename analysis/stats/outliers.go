package stats

import "slices"

// An Outlier is a datum beyond Tukey's fences. It is named, and stays in all statistics.
type Outlier struct {
	Trial string
	Value float64
	Fence float64 // the nearer fence, which it is beyond
}

// Outliers are the data more than 1.5 interquartile ranges beyond a quartile (Tukey, Exploratory Data Analysis, 1977, section 2E).
// A censored datum is one only above the upper fence. Of fewer than 5 known data none are named: the quartiles are not known.
func Outliers(s Sample) []Outlier {
	known := s.known()
	if len(known) < 5 {
		return nil
	}
	sorted := numbers(known)
	slices.Sort(sorted)
	q1, q3 := Quantile(sorted, 0.25), Quantile(sorted, 0.75)
	low, high := q1-1.5*(q3-q1), q3+1.5*(q3-q1)
	var list []Outlier
	for _, d := range known {
		switch {
		case d.Value > high:
			list = append(list, Outlier{d.Trial, d.Value, high})
		case d.Value < low && !d.Censored:
			list = append(list, Outlier{d.Trial, d.Value, low})
		}
	}
	return list
}
