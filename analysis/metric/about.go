package metric

// Better says which way of a metric is better.
type Better int

// A metric with neither is described and tested, but is no regression either way.
const (
	Neither Better = iota
	Lower
	Higher
)

// An Info says how a metric is judged.
type Info struct {
	Title    string  // for a figure's axis and a table, such as "total migration time"
	Better   Better  // Neither: it is not gated by default
	Absolute float64 // effect floor in the metric's unit: less is no difference that matters
	Relative float64 // effect floor as a share of the base, such as 0.02
	Headline bool    // an answer is given of it first
}

// About says how a metric is judged, by name; one that is not known here has its name for a title and Neither.
func About(name string) Info {
	return Info{Title: name}
}
