package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"virtscope/results"
)

// The bounds of a plan: more is a mistake in the factors, and would take weeks.
const (
	MaxTreatments = 10_000
	MaxTrials     = 100_000
)

// Treatments are all combinations of the factors' levels, and of the builds, that exclude does not leave out, the last factor
// varying fastest, and the builds fastest of all. Without factors there is one treatment, with no levels. It is nil if there would be more than
// MaxTreatments.
func (e *Experiment) Treatments() [][]results.Level {
	if e.combinations() > MaxTreatments {
		return nil
	}
	all := [][]results.Level{{}}
	for _, f := range e.Varied() {
		var next [][]results.Level
		for _, t := range all {
			for _, level := range f.Levels {
				next = append(next, append(slices.Clone(t), results.Level{Factor: f.Path, Value: level}))
			}
		}
		all = next
	}
	return slices.DeleteFunc(all, e.excludes)
}

// combinations is the number of treatments before any is left out, or MaxTreatments+1 if there are more.
func (e *Experiment) combinations() int {
	n := 1
	for _, f := range e.Varied() {
		if len(f.Levels) == 0 {
			return 0
		}
		if n > MaxTreatments/len(f.Levels) {
			return MaxTreatments + 1
		}
		n *= len(f.Levels)
	}
	return n
}

// excludes reports whether any entry of exclude matches all that it names of t.
func (e *Experiment) excludes(t []results.Level) bool {
	return slices.ContainsFunc(e.Exclude, func(entry map[string]any) bool {
		for path, want := range entry {
			i := slices.IndexFunc(t, func(l results.Level) bool { return l.Factor == path })
			if i < 0 || !slices.ContainsFunc(excludedLevels(want), func(w string) bool { return sameLevel(path, w, t[i].Value) }) {
				return false
			}
		}
		return len(entry) > 0
	})
}

// excludedLevels is what exclude holds for one factor: a level or several.
func excludedLevels(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any: // as encoding/json reads it
		var levels []string
		for _, x := range v {
			levels = append(levels, fmt.Sprint(x))
		}
		return levels
	}
	return []string{fmt.Sprint(v)}
}

// sameLevel reports whether a and b are the same value of the factor at path: 1GiB is 1024MiB.
func sameLevel(path, a, b string) bool {
	if a == b {
		return true
	}
	f, ok := grammar().factor(path)
	if !ok {
		return false
	}
	x, errX := f.parse(a)
	y, errY := f.parse(b)
	return errX == nil && errY == nil && x.Interface() == y.Interface()
}

// With is one treatment as it runs: a copy of e in which each level is set, then all is Scaled, and which has no factors
// left. It shares nothing with e. A level is read as the same text in a file would be; the error says what would be accepted.
func (e *Experiment) With(levels []results.Level) (*Experiment, error) {
	out := e.Clone()
	out.Factors, out.Exclude, out.Builds = nil, nil, nil
	for _, l := range levels {
		if l.Factor == BuildFactor {
			if err := out.setBuild(l.Value, e.Builds); err != nil {
				return nil, fmt.Errorf("set build %q: %w", l.Value, err)
			}
			continue
		}
		if err := out.set(l.Factor, l.Value); err != nil {
			return nil, fmt.Errorf("set %s to %q: %w", l.Factor, l.Value, err)
		}
	}
	return out.Scaled(), nil
}

func (e *Experiment) set(path, text string) error {
	f, ok := grammar().factor(path)
	if !ok {
		return fmt.Errorf("%s", factorWant(path))
	}
	x, err := f.parse(text)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(e).Elem()
	for key := range strings.SplitSeq(path, ".") {
		if v.Kind() == reflect.Pointer { // an optional group
			if v.IsNil() {
				v.Set(newGroup(v.Type().Elem()))
			}
			v = v.Elem()
		}
		if s, ok := v.Interface().(Settings); ok {
			v.Set(reflect.ValueOf(s.set(key, text)))
			return nil
		}
		sub, _ := fieldNamed(grammar().structs[v.Type()], key)
		v = v.Field(sub.index)
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(x.Type()))
		v = v.Elem()
	}
	v.Set(x)
	return nil
}

// Clone is a copy of e that shares nothing with it.
func (e *Experiment) Clone() *Experiment {
	out := *e
	if e.Testbed.MigrationLink != nil {
		out.Testbed.MigrationLink = new(*e.Testbed.MigrationLink)
	}
	if e.Testbed.CrossTraffic != nil {
		out.Testbed.CrossTraffic = new(*e.Testbed.CrossTraffic)
	}
	if e.Guest.Disk != nil {
		out.Guest.Disk = new(*e.Guest.Disk)
	}
	if m := e.Action.Migrate; m != nil {
		copied := *m
		copied.QEMU = Passthrough{Capabilities: maps.Clone(m.QEMU.Capabilities), Parameters: maps.Clone(m.QEMU.Parameters)}
		out.Action.Migrate = &copied
	}
	if b := e.Action.Boot; b != nil {
		out.Action.Boot = new(*b)
	}
	if ck := e.Action.Checkpoint; ck != nil {
		out.Action.Checkpoint = new(*ck)
	}
	if r := e.Action.Recover; r != nil {
		out.Action.Recover = new(*r)
	}
	if j := e.Action.Jobs; j != nil {
		out.Action.Jobs = new(*j)
	}
	if e.Probes.Capture.Decode != nil {
		out.Probes.Capture.Decode = new(*e.Probes.Capture.Decode)
	}
	if e.Order.Shuffle != nil {
		out.Order.Shuffle = new(*e.Order.Shuffle)
	}
	if e.Retries != nil {
		out.Retries = new(*e.Retries)
	}
	out.Paper = e.Paper.clone()
	if e.Influx != nil {
		out.Influx = new(*e.Influx)
	}
	out.sources = slices.Clone(e.sources)
	out.Plots = slices.Clone(e.Plots)
	if e.StopWhen != nil {
		out.StopWhen = new(*e.StopWhen)
	}
	out.Factors = nil
	for _, f := range e.Factors {
		out.Factors = append(out.Factors, Factor{Path: f.Path, Levels: slices.Clone(f.Levels)})
	}
	out.Builds = e.Builds.clone()
	out.Exclude = nil
	for _, entry := range e.Exclude {
		copied := map[string]any{}
		for path, v := range entry {
			if levels, ok := v.([]string); ok {
				v = slices.Clone(levels)
			}
			copied[path] = v
		}
		out.Exclude = append(out.Exclude, copied)
	}
	return &out
}
