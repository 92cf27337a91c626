package start

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// phase cuts the time from the first edge to the last into phases that add up, and sorts the edges by time.
func (o *Start) phase() []edges.Span {
	chain := o.chain()
	defer slices.SortStableFunc(o.Seen, func(a, b Seen) int { return cmp.Compare(a.Edge.Time, b.Edge.Time) })
	if len(chain) < 2 {
		return nil
	}
	var spans []edges.Span
	for i := 1; i < len(chain); i++ {
		if name := o.phaseOf(chain, i); name != "" {
			spans = append(spans, edges.Span{Name: name, Start: chain[i-1].Edge, End: chain[i].Edge})
		}
	}
	all, _ := edges.Attribute(chain[0].Edge, chain[len(chain)-1].Edge, spans)
	return all
}

// phaseOf names the phase between an edge of the chain and the one before; "" if an edge that should lie there was not seen.
func (o *Start) phaseOf(chain []Seen, i int) string {
	steps := o.course()
	place := func(s Seen) int { return slices.IndexFunc(steps, func(st step) bool { return st.name == s.Name }) }
	fixed := func(s Seen) bool { p := place(s); return p < 0 || !steps[p].free }
	st := steps[place(chain[i])]
	before, after := i-1, i
	for before > 0 && !fixed(chain[before]) {
		before--
	}
	for after < len(chain)-1 && !fixed(chain[after]) {
		after++
	}
	switch from := place(chain[before]); {
	case from < 0, o.adjacent(from, place(chain[after])):
		return st.phase
	case st.record == results.BootAnswer && before < i-1:
		return st.phase // from the first frame on, whatever was seen before
	}
	return ""
}

// adjacent reports whether only free steps, and steps that this guest has not, lie between two places of the course.
func (o *Start) adjacent(a, b int) bool {
	for i := a + 1; i < b; i++ {
		if st := o.course()[i]; !st.free && (!st.builtin || len(o.Stages) == 0) {
			return false
		}
	}
	return true
}

// chain is the edges in their order, without those that contradict it. Edges whose errors let them be in order are moved
// together within those.
func (o *Start) chain() []Seen {
	var fixed, free, list []Seen
	steps := o.course()
	for _, s := range o.Seen {
		i := slices.IndexFunc(steps, func(st step) bool { return st.name == s.Name })
		switch {
		case s.Aside:
		case i >= 0 && steps[i].free:
			free = append(free, s)
		default:
			fixed = append(fixed, s)
		}
	}
	list = o.consistent(fixed)
	slices.SortStableFunc(free, func(a, b Seen) int { return cmp.Compare(a.Edge.Time, b.Edge.Time) })
	for _, s := range free {
		list = o.insert(list, s)
	}
	for i := len(list) - 2; i >= 0; i-- {
		if back := list[i].Edge.Time - list[i+1].Edge.Time; back > 0 {
			list[i].Edge.Time -= back
			list[i].Edge.Early = max(0, list[i].Edge.Early-time.Duration(back))
			o.move(list[i])
		}
	}
	return list
}

// move puts an edge where it is within its error.
func (o *Start) move(s Seen) {
	for i := range o.Seen {
		if o.Seen[i].Name == s.Name && !o.Seen[i].Aside {
			o.Seen[i].Edge = s.Edge
		}
	}
}

// late marks an edge that came after the guest was ready.
func (o *Start) late(s Seen) {
	for i := range o.Seen {
		if o.Seen[i].Name == s.Name {
			o.Seen[i].Aside, o.Seen[i].Late = true, true
		}
	}
}

// earlier are the edges that must come before any free one.
var earlier = []string{EdgeSpawn, "firmware", "kernel", "kernel end", "init", "modules", "load", "loaded", "resume"}

// insert puts a free edge where it happened, after the last fixed one that must precede it. One that comes after the guest was
// ready is no part of that.
func (o *Start) insert(list []Seen, s Seen) []Seen {
	// The guest cannot answer before its network is up, so a word of it that is later, within its error, is late.
	if last := len(list) - 1; s.Name == networkEdge && last >= 0 && list[last].Name == "answer" {
		if late := s.Edge.Time - list[last].Edge.Time; late >= 0 && late <= int64(s.Edge.Early) {
			s.Edge.Time, s.Edge.Early = list[last].Edge.Time, s.Edge.Early-time.Duration(late)
			o.move(s)
			return slices.Insert(list, last, s)
		}
	}
	at := len(list)
	for at > 0 && list[at-1].Edge.Time > s.Edge.Time {
		at--
	}
	switch {
	case at == len(list) && o.Ready != nil:
		o.Notes = append(o.Notes, fmt.Sprintf("%s came %v after the guest was ready", s.Name, time.Duration(s.Edge.Time-o.Ready.Time).Round(10*time.Microsecond)))
		o.late(s)
		return list
	case at == 0, slices.ContainsFunc(list[at:], func(x Seen) bool { return slices.Contains(earlier, x.Name) }):
		o.Warnings = append(o.Warnings, s.Name+" is stamped before what must precede it: it is left out of the phases")
		return list
	}
	return slices.Insert(list, at, s)
}

// consistent leaves out the fewest edges so that all others may be in order; those are said.
func (o *Start) consistent(list []Seen) []Seen {
	list = slices.Clone(list)
	for {
		worst, most := -1, 0
		for i := range list {
			n := 0
			for j := range list {
				if i < j && contradict(list[i].Edge, list[j].Edge) || j < i && contradict(list[j].Edge, list[i].Edge) {
					n++
				}
			}
			// Of two that contradict each other, neither the spawn nor the answer goes.
			last := i == 0 && list[i].Name == EdgeSpawn || list[i].Name == "answer"
			if n > most || n == most && n > 0 && worst >= 0 && !last && (list[worst].Name == EdgeSpawn || list[worst].Name == "answer") {
				worst, most = i, n
			}
		}
		if worst < 0 {
			return list
		}
		for j := range list {
			a, b := min(worst, j), max(worst, j)
			if a != b && contradict(list[a].Edge, list[b].Edge) {
				o.Warnings = append(o.Warnings, fmt.Sprintf("%s is stamped %v before %s, which their errors do not explain: %s is left out of the phases",
					list[b].Name, time.Duration(list[a].Edge.Time-list[b].Edge.Time), list[a].Name, list[worst].Name))
				break
			}
		}
		for i := range o.Seen {
			if o.Seen[i].Name == list[worst].Name {
				o.Seen[i].Aside = true
			}
		}
		list = slices.Delete(list, worst, worst+1)
	}
}

// contradict reports whether b, which must not come before a, surely does.
func contradict(a, b edges.Edge) bool { return !edges.Between(a, b).Known }
