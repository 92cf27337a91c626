package jobs

import (
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/analysis/text"
	"virtscope/results"
)

// most is of how many jobs, or guests, each has a row.
const most = 80

// Sections write jobs and guests for reading.
func (r *Report) Sections() []text.Section {
	guests := r.guests()
	if slices.ContainsFunc(r.Starts, func(s start.Start) bool { return s.By == ByJob }) {
		guests.Notes = append(guests.Notes, "a guest counts as ready when it was given its first job: nobody asked it anything before")
	}
	if r.Unused > 0 {
		guests.Notes = append(guests.Notes, fmt.Sprintf("%d guests were never given a job: when they were ready is not known, and their starts are not told", r.Unused))
	}
	list := []text.Section{r.jobs(), guests}
	return append(list, start.Sections(r.Starts)...)
}

func (r *Report) since(t int64) string {
	return quantity.Duration(float64(t-r.action.From) / 1e9)
}

func (r *Report) jobs() text.Section {
	s := text.Section{Title: fmt.Sprintf("%d jobs", len(r.Jobs)), Rows: [][]string{{"job", "queue", "arrived", "run time", "waited", "slowdown", "guest", "preempted", ""}}}
	var whys []string
	for i := range r.Jobs {
		j := &r.Jobs[i]
		if j.Failed != "" && !slices.Contains(whys, j.Failed) {
			whys = append(whys, j.Failed)
		}
		if i == most {
			s.Notes = append(s.Notes, fmt.Sprintf("%d jobs more", len(r.Jobs)-i))
		}
		if i >= most {
			continue
		}
		guest, preempted := "—", 0
		for _, run := range j.Runs {
			guest = run.Guest
			if run.Preempted {
				preempted++
			}
		}
		if j.Fresh {
			guest += ", started for it"
		}
		end := ""
		switch {
		case j.Failed != "":
			end = "failed"
		case j.Ended == nil:
			end = "not done"
		}
		s.Rows = append(s.Rows, []string{
			j.ID, text.Dash(j.Queue), r.since(j.Arrived.Time), quantity.Cell(runtime(j)), quantity.Cell(j.Wait), quantity.Cell(j.Slowdown),
			guest, fmt.Sprint(preempted), end,
		})
	}
	for _, w := range whys {
		s.Notes = append(s.Notes, "failed: "+w)
	}
	return s
}

func runtime(j *Job) quantity.Quantity {
	if j.Runtime <= 0 {
		return quantity.Unknown(results.Seconds, "")
	}
	return quantity.Within(j.Runtime, j.Runtime*0.999, j.Runtime*1.001, results.Seconds)
}

func (r *Report) guests() text.Section {
	s := text.Section{Title: fmt.Sprintf("%d guests", len(r.Guests)), Rows: [][]string{{"guest", "host", "started", "ended", "for", "why"}}}
	for i, g := range r.Guests {
		if i == most {
			s.Notes = append(s.Notes, fmt.Sprintf("%d guests more", len(r.Guests)-i))
			break
		}
		why := g.Why
		if g.Open {
			why = "the action's end"
		}
		s.Rows = append(s.Rows, []string{text.Dash(g.Guest), text.Dash(g.Host), r.since(g.From.Time), r.since(g.To.Time), quantity.Duration(float64(g.To.Time-g.From.Time) / 1e9), text.Dash(why)})
	}
	return s
}
