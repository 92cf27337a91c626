package main

import (
	"fmt"
	"io"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

// seriesOptions are the flags of plan that ask how many series the run would make in InfluxDB.
type seriesOptions struct {
	ask   bool
	limit int
}

func (o *seriesOptions) add(c *cobra.Command) {
	c.Flags().BoolVar(&o.ask, "influx", false, "say how many series the run would make in InfluxDB, also where the experiment does not send it there")
	c.Flags().IntVar(&o.limit, "influx-series", influx.DefaultSeriesLimit, "refuse a plan that would make more series in InfluxDB")
}

// A sender is an experiment that sends its runs to InfluxDB.
type sender interface {
	// InfluxSeries is how many series a run may make, 0 for as many as a plan may by default; ok is false if none is sent.
	InfluxSeries() (limit int, ok bool)
}

// write says how many series there would be, where that matters, and refuses too many.
func (o *seriesOptions) write(c *cobra.Command, w io.Writer, p *plan.Plan) error {
	ask, limit := o.ask, o.limit
	if s, ok := any(p.Experiment).(sender); ok {
		own, sends := s.InfluxSeries()
		ask = ask || sends
		if own > 0 && !c.Flags().Changed("influx-series") {
			limit = own
		}
	}
	if !ask {
		return nil
	}
	e, err := estimateSeries(p)
	if err != nil {
		return specError(err)
	}
	fmt.Fprintf(w, "InfluxDB: at most %d series, most of them of", e.Series)
	for i, part := range e.Parts[:min(3, len(e.Parts))] {
		fmt.Fprintf(w, "%s %s (%d)", map[bool]string{false: ",", true: ""}[i == 0], part.Measurement, part.Series)
	}
	fmt.Fprintln(w)
	if e.Series > limit {
		return specError(fmt.Errorf("plan: the run may make %d series in InfluxDB, and %d are allowed: vary fewer factors, start fewer guests, or allow more with --influx-series", e.Series, limit))
	}
	return nil
}

// estimateSeries adds up what each treatment makes.
func estimateSeries(p *plan.Plan) (influx.Estimate, error) {
	groups := map[influx.Plan]int{}
	seen := map[string]bool{}
	for _, t := range p.Trials {
		if seen[t.Treatment] {
			continue
		}
		seen[t.Treatment] = true
		one, err := seriesPlan(t.Spec)
		if err != nil {
			return influx.Estimate{}, err
		}
		groups[one]++
	}
	var list []influx.Plan
	for one, treatments := range groups {
		one.Treatments = treatments
		list = append(list, one)
	}
	return influx.EstimateSeries(list...), nil
}

// seriesPlan is what bounds the series of a treatment.
func seriesPlan(s *spec.Experiment) (influx.Plan, error) {
	p := influx.Plan{Hosts: s.Testbed.Hosts, Guests: 1, VCPUs: s.Guest.VCPUs, Action: s.Action.Kind()}
	switch a := s.Action; {
	case a.Migrate != nil:
		if a.Migrate.Algorithm == "multifd" {
			p.Channels = a.Migrate.Channels
		}
	case a.Boot != nil:
		p.Guests = a.Boot.Guests
		p.Hosts = max(p.Hosts, a.Boot.Hosts)
	case a.Jobs != nil:
		list, err := a.Jobs.List()
		if err != nil {
			return p, err
		}
		p.Guests = len(list) // each may start a guest
		if a.Jobs.Preempt != "none" {
			p.Guests *= 2 // and another where it goes on
		}
		p.Hosts = max(p.Hosts, a.Jobs.Hosts)
	}
	return p, nil
}
