package live

import (
	"fmt"
	"math"
	"strings"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// maxShown bounds rows of one kind on a screen.
const maxShown = 4

// Draw writes a view as a block of lines, none wider than width cells. With colour, they carry escapes that end within their line.
func Draw(v View, width int, colour bool) []string {
	s := &screen{width: max(10, width), colour: colour}
	s.head(v)
	if v.Trial != nil {
		s.trial(v, v.Trial)
	}
	s.warnings(v)
	s.treatments(v)
	return s.lines
}

func (s *screen) head(v View) {
	state := part{v.State, bold}
	switch v.State {
	case "killed", "unknown", "not begun":
		state.style = red
	case "ended":
		state.style = green
	case "replay":
		state.style = yellow
	}
	last := part{}
	switch {
	case v.Age.Known && v.State == "ended":
		state.text += " " + ago(v.Age.Value)
	case v.Age.Known:
		last = plain("last heard of %s", ago(v.Age.Value))
	}
	parts := []part{{v.Run, bold}, state, last, plain("%d of %d trials", v.Completed+v.Failed+v.Invalid, v.Trials)}
	if v.Elapsed.Known {
		parts = append(parts, plain("%s", clock(v.Elapsed.Value)))
	}
	if (v.State == "running" || v.State == "replay") && v.Only == 0 {
		switch {
		case v.Left.Censored:
			parts = append(parts, plain("more than %s left", clock(v.Left.Value)))
		case v.Left.Known:
			parts = append(parts, plain("about %s left", clock(v.Left.Value)))
		default:
			parts = append(parts, part{"how long is left: not known, " + v.Left.Why, dim})
		}
	}
	s.row("", parts...)
	if v.Advice != "" {
		s.row("", part{v.Advice, yellow})
	}
}

func (s *screen) trial(v View, t *Trial) {
	parts := []part{{fmt.Sprintf("trial %d of %d", t.Order, v.Trials), bold}, {levels(results.Trial{Levels: t.Levels, Treatment: t.Treatment}), bold}, plain("replicate %d", t.Replicate)}
	if t.Attempt > 1 {
		parts = append(parts, part{fmt.Sprintf("attempt %d", t.Attempt), yellow})
	}
	if t.Elapsed.Known {
		parts = append(parts, plain("%s", clock(t.Elapsed.Value)))
	}
	s.row("", parts...)
	switch {
	case t.Verdict != "":
		s.row("state", part{string(t.Verdict), ofVerdict(t.Verdict)})
	case t.State == "":
		s.row("state", part{"no record told of it yet", dim})
	default:
		parts := []part{{t.State, bold}}
		if t.In.Known {
			parts = append(parts, plain("%.1f s", t.In.Value))
		}
		s.row("state", append(parts, plain("%s", t.Phase))...)
	}
	if t.Cut != "" {
		s.row("", part{"! " + t.Cut, red})
	}
	if t.Action != "" {
		s.rounds(t)
		s.traffic(t)
		s.outage(t)
	}
	if t.Verdict == "" && v.State == "running" && t.Behind.Known && t.Behind.Value > 3 {
		s.row("lagging", part{fmt.Sprintf("no record for %.0f s", t.Behind.Value), yellow})
	}
	for _, text := range tail(t.Troubles, 2) {
		s.row("trouble", part{text, yellow})
	}
}

func (s *screen) rounds(t *Trial) {
	if len(t.Rounds) == 0 {
		return
	}
	n := t.Earlier + max(0, len(t.Rounds)-maxShown)
	if n > 0 {
		s.row("rounds", plain("%d before", n))
	}
	for i, r := range tail(t.Rounds, maxShown) {
		label := ""
		if i == 0 && n == 0 {
			label = "rounds"
		}
		parts := []part{plain("%2d", r.N), show(r.Duration, "", "lasts")}
		if r.Duration.Known {
			parts[1] = show(r.Duration, "", "")
		}
		if r.Sent.Known || r.Sent.Why != r.Duration.Why {
			parts = append(parts, show(r.Sent, "handed over", ""))
		}
		if r.Rate.Known {
			parts = append(parts, plain("at %s", first(quantity.ShowBounds(r.Rate), quantity.Show(r.Rate))))
		}
		if r.Pages.Known {
			parts = append(parts, plain("%s", pages(r.Pages)))
		}
		if r.Dirty.Known {
			parts = append(parts, show(r.Dirty, "dirtied", ""))
		}
		s.row(label, parts...)
	}
	conv := part{"converges: " + t.Converges + ", " + t.Why, dim}
	switch t.Converges {
	case "yes":
		conv.style = green
	case "no":
		conv.style = red
	}
	parts := []part{show(t.Left, "", "left")}
	if t.Left.Known && t.Total.Known {
		parts = []part{plain("%s of %s left", quantity.Show(t.Left), quantity.Show(t.Total))}
	}
	parts = append(parts, show(t.Dirty, "dirty", ""))
	if t.Link.Known {
		parts = append(parts, show(t.Link, "link", ""))
	}
	s.row("memory", append(parts, conv)...)
}

// pages writes a count of pages in the style of counts, with no more than two digits of its error.
func pages(q quantity.Quantity) string {
	if q.Censored {
		return quantity.Count(q) + " pages"
	}
	step := 1.0
	if err := (q.High - q.Low) / 2; err >= 100 {
		step = math.Pow(10, math.Floor(math.Log10(err))-1)
	}
	return quantity.Count(quantity.Exactly(math.Round(q.Value/step)*step, q.Unit)) + " pages"
}

func (s *screen) traffic(t *Trial) {
	known := false
	for _, b := range t.Bars {
		known = known || b.Known
	}
	if !known && !t.Throughput.Known {
		return
	}
	n := min(len(t.Bars), max(4, s.width-indent-2))
	bars, top := spark(t.Bars[len(t.Bars)-n:])
	s.row("traffic", plain("[%s]", bars))
	parts := []part{{fmt.Sprintf("%.1f s a bar", t.BarWidth), dim}, show(top, "highest", "")}
	if t.State == results.StateAction && t.Verdict == "" {
		parts = append(parts, show(t.Throughput, "last second told", ""))
	}
	s.row("", parts...)
}

func (s *screen) outage(t *Trial) {
	if t.Action != "migrate" {
		s.row("outage", show(t.Wire, "on the wire", ""), show(t.Client, "without answer", ""))
		s.echo(t)
		return
	}
	s.row("outage", show(t.Downtime, "downtime", ""), show(t.Wire, "on the wire", ""), show(t.Client, "without answer", ""))
	s.echo(t)
}

func (s *screen) echo(t *Trial) {
	if !t.RTT50.Known {
		return
	}
	parts := []part{show(t.RTT50, "p50", ""), show(t.RTT99, "p99", ""), {"of the last 5 s told", dim}}
	if t.RTTMax.Known {
		parts = append(parts, show(t.RTTMax, "longest since the request", ""))
	}
	s.row("echo", parts...)
}

func (s *screen) treatments(v View) {
	if v.Completed+v.Failed+v.Invalid == 0 || v.Only != 0 {
		return
	}
	list := v.Treatments
	if v.State == "running" || v.State == "replay" {
		list = around(list, v.Trial)
	}
	why := ""
	for i, t := range list {
		label := ""
		if i == 0 {
			label = "so far"
		}
		parts := []part{plain("%s", t.Name), {fmt.Sprintf("%d of %d completed", t.Completed, t.Trials), green}}
		if t.Completed == 0 {
			parts[1].style = none
		}
		if t.Failed > 0 {
			parts = append(parts, part{fmt.Sprintf("%d failed", t.Failed), red})
		}
		if t.Invalid > 0 {
			parts = append(parts, part{fmt.Sprintf("%d invalid", t.Invalid), yellow})
		}
		switch {
		case t.N > 0 && t.Median.Known:
			parts = append(parts, show(t.Median, "median "+v.Figure, ""), part{fmt.Sprintf("n %d", t.N), dim})
		case t.N > 0:
			parts = append(parts, part{"median " + v.Figure + " unknown", dim})
			why = t.Name + ": " + t.Median.Why
		}
		s.row(label, parts...)
	}
	if n := len(v.Treatments) - len(list); n > 0 {
		s.row("", part{fmt.Sprintf("%d treatments more", n), dim})
	}
	if why != "" {
		s.row("", part{"unknown: " + why, dim})
	}
}

// maxTreatments bounds the rows of treatments while a run goes on.
const maxTreatments = 6

// around is the treatments about the one that the trial has.
func around(list []Treatment, t *Trial) []Treatment {
	from := 0
	for i := range list {
		if t != nil && list[i].Name == levels(results.Trial{Levels: t.Levels, Treatment: t.Treatment}) {
			from = i - maxTreatments/2
		}
	}
	from = max(0, min(from, len(list)-maxTreatments))
	return list[from:min(len(list), from+maxTreatments)]
}

func (s *screen) warnings(v View) {
	for _, w := range tail(v.Warnings, 2) {
		s.row("warning", part{w, yellow})
	}
	if n := len(v.Warnings) - 2; n > 0 {
		s.row("", part{fmt.Sprintf("%d warnings before", n), dim})
	}
}

// show writes a quantity with a word before and after it. What is not known says why.
func show(q quantity.Quantity, before, after string) part {
	text := strings.TrimSpace(before + " " + quantity.Show(q) + " " + after)
	switch {
	case !q.Known:
		return part{strings.TrimSpace(first(before, after)) + ": " + q.Why, dim}
	case q.Censored:
		return part{text, yellow}
	}
	return part{text, none}
}

func ofVerdict(v results.Verdict) style {
	switch v {
	case results.Completed:
		return green
	case results.Failed:
		return red
	}
	return yellow
}

// spark draws bars on a scale of their own, up to the highest. What is not known is shaded, and what is known to be nothing a space.
func spark(list []quantity.Quantity) (bars string, highest quantity.Quantity) {
	top := 0.0
	highest = quantity.Unknown(results.BytesPerSecond, "no bar is told yet")
	for _, q := range list {
		if q.Known && (!highest.Known || q.Value > top) {
			top, highest = q.Value, q
		}
	}
	const levels = "▁▂▃▄▅▆▇█"
	var b strings.Builder
	for _, q := range list {
		switch {
		case !q.Known:
			b.WriteString("░")
		case q.Value <= 0 || top == 0:
			b.WriteString(" ")
		default:
			i := int(math.Ceil(q.Value/top*8)) - 1
			b.WriteRune([]rune(levels)[min(7, max(0, i))])
		}
	}
	return b.String(), highest
}

// clock writes seconds as m:ss.
func clock(s float64) string {
	d := time.Duration(s * float64(time.Second)).Round(time.Second)
	h, m, sec := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, sec)
	}
	return fmt.Sprintf("%d:%02d", m, sec)
}

// ago writes for how many seconds something is over.
func ago(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func tail[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
