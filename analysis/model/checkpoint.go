package model

import (
	"fmt"
	"math"
)

// A Checkpointing is work that is saved every so often because it fails every so often. Failures come as a Poisson process, also
// while a checkpoint is made or read back.
type Checkpointing struct {
	Cost float64 // s that a checkpoint delays the work, above 0: Daly's δ, Young's T_s
	MTBF float64 // s between failures on average, above 0: Daly's M, Young's T_f
	// Restart is the time in s from a failure until the work goes on from its last checkpoint, detection included, at least 0: Daly's R.
	Restart float64
}

// An Interval is an optimum that a model gives.
type Interval struct {
	Work   float64 // s of work between two checkpoints
	Period float64 // s from the begin of one to the begin of the next: Work + Cost
	// Holds is false where the model is asked beyond what it was made for, and Why says so.
	Holds bool
	Why   string
}

// Young is the first order approximation of Young (A first order approximation to the optimum checkpoint interval,
// Communications of the ACM 17(9), 1974, pp. 530–531): √(2·Cost·MTBF) of work between checkpoints. It leaves out failures during
// checkpoints and restarts, and holds where Cost is far below MTBF: taken here as below a tenth of it.
func (c Checkpointing) Young() (Interval, error) {
	if err := c.known(); err != nil {
		return Interval{}, err
	}
	i := c.interval(math.Sqrt(2 * c.Cost * c.MTBF))
	if c.Cost >= c.MTBF/10 {
		i.Holds, i.Why = false, "a checkpoint takes a tenth of the mean time between failures, or more: Young's first order leaves out too much"
	}
	return i, nil
}

// Daly is the higher order estimate of Daly (A higher order estimate of the optimum checkpoint interval for restart dumps,
// Future Generation Computer Systems 22(3), 2006, pp. 303–312):
//
//	√(2δM)·(1 + ⅓·√(δ/2M) + ⅑·δ/2M) − δ of work where δ < 2M, else M
//
// Its optimum does not depend on the time of a restart. Beside the numeric optimum of Wall it is too short by less than 0.1 % where a
// checkpoint takes a tenth of the time between failures, by 2 % where it takes all of it.
func (c Checkpointing) Daly() (Interval, error) {
	if err := c.known(); err != nil {
		return Interval{}, err
	}
	if c.Cost >= 2*c.MTBF {
		i := c.interval(c.MTBF)
		i.Holds, i.Why = false, "a checkpoint takes twice the mean time between failures, or more: hardly one is ever completed"
		return i, nil
	}
	x := math.Sqrt(c.Cost / (2 * c.MTBF))
	return c.interval(math.Sqrt(2*c.Cost*c.MTBF)*(1+x/3+x*x/9) - c.Cost), nil
}

// Wall is the time in s that so much work (s) is expected to take with checkpoints after every so much of it, failures and restarts
// included: the complete model of the same paper as Daly's estimate,
//
//	M·exp(R/M)·(exp((τ+δ)/M) − 1)·work/τ
//
// where τ is the work between checkpoints. It is +Inf where that is beyond what a number holds.
func (c Checkpointing) Wall(work, between float64) (float64, error) {
	if err := c.known(); err != nil {
		return 0, err
	}
	if err := positive("the time of checkpointed work", map[string]float64{"work": work, "work between checkpoints": between}); err != nil {
		return 0, err
	}
	return c.MTBF * math.Exp(c.Restart/c.MTBF) * math.Expm1((between+c.Cost)/c.MTBF) * work / between, nil
}

// Overhead is what checkpoints, lost work and restarts add to the work, as a share of it: Wall / work − 1, at least 0.
func (c Checkpointing) Overhead(between float64) (float64, error) {
	wall, err := c.Wall(1, between)
	if err != nil {
		return 0, err
	}
	return wall - 1, nil
}

func (c Checkpointing) interval(work float64) Interval {
	return Interval{Work: work, Period: work + c.Cost, Holds: true}
}

func (c Checkpointing) known() error {
	if err := positive("the checkpoint interval", map[string]float64{"cost of a checkpoint": c.Cost, "mean time between failures": c.MTBF}); err != nil {
		return err
	}
	if !(c.Restart >= 0) || math.IsInf(c.Restart, 1) {
		return fmt.Errorf("predict the checkpoint interval: restart is %g: it must be known and not be negative", c.Restart)
	}
	return nil
}
