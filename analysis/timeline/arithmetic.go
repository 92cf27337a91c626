package timeline

// seconds converts ns to s.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// quantile is the p-quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan 1996,
// type 7). There must be a value.
func quantile(sorted []int64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return float64(sorted[len(sorted)-1])
	}
	return float64(sorted[i]) + (h-float64(i))*float64(sorted[i+1]-sorted[i])
}
