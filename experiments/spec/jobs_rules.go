package spec

import (
	"fmt"
	"time"
)

func (c *checker) jobs(j Jobs) {
	const at = "action.jobs."
	if j.Timeout <= 0 {
		c.want("want more than 0", at+"timeout")
		return
	}
	c.hosts(at+"hosts", j.Hosts)
	if kind := c.e.Workload.Kind; kind != "idle" {
		c.fleetIsIdle("jobs", kind)
	}
	c.ownDisks("jobs")
	list, err := j.List()
	if err != nil {
		c.want(err.Error(), at+"trace", at+"first")
		return
	}
	var largest Bytes
	var last time.Duration
	for _, job := range list {
		largest = max(largest, Bytes(job.Memory))
		last = max(last, job.Submit)
	}
	if need := GuestFloor + largest; c.e.Guest.Memory < need {
		c.want(fmt.Sprintf("want guest.memory (now %s) of at least %s: %s for the kernel and the agent + %s of the largest job",
			c.e.Guest.Memory, (need+mib-1)/mib*mib, GuestFloor, largest), "guest.memory", at+"trace")
	}
	if last >= time.Duration(j.Timeout) {
		c.want(fmt.Sprintf("want jobs that arrive before action.jobs.timeout (%s); the last comes at %s", j.Timeout, Duration(last)),
			at+"timeout", at+"time-scale", at+"trace")
	}
}
