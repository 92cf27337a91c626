package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// decoded is the migration that the wire probe read out of the packets, on the controller's clock; nil and why if there is none.
func (x *index) decoded(w window) (m *stream.Migration, why string, notes []string) {
	var records []results.Record
	for _, name := range slices.Sorted(maps.Keys(x.byName)) {
		for _, r := range x.byName[name] {
			if r.Source != results.SourceWire {
				continue
			}
			if r.Name == results.ProbeFailed {
				notes = append(notes, "the wire probe could not go on: "+r.Attrs["error"])
			}
			records = append(records, x.shifted(r))
		}
	}
	if len(records) == 0 {
		return nil, "the stream was not decoded", nil
	}
	c, err := stream.Build(records)
	if err != nil {
		return nil, err.Error(), notes
	}
	met := 0
	for i := range c.Migrations {
		got := &c.Migrations[i]
		if !w.overlaps(got.Begin.Time, got.End.Time) {
			continue
		}
		met++
		if m == nil || got.Bytes.Value > m.Bytes.Value {
			m = got
		}
	}
	switch {
	case m == nil && len(notes) > 0:
		return nil, notes[0], nil
	case m == nil:
		return nil, "the packets of the action show no migration", nil
	case met > 1:
		notes = append(notes, fmt.Sprintf("the packets of the action show %d migrations: the one with the most bytes, stream %s, counts", met, m.Stream))
	}
	return m, "", notes
}

// shifted puts the bounds of a record on the controller's clock, where its time already is.
func (x *index) shifted(r results.Record) results.Record {
	offset := int64(x.clocks[r.Host].Offset)
	if offset == 0 {
		return r
	}
	r.Attrs = maps.Clone(r.Attrs)
	for _, name := range []string{"earliest", "latest"} {
		if t, ok := nanoseconds(r.Attrs[name]); ok {
			r.Attrs[name] = strconv.FormatInt(t-offset, 10)
		}
	}
	return r
}

// wireEdge is a record of the wire probe's clock, whose error bounds all of its moments.
func (x *index) wireEdge() Edge {
	for _, name := range []string{results.WireMigration, results.WireStage} {
		for _, r := range x.byName[name] {
			if r.Source == results.SourceWire {
				return x.edge(r)
			}
		}
	}
	return Edge{}
}

// observeWire fills in what the packets show, and what of it the hypervisors' word does not bear out.
func (t *Timeline) observeWire(x *index, m *migration, obs observation, payload flow) {
	w, why, notes := x.decoded(obs.span)
	t.Wire, t.WireMissing = w, why
	t.Notes = append(t.Notes, notes...)
	if w != nil && m.held != nil {
		w.DenyStop(m.unseenStop())
	}
	t.Comparisons = t.comparisons(x, m)
	t.RoundComparisons = t.compareRounds(x, m, payload)
	for _, c := range t.Comparisons {
		if s := c.Differing(); s != "" {
			t.Warnings = append(t.Warnings, "on the wire: "+s)
		}
	}
	for _, r := range t.RoundComparisons {
		for _, c := range []Comparison{r.Begin, r.Pages} {
			if s := c.Differing(); s != "" {
				t.Notes = append(t.Notes, fmt.Sprintf("on the wire, round %d: %s", r.N, s))
			}
		}
	}
}
