package report

import (
	"fmt"
	"virtscope/analysis/model"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// A forecast sets what the pre-copy model predicts beside what was measured.
type forecast struct {
	Trial        string
	Measured     string // total time
	Whole        string // predicted, if round 1 sends all memory
	Sparse       string // predicted, if zero pages cost nothing
	DowntimeMeas string
	DowntimePred string // of Sparse
	Why          string // why there is none
}

// zeroPage is the size of the pages that the hypervisor counts, in B (x86 guests).
const zeroPage = 4096

// forecast predicts a trial from its own memory, dirty rate in the baseline, and link rate in round 1.
func (t Trial) forecast() forecast {
	f := forecast{Trial: t.Outcome.Trial.ID}
	if !t.counted() {
		f.Why = "the trial does not count"
		return f
	}
	tl := t.Timeline
	dirty, zero := t.metric(timeline.DirtyRateBaseline), t.metric(timeline.PagesZero)
	link := quantity.Quantity{Why: "there was no round"}
	if len(tl.Rounds) > 0 {
		link = tl.Rounds[0].LinkRate
	}
	for _, q := range []struct {
		what string
		quantity.Quantity
	}{{"memory", tl.Memory}, {"dirty rate", dirty}, {"link rate", link}} {
		if !q.Known {
			f.Why = fmt.Sprintf("%s is not known: %s", q.what, q.Why)
			return f
		}
	}
	if t.DowntimeLimit <= 0 {
		f.Why = "the downtime limit is not known"
		return f
	}
	p := model.PreCopy{
		Memory: tl.Memory.Value, LinkRate: link.Value, DirtyRate: dirty.Value,
		WorkingSet: t.WorkingSet, DowntimeLimit: t.DowntimeLimit,
	}
	f.Measured, f.DowntimeMeas = quantity.Show(t.metric(timeline.TotalTime)), quantity.Show(t.metric(timeline.Downtime))
	f.Whole, _ = predicted(p)
	f.Sparse, f.DowntimePred = "—", "—"
	if rest := p.Memory - zero.Value*zeroPage; zero.Known && rest > 0 {
		p.Memory = rest
		f.Sparse, f.DowntimePred = predicted(p)
	}
	return f
}

func predicted(p model.PreCopy) (total, downtime string) {
	got, err := p.Predict()
	switch {
	case err != nil:
		return "—", "—"
	case !got.Converges:
		return "does not converge", "—"
	}
	show := func(s float64) string { return quantity.Scaled(s, s/100, results.Seconds) }
	return show(got.Total), show(got.Downtime)
}
