package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"virtscope/analysis/report"
	"virtscope/experiments"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"

	"github.com/spf13/cobra"
)

// loadPlan loads an experiment and plans it. Name is a file, or the bare name of one in the catalogue that
// virtscope carries.
func loadPlan(name string) (*plan.Plan, error) {
	loaded, err := loadExperiment(name)
	if err != nil {
		return nil, specError(err)
	}
	p, err := plan.Make(loaded)
	return p, specError(err)
}

// addScaleFlag gives c the flag that planAtScale reads.
func addScaleFlag(c *cobra.Command) {
	c.Flags().Float64("scale", 1, "multiply every amount and rate of data by this, in place of the file's scale")
}

// planAtScale is loadPlan at the scale of c's flag, where it is given.
func planAtScale(c *cobra.Command, name string) (*plan.Plan, error) {
	loaded, err := loadExperiment(name)
	if err != nil {
		return nil, specError(err)
	}
	if err := loaded.CheckMetrics(report.WantMetric); err != nil {
		return nil, specError(err)
	}
	if err := checkStopRule(stopRule(loaded)); err != nil {
		return nil, specError(fmt.Errorf("%s: %w", name, err))
	}
	if c.Flags().Changed("scale") {
		x, _ := c.Flags().GetFloat64("scale") // addScaleFlag made it
		if err := loaded.SetScale(x); err != nil {
			return nil, specError(err)
		}
	}
	p, err := plan.Make(loaded)
	return p, specError(err)
}

func loadExperiment(name string) (*spec.Experiment, error) {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "/.") {
		return spec.LoadFS(experiments.Catalogue, name+".yaml")
	}
	return spec.Load(name)
}
