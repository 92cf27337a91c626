package plan

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/experiments/spec"
)

// More plans as many replicates again of some of e's treatments, for a look at them together with those that a run of e has: look is from 2. Only
// names them as the plan of e does; none of them is all. The replicates are numbered on, and shuffled by another seed. It is an error if e has no
// such treatment.
func More(e *spec.Experiment, only []string, look int) (*Plan, error) {
	if look < 2 {
		return nil, fmt.Errorf("plan %s: look %d: the trials of the first are those of the experiment itself", e.Name, look)
	}
	other := e.Clone()
	other.Order.Seed += uint64(look) - 1
	p, err := Make(other)
	if err != nil {
		return nil, err
	}
	known := p.Treatments()
	for _, name := range only {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("plan %s: it has no treatment %q: its treatments are %s", e.Name, name, strings.Join(known, "; "))
		}
	}
	p.Experiment = e.Clone()
	n := newNamer(e.Varied())
	var trials []Trial
	for _, t := range p.Trials {
		if len(only) > 0 && !slices.Contains(only, t.Treatment) {
			continue
		}
		t.Order = len(trials) + 1
		t.Replicate += e.Replicates * (look - 1)
		t.Block = n.block(blockBy(e), t.Levels, t.Replicate)
		t.Spec.Order.Seed = e.Order.Seed
		t.Estimate = estimate(t.Spec)
		trials = append(trials, t)
	}
	n.identify(trials)
	saveOnes(trials)
	p.Trials = trials
	return p, nil
}
