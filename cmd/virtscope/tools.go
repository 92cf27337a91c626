package main

import (
	"errors"
	"os/exec"
	"virtscope/experiments/spec"
	"virtscope/probes/load"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// checkTools looks for the programs of this machine that a trial will run.
func checkTools(s *spec.Experiment) error {
	var errs []error
	if d := s.Guest.Disk; d != nil && d.Format == image.QCOW2 {
		errs = append(errs, image.CheckQCOW2())
	}
	if s.Workload.Has(load.Redis) && s.Workload.KV.Benchmark {
		errs = append(errs, checkBenchmark())
	}
	return errors.Join(errs...)
}

// checkBenchmark looks for redis' own client.
func checkBenchmark() error {
	if _, err := exec.LookPath("redis-benchmark"); err != nil {
		return &guest.NotSupportedError{
			Feature: "workload.kv.benchmark", Where: "this machine", Err: err,
			Remedy: "install it with `apt-get install redis-tools`, or set workload.kv.benchmark: false",
		}
	}
	return nil
}
