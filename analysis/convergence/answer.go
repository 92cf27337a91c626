package convergence

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// answer says in a sentence why the migration did, or did not, converge.
func (in Input) answer(a *Analysis) string {
	switch {
	case in.Algorithm == results.AlgorithmBackgroundSnapshot:
		return "there was nothing to converge: a background snapshot writes each page once, and a page before the guest changes it"
	case in.StoppedFirst || in.Algorithm == results.AlgorithmStopAndCopy:
		return "there was nothing to converge: the guest was stopped before anything was sent"
	case in.Held:
		return in.held(a)
	case in.Switched && in.Switch.Known && in.Switch.Value > brief:
		return fmt.Sprintf("it did not need to converge: after %s of pre-copy (%s) it turned to post-copy%s",
			quantity.Brief(in.Switch), plural(len(in.Rounds), "round"), in.leftText())
	case in.Switched:
		return "it did not need to converge: it turned to post-copy, which sends each page once, however fast memory is dirtied"
	case in.Completed:
		return in.converged(a)
	}
	return in.diverged(a)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (in Input) leftText() string {
	if !in.Left.Known {
		return ""
	}
	return fmt.Sprintf(", with %s left to send", quantity.Show(in.Left))
}

// converged sets what was left against what the downtime limit allowed.
func (in Input) converged(a *Analysis) string {
	text := fmt.Sprintf("it converged after %s", plural(len(in.Rounds), "round"))
	if len(in.Rounds) == 0 {
		text = "it completed"
	}
	text += in.leftText()
	rate := in.LinkRate
	if r := decisive(a.Rounds); r != nil {
		rate = r.LinkRate
	}
	if in.Left.Known && rate.Known && in.Limits.DowntimeLimit > 0 {
		allowed := rate.Value * in.Limits.DowntimeLimit
		text += fmt.Sprintf("; at %s the downtime limit of %s allowed %s", quantity.Show(rate),
			quantity.Duration(in.Limits.DowntimeLimit), quantity.Scaled(allowed, allowed/100, results.Bytes))
	}
	return text
}

// held tells what the rounds were about to do that were over when the guest was stopped.
func (in Input) held(a *Analysis) string {
	text := "it was not left to converge: the guest was stopped on purpose"
	n := len(a.Rounds)
	if n > 0 {
		text += fmt.Sprintf(" in round %d", a.Rounds[n-1].N)
	}
	if !in.Completed {
		text += ", and it did not complete" + in.endedText()
	}
	return ahead(text, a.Rounds[:max(0, n-1)])
}

// diverged tells whether it was about to.
func (in Input) diverged(a *Analysis) string {
	return ahead("it did not complete"+in.endedText(), a.Rounds)
}

func (in Input) endedText() string {
	if in.Ended == "" {
		return ""
	}
	return " (" + in.Ended + ")"
}

// ahead adds who was ahead, the guest or the link.
func ahead(text string, rounds []Round) string {
	if t, ok := trendOf(rounds); ok {
		if t.ratio() >= nearly {
			return text + ": it was not converging: " + t.String()
		}
		return text + ": it was converging: " + t.String()
	}
	r := decisive(rounds)
	switch {
	case r == nil:
		return text + ": no round tells both what was dirtied and what was sent, so that nobody knows whether it would have converged"
	case r.outpaced():
		return text + fmt.Sprintf(": it was not converging: in round %d the guest dirtied %s, as fast as the link carried or faster", r.N, quantity.Show(r.Dirtied))
	case r.Ratio.High >= 1:
		return text + fmt.Sprintf(": in round %d the guest dirtied about as fast as the link carried (ratio %s)", r.N, quantity.ShowWithin(r.Ratio))
	}
	return text + fmt.Sprintf(": it was converging: in round %d the guest dirtied %s against %s sent", r.N, quantity.Show(r.DirtyRate), quantity.Show(r.LinkRate))
}
