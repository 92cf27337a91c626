package plan

import (
	"math"
	"slices"
	"time"
	"virtscope/experiments/spec"
)

const (
	// A distribution's image, and what its start reads of it. Those of a user's image are not looked at before the run.
	imageSize    = 1 << 30   // B
	imageTouched = 150 << 20 // B
	// A template on the host itself is copied at this rate; memory is written at the other.
	copyRate   = 300e6 // B/s
	memoryRate = 1e9   // B/s
)

// boots is how long it takes until all guests are ready: as the last of them arrives, as the cores and the concurrency let
// them start, or as the image server's link lets their disks through, whichever takes longest.
func boots(e *spec.Experiment) time.Duration {
	b := e.Action.Boot
	n := float64(b.Guests)
	each := start(e).Seconds()
	together := min(n, cores)
	if b.Concurrency > 0 {
		together = min(together, float64(b.Concurrency))
	}
	last := 0.0
	if times, err := b.ArrivalTimes(e.Order.Seed); err == nil { // an error was reported when the experiment was read
		last = slices.Max(times).Seconds()
	}
	disks, own := provision(e, n, float64(min(b.Hosts, b.Guests)))
	sum := max(last+each+own, n*(each+own)/together, disks+each)
	return min(seconds(sum), time.Duration(b.Timeout))
}

// provision is how long the disks of n guests on some hosts take, all together on the image server's link, and each on its own host,
// in s.
func provision(e *spec.Experiment, n, hosts float64) (shared, own float64) {
	size, touched := float64(imageSize), float64(imageTouched)
	if d := e.Guest.Disk; d != nil {
		size, touched = float64(d.Size)*d.Filled, 0
	}
	link := linkRate(e.Testbed.Link)
	switch p := e.Provision; p.Method {
	case "copy":
		if p.From == "host" {
			return 0, size / copyRate
		}
		return n * size / link, 0
	case "nbd":
		return n * touched / link, 0
	case "tree": // the server feeds its nearest hosts, and each its own
		levels := math.Ceil(math.Log(1+hosts) / math.Log(1+float64(p.Fanout)))
		return min(hosts, float64(p.Fanout)) * touched / link * max(1, levels), 0
	}
	return 0, 0
}

// linkRate is what passes a link, in B/s.
func linkRate(l spec.Link) float64 {
	rate := float64(unlimited)
	for _, r := range []spec.Rate{l.Effective().Rate, l.Sends()} {
		if r > 0 {
			rate = min(rate, float64(r))
		}
	}
	return rate
}

// checkpoints are made one after the other, at their interval or as fast as they go; then the last one is restored.
func checkpoints(e *spec.Experiment) time.Duration {
	k := e.Action.Checkpoint
	each := min(save(e, k.Save), k.Timeout.Seconds())
	sum := max(each, k.Interval.Seconds())*float64(k.Count-1) + each
	if k.Restore != "none" && k.Damage == "none" {
		sum += min(restore(e, k.Save), k.Timeout.Seconds())
	}
	return seconds(sum)
}

// save is the time of a checkpoint in s. What compression gains or costs depends on the CPU.
func save(e *spec.Experiment, s spec.Saving) float64 {
	rate := map[string]float64{"disk": fillRate, "memory": memoryRate}[s.To]
	if s.To == "other" {
		rate = migrationRate(e)
	}
	sum := held(e) / rate
	if s.Format == "memory-file" {
		sum = float64(e.Guest.Memory) / rate // also what it does not hold
	}
	if d := e.Guest.Disk; d != nil && s.Disk == "full" {
		sum += float64(d.Size) * d.Filled / fillRate
	}
	return sum
}

// restore is the time of a restore in s: memory that is read on demand is not waited for.
func restore(e *spec.Experiment, s spec.Saving) float64 {
	sum := startWarm.Seconds()
	if s.Load == "eager" {
		sum += held(e) / copyRate
	}
	if d := e.Guest.Disk; d != nil {
		sum += float64(d.Size) * d.Filled / copyRate
	}
	return sum
}

// recoveries come one after the other, each with the time until the next failure.
func recoveries(e *spec.Experiment) time.Duration {
	r := e.Action.Recover
	if r.Failures == 0 {
		return time.Duration(r.For)
	}
	each := r.Every.Seconds() + min(restore(e, r.Save), r.Timeout.Seconds())
	if r.Detect != "process" {
		each += r.DetectAfter.Seconds()
	}
	return seconds(each * float64(r.Failures))
}

// jobs end as the last one arrives and runs, or as the guests get through all of them, whichever takes longer. Without a keep-alive each job
// has a guest started for it.
func jobs(e *spec.Experiment) time.Duration {
	j := e.Action.Jobs
	list, err := j.List()
	if err != nil {
		return 0 // reported when the experiment was read
	}
	starts := float64(min(j.Cap, len(list)))
	if j.KeepAlive == 0 {
		starts = float64(len(list))
	}
	work, last := starts*start(e).Seconds(), 0.0
	for _, job := range list {
		work += job.Run.Seconds()
		last = max(last, (job.Submit + job.Run).Seconds())
	}
	return min(seconds(max(last+start(e).Seconds(), work/float64(min(j.Cap, cores)))), time.Duration(j.Timeout))
}
