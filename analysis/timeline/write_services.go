package timeline

import (
	"bytes"
	"fmt"
	"virtscope/analysis/degradation"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// A ServiceText is a service's figures for reading.
type ServiceText struct {
	Title string
	// Windows is a table, its head first: a row for the baseline, the action and the time after it.
	Windows [][]string
	// Facts are what the degradation was: name, value, and what must be read beside it.
	Facts [][]string
	// Notes say why figures are not known or are lower bounds, each reason once.
	Notes []string
}

// NewServiceText writes what is known of a service.
func NewServiceText(s degradation.Service) ServiceText {
	var w whys
	t := ServiceText{Title: fmt.Sprintf("%s (%s)", s.Name, s.Kind)}
	if s.Bin > 0 {
		t.Title += ", told of each " + quantity.Duration(s.Bin)
	}
	if s.Writes != nil {
		t.Title += "; its writes by the guest's clock, which stands still while the guest is stopped"
	}
	t.Windows = serviceWindows(s, &w)
	t.Facts = serviceFacts(s, &w)
	t.Notes = w.texts()
	return t
}

func serviceWindows(s degradation.Service, w *whys) [][]string {
	head := []string{"", "throughput", "of baseline"}
	rows := [][]string{nil, {"baseline"}, {"action"}, {"after"}}
	levels := []degradation.Level{s.Baseline, s.Action, s.After}
	cell := func(i int, name string, q quantity.Quantity) {
		w.add(name+" ("+rows[i+1][0]+")", q)
		rows[i+1] = append(rows[i+1], quantity.Cell(q))
	}
	for i, l := range levels {
		cell(i, "throughput", l.Throughput)
		rows[i+1] = append(rows[i+1], shareOf(l.Throughput, s.Baseline.Throughput))
	}
	if s.Baseline.Latency != nil && s.Action.Latency != nil && s.After.Latency != nil {
		head = append(head, "p50", "p90", "p99", "max", "due", "failed", "pending")
		for i, l := range levels {
			four(func(name string, q quantity.Quantity) { cell(i, name, q) }, l.Latency.P50, l.Latency.P90, l.Latency.P99, l.Latency.Max)
			for _, n := range []int64{l.Latency.Due, l.Latency.Failed, l.Latency.Pending} {
				rows[i+1] = append(rows[i+1], quantity.Count(quantity.Exactly(float64(n), results.One)))
			}
		}
	}
	if s.Writes != nil {
		head = append(head, "write p50", "p90", "p99", "max", "writes")
		for i, l := range []degradation.WriteTimes{s.Writes.Baseline, s.Writes.Action, s.Writes.After} {
			four(func(name string, q quantity.Quantity) { cell(i, "write "+name, q) }, l.P50, l.P90, l.P99, l.Max)
			rows[i+1] = append(rows[i+1], quantity.Count(quantity.Exactly(float64(l.Count), results.One)))
		}
	}
	rows[0] = head
	return rows
}

func four(cell func(string, quantity.Quantity), p50, p90, p99, longest quantity.Quantity) {
	cell("p50", p50)
	cell("p90", p90)
	cell("p99", p99)
	cell("max", longest)
}

// shareOf is a level in per cent of the baseline; a dash if that is not known.
func shareOf(q, baseline quantity.Quantity) string {
	switch {
	case !q.Known || !baseline.Known || baseline.Censored || baseline.Value <= 0:
		return "—"
	case q.Censored:
		return "≥ " + quantity.Digits(q.Value/baseline.High, 0.01, 3, quantity.Down) + " %"
	}
	return percent(q.Value / baseline.Value)
}

func percent(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }

func serviceFacts(s degradation.Service, w *whys) [][]string {
	var rows [][]string
	add := func(name string, q quantity.Quantity, beside string) {
		w.add(name, q)
		if !q.Known {
			return // its note says so
		}
		value := quantity.Show(q)
		if q.Unit == results.One && !q.Censored && name == keptUp {
			value = percent(q.Value)
		}
		rows = append(rows, []string{name, value, quantity.ShowBounds(q), beside})
	}
	add(keptUp, s.KeptUp, "in the baseline, of what was asked of it")
	floor := ""
	if s.LostFloor.Known && s.Lost.Known {
		floor = "noise floor " + quantity.Show(s.LostFloor)
	}
	add("lost seconds", s.Lost, floor)
	noise := ""
	if s.Noise.Known && s.Noise.Value > 0 {
		noise = percent(s.Noise.Value) + " of the baseline's own bins are below, too"
	}
	add("time below 90 %", s.Below90, noise)
	add("time below 50 %", s.Below50, "")
	add("time below 10 %", s.Below10, "")
	add("full speed again", s.Recovery, "after the guest ran again: 90 % for 0.5 s")
	if s.RecoveryLatency != nil {
		add("latency as before", *s.RecoveryLatency, "after the guest ran again: at most 1 % of 0.5 s above 1.5 × the baseline's p99")
	}
	if r := s.Stream; r != nil {
		add("player's stalls", r.Stalls, "in the baseline "+quantity.Show(r.BaselineStalls))
		add("rebuffering", r.Rebuffering, "")
		add("datagrams lost", r.Lost, "in the baseline "+quantity.Show(r.BaselineLost))
		add("datagrams late", r.Late, "in the whole trial")
	}
	return rows
}

const keptUp = "kept up"

func writeServices(b *bytes.Buffer, t *Timeline) {
	if len(t.Services) == 0 {
		return
	}
	b.WriteString("\nwhat the guest served and did, before, in and after the action\n")
	for _, s := range t.Services {
		x := NewServiceText(s)
		fmt.Fprintf(b, "  %s\n", x.Title)
		writeIndented(b, x.Windows)
		if len(x.Facts) > 0 {
			writeFacts(b, "    ", x.Facts)
		}
		for _, n := range x.Notes {
			text.Wrapped(b, "    — ", n)
		}
	}
}

// writeIndented writes a table without changing it.
func writeIndented(b *bytes.Buffer, rows [][]string) {
	var list [][]string
	for _, row := range rows {
		list = append(list, append([]string{"    " + row[0]}, row[1:]...))
	}
	text.Aligned(b, list)
}

// writeFacts writes names, values and remarks in columns, to the left.
func writeFacts(b *bytes.Buffer, indent string, rows [][]string) {
	var lines bytes.Buffer
	tw := text.Table(&lines)
	for _, row := range rows {
		fmt.Fprint(tw, indent)
		for _, c := range row {
			fmt.Fprint(tw, c+"\t")
		}
		fmt.Fprintln(tw)
	}
	_ = tw.Flush() // into memory
	for line := range bytes.Lines(lines.Bytes()) {
		b.Write(append(bytes.TrimRight(line, " \n"), '\n'))
	}
}
