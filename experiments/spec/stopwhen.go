package spec

import (
	"fmt"
	"math"
	"strings"
)

// StopWhen ends the replicates of a treatment as soon as one of its figures is known well enough.
type StopWhen struct {
	// Metric whose median has to be known, such as downtime, as trials.csv names it. Required.
	Metric string `yaml:"metric" json:"metric" jsonschema:"required"`
	// Interval: how far from the median the ends of its confidence interval may be, as a share of it. Required.
	Interval Percent `yaml:"interval" json:"interval" jsonschema:"required"`
	// Confidence of the interval over all looks together: that it was looked at after each replicate is paid for. Default: 95%.
	Confidence Percent `yaml:"confidence" json:"confidence"`
	// AtLeast so many replicates of each treatment run. Default: 5.
	AtLeast int `yaml:"at-least" json:"at-least" jsonschema:"minimum=2,maximum=10000"`
}

// DefaultStopWhen is a rule to stop with every default filled in.
func DefaultStopWhen() StopWhen { return StopWhen{Confidence: 95, AtLeast: 5} }

// MedianNeeds is the least number of values whose extremes enclose a median with this confidence: 1 − 2^(1−n) is at least that.
func (p Percent) MedianNeeds() int { return int(math.Ceil(1 - math.Log2(1-p.Share()) - 1e-9)) }

// stopWhen checks that the rule can ever hold.
func (c *checker) stopWhen() {
	s := c.e.StopWhen
	if s == nil || c.reported.bad["stop-when"] {
		return
	}
	const at = "stop-when."
	switch {
	case s.Metric == "":
		c.missing("want the metric whose median has to be known, such as total", at+"metric")
	case !metricPattern.MatchString(s.Metric):
		c.want("want a metric as trials.csv names it, such as downtime", at+"metric")
	}
	switch {
	case c.root.find(at+"interval") == nil:
		c.missing("want how far from the median its interval may reach, such as 5%", at+"interval")
	case s.Interval <= 0 || s.Interval >= 100:
		c.want("want more than 0% and less than 100%", at+"interval")
	}
	if s.Confidence < 50 || s.Confidence > 99.9999 {
		c.want("want from 50% to 99.9999%", at+"confidence")
		return
	}
	if s.AtLeast > c.e.Replicates {
		c.want(fmt.Sprintf("want at most %d: there are no more replicates, and replicates is the most that are run", c.e.Replicates), at+"at-least", "replicates")
	} else if n := s.Confidence.MedianNeeds(); c.e.Replicates < n {
		c.want(fmt.Sprintf("want %d replicates or more: no interval of fewer holds a median with a confidence of %s", n, s.Confidence), "replicates", at+"confidence")
	}
}

// stopPlace marks the metric of stop-when among metricPlaces, beside the places in the list of plots.
const stopPlace = -1

// stopMetric asks known of the metric of stop-when, as CheckMetrics does of those of plots.
func (e *Experiment) stopMetric(known func(name string) (want string)) Problems {
	if e.StopWhen == nil || e.StopWhen.Metric == "" {
		return nil
	}
	want := known(e.StopWhen.Metric)
	if want == "" {
		return nil
	}
	problem, ok := e.metricPlaces[stopPlace]
	if !ok {
		problem = Problem{File: strings.TrimSpace(e.Name), Path: "stop-when.metric", Value: e.StopWhen.Metric}
	}
	problem.Want = want
	return Problems{problem}
}
