package stats

import "fmt"

// An Outlier is a datum more than 1.5 interquartile ranges beyond a quartile (Tukey, Exploratory Data Analysis, 1977, section
// 2C). It is no error: it says where to look.
type Outlier struct {
	Trial    string
	Value    float64
	Censored bool // it is at least Value
	High     bool // above the third quartile, else below the first
}

func outliers(sample Sample, s Summary) (list []Outlier, why string) {
	switch {
	case s.Known < 4:
		return nil, fmt.Sprintf("n = %d: outliers need 4 known values", s.Known)
	case s.Q1.AtLeast || s.Q3.AtLeast:
		return nil, "censored values leave a quartile open"
	}
	reach := 1.5 * (s.Q3.Value - s.Q1.Value)
	for _, d := range sample.data {
		switch {
		case !d.Known:
		case d.Value > s.Q3.Value+reach:
			list = append(list, Outlier{d.Trial, d.Value, d.Censored, true})
		case d.Value < s.Q1.Value-reach && !d.Censored:
			list = append(list, Outlier{d.Trial, d.Value, false, false})
		}
	}
	return list, ""
}
