package spec

import (
	"fmt"
	"strings"
)

// StopWhen says when a treatment has enough trials. The interval is one that may be looked at after every trial.
type StopWhen struct {
	// Metric that must be known, such as downtime, as trials.csv names it. Required.
	Metric string `yaml:"metric" json:"metric" jsonschema:"required"`
	// Within is the most that half the interval of its median may be, as a share of the median. Default: 0.05.
	Within float64 `yaml:"within" json:"within" jsonschema:"exclusiveMinimum=0,maximum=10"`
	// Confidence of the interval over all looks together. Default: 0.95.
	Confidence float64 `yaml:"confidence" json:"confidence" jsonschema:"minimum=0.5,maximum=0.9999"`
	// AtLeast is how many trials of a treatment are run before the first look. Default: 6.
	AtLeast int `yaml:"at-least" json:"at-least" jsonschema:"minimum=2,maximum=10000"`
}

// stopWhen checks what the rule has with the plan.
func (c *checker) stopWhen() {
	n := c.root.find("stop-when")
	if n == nil || c.e.StopWhen == nil || c.reported.bad["stop-when"] {
		return
	}
	s := c.e.StopWhen
	switch {
	case s.Metric == "" && !c.reported.bad["stop-when.metric"]:
		c.at(n, "stop-when.metric", "", "want the metric that must be known, such as downtime")
	case !c.reported.bad["stop-when.metric"] && !metricPattern.MatchString(s.Metric):
		c.at(n.find("metric"), "stop-when.metric", s.Metric, "want a metric as trials.csv names it, such as downtime")
	}
	if c.e.Replicates < s.AtLeast && !c.reported.bad["replicates"] && !c.reported.bad["stop-when.at-least"] {
		c.at(n, "stop-when", "", fmt.Sprintf("want at least as many replicates as trials before the first look (at-least: %d); there are %d", s.AtLeast, c.e.Replicates))
	}
}

// stopPlace is where stop-when names its metric.
func stopPlace(root *node) Problem {
	section := root.find("stop-when")
	if section == nil || section.kind != mapping {
		return Problem{}
	}
	n := section.find("metric")
	if n == nil {
		return Problem{}
	}
	return Problem{n.file, n.line, n.col, "stop-when.metric", n.String(), ""}
}

// checkStop asks known of the metric of stop-when.
func (e *Experiment) checkStop(known func(string) string) Problems {
	if e.StopWhen == nil || e.StopWhen.Metric == "" {
		return nil
	}
	want := known(e.StopWhen.Metric)
	if want == "" {
		return nil
	}
	p := e.stopPlace
	if p.Path == "" {
		p = Problem{File: strings.TrimSpace(e.Name), Path: "stop-when.metric", Value: e.StopWhen.Metric}
	}
	p.Want = want
	return Problems{p}
}
