package report

import (
	"slices"
	"strings"
	"unicode/utf8"
	"virtscope/analysis/timeline"
)

// A section is a table of the run: figures that belong together.
type section struct {
	title   string // "" of the first
	columns []column
	cut     int // before which column it is cut, if it is too wide for one table; 0 is wherever it must be
}

// Titles of the sections that not every run has.
const (
	algorithmsTitle = "what only some algorithms have, or were asked for"
	diskTitle       = "the disk"
	servedTitle     = "what the guest served and did"
)

// sectionNotes say what the columns of a section are.
var sectionNotes = map[string]string{
	diskTitle:     "disk: bytes at the switch; ready: until the memory's migration could follow; longest write: the guest's own, in real time, the downtime included",
	phasesTitle:   "phases: each of the trial's median guest, among those that got ready",
	slowdownTitle: "N×: the median over that of the treatment with the fewest guests whose other levels are the same; what the machines had left stands in their table",
	viewsTitle:    "downtime, blackout: of the trial's median checkpoint; longest: of the trial's longest one, to which the noise floor belongs: the longest gap of the baseline",
	servedTitle:   "lost: for how long the guest would have had to do nothing to lose as much against its baseline, in the action and after it; recovery: from when the guest ran again until it did 90 % of the baseline for 0.5 s",
}

// diskColumns are of the disk's copy, and of a workload that writes it.
var diskColumns = []column{
	{"disk", "bytes", timeline.BytesDisk},
	{"disk", "ready", timeline.DiskReadyTime},
	{"disk", "complete", timeline.DiskCopyTime},
	{"longest", "write", timeline.DiskStall},
}

// sections are the tables of these groups: the first, and those of which some trial has a figure.
func sections(groups []group) []section {
	k := kindOf(groups)
	list := []section{{"", k.columns(groups), k.cut}}
	more := append(k.more(groups), section{servedTitle, served(groups), 0})
	for _, s := range more {
		if len(s.columns) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// some are the columns of which a trial of these groups has the figure.
func some(groups []group, columns []column) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return !slices.ContainsFunc(groups, func(g group) bool { return g.has(c.metric) })
	})
}

// served are the columns of the guest's services. Of what clients asked, they are there even where nothing is known: the
// footnote says why.
func served(groups []group) []column {
	var list []column
	for _, name := range services(groups) {
		lost, recovery := column{name, "lost", name + ".lost"}, column{name, "recovery", name + ".recovery"}
		if !strings.HasPrefix(name, "load") {
			list = append(list, some(groups, []column{lost})...)
			continue
		}
		latency := []column{{name + " p99", "baseline", name + ".p99.baseline"}, {name + " p99", "action", name + ".p99.action"}}
		list = slices.Concat(list, some(groups, latency), []column{lost, recovery},
			some(groups, []column{{name, "rebuffering", name + ".rebuffering"}}))
	}
	return list
}

// services are the names of the services that trials of these groups had, those of clients first.
func services(groups []group) []string {
	var loads, works []string
	for _, g := range groups {
		for _, t := range g.trials {
			if !t.counted() {
				continue
			}
			for _, s := range t.Timeline.Services {
				list := &works
				if strings.HasPrefix(s.Name, "load") {
					list = &loads
				}
				if !slices.Contains(*list, s.Name) {
					*list = append(*list, s.Name)
				}
			}
		}
	}
	return append(loads, works...)
}

// rows are the treatments that a section has rows of: all in the first, and those of which a trial counts in the others.
func (s section) rows(groups []group) []group {
	if s.title == "" {
		return groups
	}
	return slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return !slices.ContainsFunc(g.trials, Trial.counted) })
}

// tableWidth is how wide a table may be in text, in columns.
const tableWidth = 130

// fitted cuts a section into tables that are at most tableWidth wide. Columns under one upper title stay together.
func fitted(groups []group, sec section) [][]column {
	if sec.cut > 0 && width(tableRows(groups, sec.columns, &notes{})) > tableWidth {
		return append(fitted(groups, section{columns: sec.columns[:sec.cut]}), fitted(groups, section{columns: sec.columns[sec.cut:]})...)
	}
	var list [][]column
	for columns := sec.columns; len(columns) > 0; {
		n := together(columns)
		for n < len(columns) {
			next := n + together(columns[n:])
			if width(tableRows(groups, columns[:next], &notes{})) > tableWidth {
				break
			}
			n = next
		}
		list = append(list, columns[:n])
		columns = columns[n:]
	}
	return list
}

// together is how many of the first columns share an upper title.
func together(columns []column) int {
	n := 1
	for n < len(columns) && columns[n].over == columns[0].over && columns[0].over != "" {
		n++
	}
	return n
}

// width is how wide rows are as text.Aligned writes them.
func width(rows [][]string) int {
	widths := map[int]int{}
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	sum := 2 * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}
