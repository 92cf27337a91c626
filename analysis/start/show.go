package start

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// mostGuests is of how many guests each has a row.
const mostGuests = 60

// mostUnits is of how many units of systemd each has a row.
const mostUnits = 20

// Sections write starts for reading: one in full, several in a row each.
func Sections(list []Start) []text.Section {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0].sections()
	}
	sections := []text.Section{table(list), phaseTable(list)}
	return append(sections, told(list))
}

func (o *Start) title() string {
	name := "the guest"
	if o.Guest != "" {
		name = "guest " + o.Guest
	}
	return fmt.Sprintf("%s start of %s", o.Kind, name)
}

// sections are a start in full.
func (o *Start) sections() []text.Section {
	facts := text.Section{Title: o.title(), Rows: [][]string{{"", "", "truth within"}}}
	add := func(name string, q quantity.Quantity) {
		if q.Known {
			facts.Rows = append(facts.Rows, []string{name, quantity.Show(q), text.Dash(quantity.ShowBounds(q))})
			return
		}
		facts.Notes = append(facts.Notes, name+": "+q.Why)
	}
	add("spawn to ready", o.Total)
	add("asked to ready", o.Arrival)
	add("held back", o.Wait)
	if o.Provision != nil {
		add("provisioning by "+orElse(o.Method, "unknown"), o.Provided)
	}
	phases := text.Section{Title: "phases of the start: they add up to " + quantity.Duration(edges.Total(o.Phases).Seconds())}
	if len(o.Phases) > 0 {
		begin, end := o.Phases[0].Start.Time, o.Phases[len(o.Phases)-1].End.Time
		phases.Rows = append(phases.Rows, []string{"phase", "duration", "truth within", ""})
		for _, p := range o.Phases {
			q := edges.Between(p.Start, p.End)
			phases.Rows = append(phases.Rows, []string{p.Name, quantity.Show(q), text.Dash(quantity.ShowBounds(q)), text.Bar(begin, end, p.Start.Time, p.End.Time)})
		}
	}
	seen := text.Section{Title: "edges of the start, each by its own source", Rows: [][]string{{"edge", "at", "earlier by up to", "source", "clock"}}}
	origin := o.origin()
	for _, s := range o.Seen {
		clock := s.Edge.Host
		if s.Mono {
			clock = "guest's"
		}
		early := "—"
		if s.Edge.Early > 0 {
			early = quantity.Duration(s.Edge.Early.Seconds())
		}
		seen.Rows = append(seen.Rows, []string{s.Name, signed(float64(s.Edge.Time-origin) / 1e9), early, s.Source, clock})
	}
	for _, m := range o.Missing {
		seen.Notes = append(seen.Notes, m.Name+" is unknown: "+m.Why)
	}
	seen.Notes = append(seen.Notes, o.Notes...)
	list := []text.Section{facts, phases, seen}
	return append(list, o.systemdSection())
}

// origin is the instant from which a start's edges are told.
func (o *Start) origin() int64 {
	if len(o.Phases) > 0 {
		return o.Phases[0].Start.Time
	}
	if len(o.Seen) > 0 {
		return o.Seen[0].Edge.Time
	}
	return 0
}

func signed(s float64) string { return quantity.Signed(quantity.Exactly(s, results.Seconds)) }

func (o *Start) systemdSection() text.Section {
	s := text.Section{Title: "systemd, by its own word: units that took longest", Rows: [][]string{{"unit", "took", "active after the kernel's begin"}}}
	for i, u := range o.Units {
		if i == mostUnits {
			s.Notes = append(s.Notes, fmt.Sprintf("%d units more", len(o.Units)-i))
			break
		}
		s.Rows = append(s.Rows, []string{u.Name, quantity.Duration(u.Activating), quantity.Duration(u.Active)})
	}
	var stages []string
	for _, g := range o.Stages {
		stages = append(stages, fmt.Sprintf("%s %s", g.Name, quantity.Duration(g.Time)))
	}
	if len(stages) > 0 {
		s.Notes = append(s.Notes, "stages: "+strings.Join(stages, ", "))
	}
	return s
}

// table is a row a guest.
func table(list []Start) text.Section {
	s := text.Section{Title: "guests", Rows: [][]string{{"guest", "host", "start", "held back", "provisioning", "spawn to ready", "asked to ready", ""}}}
	for i := range list {
		if i == mostGuests {
			s.Notes = append(s.Notes, fmt.Sprintf("%d guests more", len(list)-i))
			break
		}
		o := &list[i]
		how := ""
		if o.Ready == nil {
			how = "not ready"
		}
		s.Rows = append(s.Rows, []string{text.Dash(o.Guest), text.Dash(o.Host), o.Kind, quantity.Cell(o.Wait), quantity.Cell(o.Provided), quantity.Cell(o.Total), quantity.Cell(o.Arrival), how})
	}
	return s
}

// phaseTable is the phases over the guests of the trial that got ready.
func phaseTable(list []Start) text.Section {
	s := text.Section{Title: "phases of the guests that got ready", Rows: [][]string{{"phase", "median", "truth within", "shortest", "longest"}}}
	var names []string
	for i := range list {
		for _, name := range PhaseNames(list[i].Kind) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		var all []quantity.Quantity
		for i := range list {
			if list[i].Ready != nil {
				all = append(all, list[i].Phase(name))
			}
		}
		median := quantity.Median(all, results.Seconds, "no guest got ready")
		if !median.Known {
			s.Notes = append(s.Notes, name+" is unknown: "+median.Why)
			continue
		}
		least, most := quantity.Quantile(all, 0, results.Seconds, ""), quantity.Quantile(all, 1, results.Seconds, "")
		s.Rows = append(s.Rows, []string{name, quantity.Show(median), text.Dash(quantity.ShowBounds(median)), quantity.Cell(least), quantity.Cell(most)})
	}
	return s
}

// told gathers what the starts say, each once, with the guests that say it.
func told(list []Start) text.Section {
	s := text.Section{Title: "of the guests' starts"}
	var order []string
	who := map[string][]string{}
	for i := range list {
		for _, n := range list[i].Notes {
			if who[n] == nil {
				order = append(order, n)
			}
			who[n] = append(who[n], list[i].Guest)
		}
	}
	for _, n := range order {
		s.Notes = append(s.Notes, fmt.Sprintf("%s (%s)", n, some(who[n])))
	}
	return s
}

// some names up to five.
func some(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
