package recovery

import (
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Metrics lists the figures of failures, and those of the checkpoints; package metric names them.
func (r *Report) Metrics(log *edges.Log, w edges.Window) []metric.Metric {
	var list []metric.Metric
	add := func(name string, q quantity.Quantity) { list = append(list, metric.Metric{Name: name, Quantity: q}) }
	count := func(is func(*Failure) bool) quantity.Quantity {
		n := 0
		for i := range r.Failures {
			if is(&r.Failures[i]) {
				n++
			}
		}
		return quantity.Exactly(float64(n), results.One)
	}
	const none = "no failure was injected"
	add(metric.RecoveryFailures, count(func(*Failure) bool { return true }))
	add(metric.RecoveryRecovered, count(func(f *Failure) bool { return f.End != nil }))
	add(metric.RecoveryFalseAlarms, quantity.Exactly(float64(r.Alarms), results.One))
	add(metric.RecoveryPeriod, r.Period)
	add(metric.RecoveryOverhead, r.Overhead)
	add(metric.RecoveryCost, r.Optimum.Cost)
	if len(r.Failures) > 0 {
		at := func(name string, p float64, u results.Unit, of func(*Failure) quantity.Quantity) {
			add(name, quantity.Quantile(each(r.Failures, of), p, u, none))
		}
		at(metric.RecoveryDetection, 0.5, results.Seconds, func(f *Failure) quantity.Quantity { return f.Detection })
		at(metric.RecoveryRestart, 0.5, results.Seconds, func(f *Failure) quantity.Quantity { return f.Restart })
		at(metric.RecoveryTime, 0.5, results.Seconds, func(f *Failure) quantity.Quantity { return f.Recovery })
		at(metric.RecoveryTimeMax, 1, results.Seconds, func(f *Failure) quantity.Quantity { return f.Recovery })
		at(metric.RecoveryOutage, 0.5, results.Seconds, func(f *Failure) quantity.Quantity { return f.Outage })
		at(metric.RecoveryLost, 0.5, results.Seconds, func(f *Failure) quantity.Quantity { return f.Lost })
		at(metric.RecoveryLostMax, 1, results.Seconds, func(f *Failure) quantity.Quantity { return f.Lost })
		at(metric.RecoveryLostCount, 0.5, r.counted(), func(f *Failure) quantity.Quantity { return f.LostWork })
		add(metric.RecoveryExceeded, r.exceeded(count(func(f *Failure) bool { return f.Exceeds })))
		add(metric.RecoveryAvailability, r.Availability)
		add(metric.RecoveryMTBF, r.MTBF)
		add(metric.RecoveryYoung, r.Optimum.Young)
		add(metric.RecoveryDaly, r.Optimum.Daly)
		add(metric.RecoveryWaste, r.Optimum.Measured)
		add(metric.RecoveryPredicted, r.Optimum.Predicted)
	}
	return append(list, r.Saving.Metrics(log, w)...)
}

// exceeded is a count that is known only if all that it is of could be checked.
func (r *Report) exceeded(n quantity.Quantity) quantity.Quantity {
	if !r.Period.Known {
		return quantity.Unknown(results.One, r.Period.Why)
	}
	for _, f := range r.Failures {
		if !f.Lost.Known {
			return quantity.AtLeast(n.Value, results.One, "what some failures lost is not known: "+f.Lost.Why)
		}
	}
	return n
}

// counted is the unit of the workload's counter.
func (r *Report) counted() results.Unit {
	for _, f := range r.Failures {
		if f.LostWork.Known {
			return f.LostWork.Unit
		}
	}
	return results.One
}
