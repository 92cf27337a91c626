package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"virtscope/experiments"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
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

func loadExperiment(name string) (*spec.Experiment, error) {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "/.") {
		return spec.LoadFS(experiments.Catalogue, name+".yaml")
	}
	return spec.Load(name)
}
