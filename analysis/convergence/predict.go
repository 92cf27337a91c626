package convergence

import (
	"fmt"
	"virtscope/analysis/model"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Prediction is what a model says, and by how much it is off.
type Prediction struct {
	Model     string `json:"model"`
	Source    string `json:"source"` // paper and section
	Formula   string `json:"formula"`
	Hindsight bool   `json:"hindsight,omitempty"` // it was given what this very migration showed beside its link rate
	Converges bool   `json:"converges"`
	Why       string `json:"why,omitempty"` // it does not
	Rounds    int    `json:"rounds"`
	// Total and Downtime in s; unknown where the model has none.
	Total    quantity.Quantity `json:"total"`
	Downtime quantity.Quantity `json:"downtime"`
	// TotalError and DowntimeError are predicted less measured, over measured; unknown where one is.
	TotalError    quantity.Quantity `json:"total_error"`
	DowntimeError quantity.Quantity `json:"downtime_error"`
	Note          string            `json:"note,omitempty"`
}

// whole leaves out what holds for a part of the workload only: no model takes a rate that is a lower bound, and then the
// working set is not all that is written to.
func (in Input) whole() Input {
	if q := in.DirtyRate; q.Known && q.Censored {
		in.DirtyRate = quantity.Unknown(q.Unit, fmt.Sprintf("it is at least %s: %s", quantity.Bound(q.Value, 0, q.Unit, quantity.Down), q.Why))
		in.Limits.WorkingSet = 0
	}
	return in
}

// predict asks the models that fit the algorithm, as far as their inputs are known.
func (a *Analysis) predict(in Input) {
	switch {
	case in.Algorithm == results.AlgorithmMappedRAM:
		a.unpredicted("the models know no migration by way of a file")
		return
	case in.Held:
		a.unpredicted("the guest was stopped on purpose after a number of rounds, and the models let pre-copy go on until it converges")
		return
	case in.Algorithm == results.AlgorithmXBZRLE, in.Algorithm == results.AlgorithmCompress, in.Limits.Compressed:
		a.unpredicted("the models take each page for as many bytes as it has, and this algorithm sends fewer")
		return
	}
	memory, link := in.Resident, in.firstRate()
	for _, q := range []struct {
		what string
		quantity.Quantity
	}{{"memory that is not zero", memory}, {"link rate", link}} {
		if !q.Known || q.Value <= 0 {
			a.unpredicted(fmt.Sprintf("%s is not known: %s", q.what, orNothing(q.Why)))
			return
		}
	}
	switch {
	case in.StoppedFirst, in.Algorithm == results.AlgorithmStopAndCopy, in.Algorithm == results.AlgorithmBackgroundSnapshot:
		a.still(in, memory.Value, link.Value)
	case in.Switched, in.Algorithm == results.AlgorithmPostCopy, in.Algorithm == results.AlgorithmHybrid:
		a.postCopy(in, memory.Value, link.Value)
	default:
		a.preCopy(in, memory.Value, link.Value)
	}
}

func orNothing(why string) string {
	if why == "" {
		return "there is none"
	}
	return why
}

// firstRate is the link rate of round 1, or that over all of the migration; of one that turned to post-copy at once, that in it.
func (in Input) firstRate() quantity.Quantity {
	if !in.atOnce() && len(in.Rounds) > 0 && in.Rounds[0].LinkRate.Known && in.Rounds[0].LinkRate.Value > 0 {
		return in.Rounds[0].LinkRate
	}
	if in.atOnce() && in.PostRate.Known {
		return in.PostRate
	}
	return in.LinkRate
}

func (a *Analysis) unpredicted(why string) { a.Unpredicted = append(a.Unpredicted, why) }

// add holds a prediction against what was measured.
func (a *Analysis) add(in Input, p Prediction, got model.Prediction, err error) {
	if err != nil {
		a.unpredicted(p.Model + ": " + err.Error())
		return
	}
	p.Rounds, p.Converges, p.Why = got.Rounds, got.Converges, got.Why
	total, downtime := quantity.Exactly(got.Total, results.Seconds), quantity.Exactly(got.Downtime, results.Seconds)
	if !got.Converges {
		total, downtime = quantity.Unknown(results.Seconds, "it does not converge"), quantity.Unknown(results.Seconds, "it does not converge")
	}
	if p.Total.Why == "" {
		p.Total = total
	}
	if p.Downtime.Why == "" {
		p.Downtime = downtime
	}
	p.TotalError, p.DowntimeError = off(p.Total, in.Total), off(p.Downtime, in.Downtime)
	a.Predictions = append(a.Predictions, p)
}

// off is (predicted − measured) / measured.
func off(predicted, measured quantity.Quantity) quantity.Quantity {
	const u = results.One
	switch {
	case !predicted.Known:
		return quantity.Unknown(u, predicted.Why)
	case !measured.Known:
		return quantity.Unknown(u, measured.Why)
	case measured.Censored:
		return quantity.Unknown(u, measured.Why)
	case measured.Low <= 0:
		return quantity.Unknown(u, "what was measured is not above its error")
	}
	v := func(m float64) float64 { return predicted.Value/m - 1 }
	return quantity.Within(v(measured.Value), v(measured.High), v(measured.Low), u)
}

func (a *Analysis) still(in Input, memory, link float64) {
	p := Prediction{Model: "stop-and-copy", Source: "by definition", Formula: "M / R"}
	if in.Algorithm == results.AlgorithmBackgroundSnapshot {
		p.Model, p.Downtime = "one pass", quantity.Unknown(results.Seconds, "a snapshot stops the guest for its device state alone, whose length no model tells")
	}
	got, err := model.StopAndCopy(memory, link)
	a.add(in, p, got, err)
}

func (a *Analysis) postCopy(in Input, memory, link float64) {
	p := Prediction{
		Model: "post-copy", Source: "Hines et al., OSR 43(3), 2009, sections 3–4", Formula: "(rounds + rest + state) / R; downtime state / R",
	}
	m := model.PostCopy{Resident: memory, LinkRate: link, WorkingSet: in.Limits.WorkingSet}
	if in.State.Known {
		m.State = in.State.Value
	} else {
		p.Downtime = quantity.Unknown(results.Seconds, "the length of the device state is not known: "+in.State.Why)
	}
	if in.Switch.Known && in.Switch.Value > 0 {
		m.Switch = in.Switch.Value
		p.Note = fmt.Sprintf("it is told that pre-copy lasted %s", quantity.Duration(m.Switch))
		if in.DirtyRate.Known {
			m.DirtyRate = in.DirtyRate.Value
			if m.Switch > brief {
				p.Note = join(p.Note, repeats)
			}
		} else if m.Switch > brief {
			a.unpredicted("post-copy: the dirty rate is not known: " + in.DirtyRate.Why)
			return
		}
	}
	got, faults, err := m.Predict()
	if in.Limits.WorkingSet > 0 && err == nil {
		asked := "not known"
		if in.Requests.Known {
			asked = quantity.Count(in.Requests)
		}
		p.Note = join(p.Note, fmt.Sprintf("the workload asks for at most %.0f pages; measured, the kernel's included: %s", faults.Most, asked))
	}
	a.add(in, p, got, err)
}

// brief is a time of pre-copy in s in which hardly anything is sent: QEMU synchronises once before it turns to post-copy, even
// if it is to do so at once.
const brief = 0.01

// repeats is what is to be known of D in any model: it comes from the workload's count of what it writes.
const repeats = "D counts what the workload wrote, a page as often as it wrote it, so that fewer pages may be dirtied"

func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

func (a *Analysis) preCopy(in Input, memory, link float64) {
	if !in.DirtyRate.Known {
		a.unpredicted("AVG and Clark: the dirty rate is not known: " + in.DirtyRate.Why)
	}
	if in.Limits.DowntimeLimit <= 0 {
		a.unpredicted("AVG and HIST: the downtime limit is not known")
	}
	slowed := ""
	if in.Algorithm == results.AlgorithmAutoConverge || in.Algorithm == results.AlgorithmDirtyLimit {
		slowed = "it does not know that the guest is slowed down"
	}
	stop := model.QEMU(in.Limits.DowntimeLimit)
	if in.DirtyRate.Known && in.Limits.DowntimeLimit > 0 {
		got, err := model.AVG{Memory: memory, LinkRate: link, DirtyRate: in.DirtyRate.Value, Stop: stop}.Predict()
		a.add(in, Prediction{
			Model: "AVG", Source: "Akoush et al., MASCOTS 2010, section V", Formula: "V₁ = M, Vᵢ₊₁ = min(D·Vᵢ/R, M)",
			Note: join(join("stops as QEMU does, not Xen, but only at the end of a round, so that less is left than QEMU leaves; adds no overheads", repeats), slowed),
		}, got, err)
	}
	if in.DirtyRate.Known && in.Limits.DowntimeLimit > 0 && in.Limits.WorkingSet > 0 {
		got, err := model.PreCopy{
			Memory: memory, LinkRate: link, DirtyRate: in.DirtyRate.Value, WorkingSet: in.Limits.WorkingSet, DowntimeLimit: in.Limits.DowntimeLimit,
		}.Predict()
		a.add(in, Prediction{
			Model: "series", Source: "Liu et al., HPDC 2011", Formula: "V₁ = M, Vᵢ₊₁ = min(D·Vᵢ/R, W)", Note: join(repeats, slowed),
		}, got, err)
	}
	a.hist(in, memory, link, stop)
	if in.DirtyRate.Known && in.Limits.WorkingSet > 0 {
		got, err := model.Clark{Memory: memory, LinkRate: link, DirtyRate: in.DirtyRate.Value, WorkingSet: in.Limits.WorkingSet}.Predict()
		a.add(in, Prediction{
			Model: "writable working set", Source: "Clark et al., NSDI 2005, section 4", Formula: "Vᵢ₊₁ = min(D·Vᵢ/R, W) until it shrinks no more",
			Note: join(join("rounds until no further one pays, whatever the downtime limit", repeats), slowed),
		}, got, err)
	}
}

// hist takes the migration's own rounds for the guest's history: it tells how well the model fits, not what it would have
// predicted.
func (a *Analysis) hist(in Input, memory, link float64, stop model.Stop) {
	if in.Limits.DowntimeLimit <= 0 {
		return
	}
	h := model.HIST{Memory: memory, LinkRate: link, Stop: stop}
	for _, r := range a.Rounds {
		if r.Dirtied.Known && r.Duration.Known && r.Duration.Value > 0 {
			h.History = append(h.History, model.Dirtied{Seconds: r.Duration.Value, Bytes: r.Dirtied.Value})
		}
	}
	switch {
	case len(h.History) == 0:
		a.unpredicted("HIST: no round tells what the guest dirtied in it")
		return
	case !h.Covers():
		a.unpredicted("HIST: no round of which it is known what the guest dirtied in it is half as long as the first one")
		return
	}
	got, err := h.Predict()
	a.add(in, Prediction{
		Model: "HIST", Source: "Akoush et al., MASCOTS 2010, section V", Formula: "V₁ = M, Vᵢ₊₁ = H(Vᵢ/R)", Hindsight: true,
		Note: "its history H is what this migration's own rounds dirtied: it shows the fit",
	}, got, err)
}
