package main

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/dataset"
	"virtscope/experiments/spec"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// sides are the sets of both sides, those of each look, with what a reader must know of them.
type sides struct {
	runs       [][]dataset.Set // by look: base and head, or one run that has both
	base, head []dataset.Set   // by look
	oneRun     bool
	notes      []string
}

// compare loads what is to be compared, compares it, and looks again where there are more trials.
func (o *compareOptions) compare(c *cobra.Command, args []string) (compare.Result, error) {
	options, err := o.options()
	if err != nil {
		return compare.Result{}, specError(err)
	}
	s, err := o.sides(c, args)
	if err != nil {
		return compare.Result{}, err
	}
	looks := s.looks()
	r, err := compareSpoiled(looks, o.looks, o.clean, options)
	if err != nil {
		return r, err
	}
	r.Notes = append(r.Notes, s.notes...)
	o.stopped = s.stopped()
	if o.stopped {
		r.Notes = append(r.Notes, "stop-when left out trials: how many there are depends on their spread, and equals are found to differ more often than alpha says (in simulations, less than twice as often)")
	}
	if looks[len(looks)-1].Blocked {
		r.Notes = append(r.Notes, "compared within blocks")
	}
	return r, o.undecided(c, r, s, args)
}

// stopped reports whether a rule has left out trials of a run.
func (s sides) stopped() bool {
	for _, run := range slices.Concat(s.runs...) {
		rule := run.Manifest.Stop
		if rule != nil && slices.ContainsFunc(run.Treatments(), func(t dataset.Treatment) bool { return counted(t) < rule.AtMost }) {
			return true
		}
	}
	return false
}

func counted(t dataset.Treatment) (n int) {
	for _, trial := range t.Trials {
		if trial.Counted() {
			n++
		}
	}
	return n
}

// looks are the trials up to each look. Where the sides are runs of their own, those of one look are compared with each other alone, so that
// the day falls on both alike.
func (s sides) looks() (list []compare.Sides) {
	for i := range s.base {
		if i == 0 {
			list = append(list, compare.Sides{Base: s.base[0], Head: s.head[0], Blocked: s.oneRun && s.base[0].Blocked() && s.head[0].Blocked()})
			continue
		}
		at := compare.Sides{Base: dataset.Merge(s.base[:i+1], !s.oneRun), Head: dataset.Merge(s.head[:i+1], !s.oneRun), Blocked: true}
		if s.oneRun {
			at.Blocked = at.Base.Blocked() && at.Head.Blocked()
		}
		list = append(list, at)
	}
	return list
}

// sides loads the runs of all looks.
func (o *compareOptions) sides(c *cobra.Command, args []string) (sides, error) {
	s := sides{oneRun: len(args) == 1}
	all := [][]string{args}
	for _, with := range o.with {
		names := strings.Split(with, ",")
		if len(names) != len(args) {
			want := "two runs, BASE,HEAD"
			if s.oneRun {
				want = "one run"
			}
			return s, specError(fmt.Errorf("--with %q: want %s", with, want))
		}
		all = append(all, names)
	}
	for look, names := range all {
		var sets []dataset.Set
		for i, name := range names {
			set, err := loadSet(c, name)
			if err != nil {
				return s, err
			}
			if look > 0 {
				if err := o.continues(s.runs[0][i], set, look+1); err != nil {
					return s, specError(err)
				}
			}
			sets = append(sets, set)
			s.notes = append(s.notes, shortcomings(set)...)
		}
		s.runs = append(s.runs, sets)
		if err := s.add(o, sets); err != nil {
			return s, specError(err)
		}
	}
	return s, nil
}

