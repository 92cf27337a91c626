package main

import (
	"errors"
	"virtscope/experiments/spec"
	"virtscope/probes/load"
	"virtscope/testbed/image"
)

// tools says which programs of others are there for what a few experiments ask for.
func (d *doctor) tools() {
	d.optional("guests with programs, such as redis (mmdebstrap, mke2fs)", image.CheckRoot(), "yes")
	d.optional("workload.kv.benchmark (redis-benchmark)", load.CheckBenchmark(), "yes")
	d.optional("guest.disk.format: qcow2 (qemu-img)", image.CheckQCOW2(), "yes")
}

// checkTools wants the programs that an experiment needs beside its guest, before anything starts.
func checkTools(s *spec.Experiment) error {
	var errs []error
	if s.Guest.Disk != nil && s.Guest.Disk.Format == image.QCOW2 {
		errs = append(errs, image.CheckQCOW2())
	}
	if s.Workload.Has(load.Redis) && s.Workload.KV.Benchmark {
		errs = append(errs, load.CheckBenchmark())
	}
	return errors.Join(errs...)
}
