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
	ask   string // "" not unless the experiment sends, else as --influx of run
	limit int
}

func (o *seriesOptions) add(c *cobra.Command) {
	c.Flags().StringVar(&o.ask, "influx", "", "say how many series the run would make in InfluxDB, also where the experiment does not name one; no server is asked, also not at a URL")
	c.Flags().Lookup("influx").NoOptDefVal = asSaid
	c.Flags().IntVar(&o.limit, "influx-series", influx.DefaultSeriesLimit, "refuse a plan that would make more series in InfluxDB")
}

// check finds what is no URL: --influx is as that of run.
func (o *seriesOptions) check() error {
	if o.ask == "" || o.ask == asSaid {
		return nil
	}
	return influx.Target{URL: o.ask, Bucket: "any"}.Check()
}

// write says how many series there would be, where that matters, and refuses too many.
func (o *seriesOptions) write(c *cobra.Command, w io.Writer, p *plan.Plan) error {
	ask, limit := o.ask != "", o.limit
	if own, sends := p.Experiment.InfluxSeries(); sends {
		ask = true
		if !c.Flags().Changed("influx-series") {
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
	return tooManySeries(e, limit)
}

func tooManySeries(e influx.Estimate, limit int) error {
	if e.Series <= limit {
		return nil
	}
	return specError(fmt.Errorf("the run may make %d series in InfluxDB, and %d are allowed: vary fewer factors, start fewer guests, or allow more with influx.series of the experiment (of a plan, with --influx-series)", e.Series, limit))
}

// checkSeries refuses a run that may make more series than its experiment allows.
func checkSeries(p *plan.Plan) error {
	limit, ok := p.Experiment.InfluxSeries()
	if !ok {
		limit = influx.DefaultSeriesLimit
	}
	e, err := estimateSeries(p)
	if err != nil {
		return specError(err)
	}
	return tooManySeries(e, limit)
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
