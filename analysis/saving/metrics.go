package saving

import (
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Kept are the checkpoints that were.
func (r *Report) Kept() []Checkpoint {
	var list []Checkpoint
	for _, c := range r.Checkpoints {
		if c.Failed == "" && !c.Open {
			list = append(list, c)
		}
	}
	return list
}

// Metrics lists the figures of checkpoints and restores; package metric names them. Those of the link are read within w.
func (r *Report) Metrics(log *edges.Log, w edges.Window) []metric.Metric {
	list := r.checkpointMetrics()
	if b, ok := onLink(log, w); ok {
		list = append(list, metric.Metric{Name: metric.CheckpointLink, Quantity: b})
	}
	if len(r.Damaged) > 0 || len(r.Refused) > 0 {
		list = append(list, metric.Metric{Name: metric.CheckpointRefused, Quantity: quantity.Exactly(float64(len(r.Refused)), results.One)})
	}
	if len(r.Restores) > 0 {
		list = append(list, r.restoreMetrics()...)
	}
	return list
}

func (r *Report) checkpointMetrics() []metric.Metric {
	var list []metric.Metric
	kept := r.Kept()
	const none = "no checkpoint was kept"
	median := func(name string, u results.Unit, from []Checkpoint, of func(*Checkpoint) quantity.Quantity) {
		var all []quantity.Quantity
		for i := range from {
			all = append(all, of(&from[i]))
		}
		list = append(list, metric.Metric{Name: name, Quantity: quantity.Median(all, u, none)})
	}
	median(metric.CheckpointTotal, results.Seconds, r.Checkpoints, func(c *Checkpoint) quantity.Quantity { return c.Total })
	for _, name := range Phases {
		if r.passed(name) {
			median(metric.CheckpointPhase+name, results.Seconds, kept, func(c *Checkpoint) quantity.Quantity { return c.Phase(name) })
		}
	}
	median(metric.CheckpointDowntime, results.Seconds, kept, func(c *Checkpoint) quantity.Quantity { return c.Downtime })
	median(metric.CheckpointRaw, results.Bytes, kept, func(c *Checkpoint) quantity.Quantity { return c.Raw })
	median(metric.CheckpointWritten, results.Bytes, kept, func(c *Checkpoint) quantity.Quantity { return c.Written })
	median(metric.CheckpointRatio, results.One, kept, func(c *Checkpoint) quantity.Quantity { return c.Ratio })
	median(metric.CheckpointRate, results.BytesPerSecond, kept, func(c *Checkpoint) quantity.Quantity { return c.Rate })
	list = append(list,
		metric.Metric{Name: metric.CheckpointCount, Quantity: quantity.Exactly(float64(len(kept)), results.One)},
		metric.Metric{Name: metric.CheckpointFailed, Quantity: quantity.Exactly(float64(len(r.Checkpoints)-len(kept)), results.One)})
	return append(list, diskMetrics(kept)...)
}

// passed reports whether a checkpoint that was kept went through a phase.
func (r *Report) passed(name string) bool {
	for _, c := range r.Kept() {
		if q := c.Phase(name); q.Known && q.Value > 0 {
			return true
		}
	}
	return false
}

// diskMetrics are of the copies of the disk, where it was copied.
func diskMetrics(kept []Checkpoint) []metric.Metric {
	var full, step, chains []quantity.Quantity
	for _, c := range kept {
		switch c.DiskKind {
		case "full":
			full, chains = append(full, c.DiskSize), append(chains, c.DiskSize)
		case "incremental":
			step = append(step, c.DiskSize)
			if n := len(chains); n > 0 {
				chains[n-1] = quantity.Sum([]quantity.Quantity{chains[n-1], c.DiskSize}, results.Bytes, "")
			}
		}
	}
	var list []metric.Metric
	if len(full) > 0 {
		list = append(list, metric.Metric{Name: metric.DiskFull, Quantity: quantity.Median(full, results.Bytes, "")})
	}
	if len(step) > 0 {
		list = append(list, metric.Metric{Name: metric.DiskIncrement, Quantity: quantity.Median(step, results.Bytes, "")})
		if len(chains) > 0 {
			list = append(list, metric.Metric{Name: metric.DiskChain, Quantity: quantity.Quantile(chains, 1, results.Bytes, "")})
		}
	}
	return list
}

func (r *Report) restoreMetrics() []metric.Metric {
	var list []metric.Metric
	median := func(name string, u results.Unit, of func(*Restore) quantity.Quantity) {
		var all []quantity.Quantity
		for i := range r.Restores {
			all = append(all, of(&r.Restores[i]))
		}
		list = append(list, metric.Metric{Name: name, Quantity: quantity.Median(all, u, "")})
	}
	median(metric.RestoreTotal, results.Seconds, func(x *Restore) quantity.Quantity { return x.Total })
	for _, name := range RestorePhases {
		median(metric.RestorePhase+name, results.Seconds, func(x *Restore) quantity.Quantity { return phase(x.Phases, name) })
	}
	median(metric.RestoreDowntime, results.Seconds, func(x *Restore) quantity.Quantity { return x.Downtime })
	median(metric.RestoreOutage, results.Seconds, func(x *Restore) quantity.Quantity { return x.Outage })
	median(metric.RestoreBytes, results.Bytes, func(x *Restore) quantity.Quantity { return x.Bytes })
	median(metric.RestoreRate, results.BytesPerSecond, func(x *Restore) quantity.Quantity { return x.Rate })
	return list
}

// onLink is what checkpoints were between the hosts, in frames at the capture; ok is false if there were none.
func onLink(log *edges.Log, w edges.Window) (q quantity.Quantity, ok bool) {
	var sum float64
	for _, r := range log.In(results.FlowBytes, w) {
		if r.Attrs["flow"] == results.FlowCheckpoint && r.Source == results.SourceCaptureSwitch && r.Value >= 0 {
			sum, ok = sum+r.Value, true
		}
	}
	return quantity.Exactly(sum, results.Bytes), ok
}