// continues is an error unless a run was made to have more trials of the first one, for this look, on a machine that is as it was.
func (o *compareOptions) continues(first, more dataset.Set, look int) error {
	m := more.Manifest.MoreOf
	switch {
	case m == nil:
		return fmt.Errorf("--with %s: it has no more trials of another run: make it with virtscope run --more-of %s", more.Name, first.Name)
	case m.Run != first.Manifest.Run:
		return fmt.Errorf("--with %s: it has more trials of %s, not of %s", more.Name, m.Run, first.Manifest.Run)
	case m.Look != look:
		return fmt.Errorf("--with %s: it is for look %d, and stands where that for look %d should: name them in order, all of them", more.Name, m.Look, look)
	}
	_, err := o.alike(first, more)
	return err
}

// add adds the run, or both, of a look.
func (s *sides) add(o *compareOptions, sets []dataset.Set) error {
	if s.oneRun {
		return s.split(o, sets[0])
	}
	notes, err := o.alike(sets[0], sets[1])
	if err != nil {
		return err
	}
	s.base, s.head = append(s.base, sets[0]), append(s.head, sets[1])
	for _, n := range notes {
		if !slices.Contains(s.notes, n) {
			s.notes = append(s.notes, n)
		}
	}
	return nil
}

// split makes two sides of one run's levels.
func (s *sides) split(o *compareOptions, set dataset.Set) error {
	factor, levels, err := o.levels(set)
	if err != nil {
		return err
	}
	var parts [2]dataset.Set
	for i, level := range levels {
		if parts[i], err = set.Level(factor, level); err != nil {
			return err
		}
	}
	s.base, s.head = append(s.base, parts[0]), append(s.head, parts[1])
	return nil
}

// levels are those that --by names, or the two builds of a run.
func (o *compareOptions) levels(set dataset.Set) (factor string, levels [2]string, err error) {
	if o.by != "" {
		factor, both, _ := strings.Cut(o.by, "=")
		base, head, ok := strings.Cut(both, ",")
		if factor == "" || !ok {
			return "", levels, fmt.Errorf("--by %q: want factor=base,head, such as workload.rate=4MiB/s,24MiB/s", o.by)
		}
		return factor, [2]string{base, head}, nil
	}
	i := slices.IndexFunc(set.Manifest.Factors, func(f results.Factor) bool { return f.Path == spec.BuildFactor })
	if i < 0 {
		return "", levels, errTwoRuns
	}
	builds := set.Manifest.Factors[i].Levels
	if len(builds) != len(levels) {
		return "", levels, fmt.Errorf("compare %s: it has %d builds, %s: name two, as --by %s=%s,%s", set.Name, len(builds), strings.Join(builds, ", "), spec.BuildFactor, builds[0], builds[len(builds)-1])
	}
	return spec.BuildFactor, [2]string{builds[0], builds[1]}, nil
}

// alike refuses two runs that differ in more than what they measured, or says in notes what is known of it.
func (o *compareOptions) alike(base, head dataset.Set) (notes []string, err error) {
	unlike := compare.Unlike(without(base.Manifest, o.allow), without(head.Manifest, o.allow))
	switch {
	case base.Manifest.Run == "" || head.Manifest.Run == "":
		notes = append(notes, "of a CSV file, neither the machine nor the settings are known: whether the runs are alike could not be checked")
	case len(unlike) > 0 && !o.force:
		return nil, fmt.Errorf("compare %s and %s: the runs differ in more than what they measured:\n  %s\nname what is meant to differ with --allow, or compare them all the same with --force",
			base.Name, head.Name, strings.Join(unlike, "\n  "))
	case len(unlike) > 0:
		notes = append(notes, "forced: the runs differ in more than what they measured, and any of it may be the reason: "+strings.Join(unlike, "; "))
	}
	for _, a := range o.allow {
		notes = append(notes, "meant to differ: "+a)
	}
	if v := compare.Versions(base.Manifest, head.Manifest); v != "" {
		notes = append(notes, v)
	}
	return notes, nil
}

// without leaves out the facts that are meant to differ.
func without(m results.Manifest, names []string) results.Manifest {
	m.Facts = slices.DeleteFunc(slices.Clone(m.Facts), func(f results.Fact) bool { return slices.Contains(names, f.Name) })
	return m
}
