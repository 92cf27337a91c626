package main

import "virtscope/testbed/image"

// tools says which programs of others are there for what a few experiments ask for.
func (d *doctor) tools() {
	d.optional("guests with programs, such as redis (mmdebstrap, mke2fs)", image.CheckRoot(), "yes")
	d.optional("workload.kv.benchmark (redis-benchmark)", checkBenchmark(), "yes")
	d.optional("guest.disk.format: qcow2 (qemu-img)", image.CheckQCOW2(), "yes")
}
