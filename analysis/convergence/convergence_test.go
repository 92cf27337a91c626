package convergence

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func s(v float64) quantity.Quantity { return quantity.Exactly(v, results.Seconds) }

func b(v float64) quantity.Quantity { return quantity.Exactly(v, results.Bytes) }

func rate(v float64) quantity.Quantity { return quantity.Exactly(v, results.BytesPerSecond) }

var dunno = quantity.Unknown(results.One, "nobody told")

// shrinking is a migration at 100 B/s of 1000 B, of which 50 B/s are dirtied: rounds of 10, 5, 2.5 and 1.25 s, and 62.5 B at the
// end, within a downtime limit of 1 s.
func shrinking() Input {
	in := Input{
		Completed: true, Limits: Limits{DowntimeLimit: 1, WorkingSet: 1000},
		Left: b(62.5), Resident: b(1000), State: b(10), DirtyRate: rate(50), LinkRate: rate(100),
		NoThreads: "no thread was sampled", Throttle: dunno, Requests: dunno, Switch: dunno, Total: s(20), Downtime: s(0.7),
	}
	for i, v := range []float64{1000, 500, 250, 125} {
		in.Rounds = append(in.Rounds, Measured{
			N: i + 1, Duration: s(v / 100), LinkRate: rate(100), Sent: b(v), Pages: b(v), Left: b(v), After: b(v / 2), Reported: rate(50), CPU: dunno,
		})
	}
	return in
}

func TestRounds(t *testing.T) {
	a := Analyse(shrinking())
	for i, r := range a.Rounds {
		if math.Abs(r.Ratio.Value-0.5) > 1e-12 {
			t.Errorf("round %d: ratio %+v", r.N, r.Ratio)
		}
		// The next round takes half as long, and leaves half as much.
		if next := r.Duration.Value / 2; math.Abs(r.NextDuration.Value-next) > 1e-12 || math.Abs(r.NextLeft.Value-next*50) > 1e-9 {
			t.Errorf("round %d: next %+v, %+v", i+1, r.NextDuration, r.NextLeft)
		}
	}
	if !strings.HasPrefix(a.Answer, "it converged after 4 rounds, with 62.50 B left to send") {
		t.Error(a.Answer)
	}
}

func TestPredictions(t *testing.T) {
	a := Analyse(shrinking())
	got := map[string]Prediction{}
	for _, p := range a.Predictions {
		got[p.Model] = p
	}
	for _, model := range []string{"AVG", "series", "HIST"} {
		p := got[model]
		if !p.Converges || p.Rounds != 4 || math.Abs(p.Total.Value-19.375) > 1e-9 || math.Abs(p.Downtime.Value-0.625) > 1e-9 {
			t.Errorf("%s: %+v", model, p)
		}
		if math.Abs(p.TotalError.Value-(19.375/20-1)) > 1e-12 || math.Abs(p.DowntimeError.Value-(0.625/0.7-1)) > 1e-12 {
			t.Errorf("%s: errors %+v, %+v", model, p.TotalError, p.DowntimeError)
		}
		if p.Hindsight != (model == "HIST") {
			t.Errorf("%s: hindsight %v", model, p.Hindsight)
		}
	}
	if p := got["writable working set"]; !p.Converges || p.Source == "" {
		t.Errorf("%+v", p)
	}
}

// What a round had not sent when the hypervisor synchronised was not dirtied in it. Round 2 sends 420 of 500 B, and the next
// begins with 250: 170 B were dirtied in 5 s.
func TestUnsent(t *testing.T) {
	in := shrinking()
	in.Rounds[1].Pages = b(420)
	if r := Analyse(in).Rounds[1]; r.Dirtied.Value != 170 || r.Dirtied.Low != 170 || math.Abs(r.Ratio.Value-0.34) > 1e-12 {
		t.Errorf("%+v, ratio %+v", r.Dirtied, r.Ratio)
	}
	in.Rounds[1].Pages = dunno // anything up to what the link carries in the downtime limit: 100 B
	if r := Analyse(in).Rounds[1]; r.Dirtied.Low != 150 || r.Dirtied.Value != 200 || r.Dirtied.High != 250 {
		t.Errorf("%+v", r.Dirtied)
	}
	in.Limits.DowntimeLimit = 0
	if r := Analyse(in).Rounds[1]; r.Dirtied.Known || r.Dirtied.Why == "" {
		t.Errorf("%+v", r.Dirtied)
	}
}

// No prediction is made of what is not known, and it is said why.
func TestUnpredicted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Input)
		why    string
	}{
		"xbzrle":     {func(in *Input) { in.Algorithm = results.AlgorithmXBZRLE }, "sends fewer"},
		"compressed": {func(in *Input) { in.Limits.Compressed = true }, "sends fewer"},
		"file":       {func(in *Input) { in.Algorithm = results.AlgorithmMappedRAM }, "by way of a file"},
		"memory":     {func(in *Input) { in.Resident = dunno }, "memory that is not zero is not known: nobody told"},
		"dirty rate": {func(in *Input) { in.DirtyRate, in.Limits.DowntimeLimit = dunno, 0 }, "the dirty rate is not known: nobody told"},
		"link": {func(in *Input) {
			in.LinkRate, in.Rounds = dunno, nil
		}, "link rate is not known: nobody told"},
	} {
		in := shrinking()
		c.change(&in)
		a := Analyse(in)
		if len(a.Predictions) > 0 || !strings.Contains(strings.Join(a.Unpredicted, "\n"), c.why) {
			t.Errorf("%s: %+v, %q", name, a.Predictions, a.Unpredicted)
		}
	}
	in := shrinking()
	in.DirtyRate = quantity.AtLeast(50, results.BytesPerSecond, "kv's writes to memory are not counted")
	bound := Analyse(in)
	if len(bound.Predictions) != 1 || bound.Predictions[0].Model != "HIST" || !strings.Contains(strings.Join(bound.Unpredicted, "\n"), "at least 50 B/s: kv's writes") {
		t.Errorf("from a dirty rate that is a lower bound: %+v, %q", bound.Predictions, bound.Unpredicted)
	}
	in = shrinking()
	in.Total = quantity.AtLeast(60, results.Seconds, "the migration did not complete")
	if p := Analyse(in).Predictions[0]; p.TotalError.Known || !p.Total.Known {
		t.Errorf("a prediction is held against a censored time: %+v", p)
	}
}

func TestPostCopyPrediction(t *testing.T) {
	in := shrinking()
	in.Algorithm, in.Switched, in.Switch, in.Rounds = results.AlgorithmPostCopy, true, s(1e-4), in.Rounds[:1]
	a := Analyse(in)
	if len(a.Predictions) != 1 || math.Abs(a.Predictions[0].Total.Value-10.1) > 0.001 || math.Abs(a.Predictions[0].Downtime.Value-0.1) > 1e-9 {
		t.Errorf("%+v", a.Predictions)
	}
	if !strings.Contains(a.Answer, "post-copy, which sends each page once") {
		t.Error(a.Answer)
	}
	in.Algorithm, in.Switch = results.AlgorithmHybrid, s(10) // all of round 1: 500 B are dirtied
	a = Analyse(in)
	if math.Abs(a.Predictions[0].Total.Value-15.1) > 1e-9 || !strings.Contains(a.Answer, "after 10.00 s of pre-copy") {
		t.Errorf("%+v, %s", a.Predictions, a.Answer)
	}
	in.State = dunno
	if p := Analyse(in).Predictions[0]; p.Downtime.Known || p.Downtime.Why == "" || !p.Total.Known {
		t.Errorf("a downtime is told without the length of the device state: %+v", p)
	}
}

func TestStopAndCopyPrediction(t *testing.T) {
	in := shrinking()
	in.Algorithm, in.StoppedFirst, in.Rounds, in.Downtime = results.AlgorithmStopAndCopy, true, nil, s(10)
	a := Analyse(in)
	if p := a.Predictions[0]; p.Total.Value != 10 || p.Downtime.Value != 10 || p.DowntimeError.Value != 0 {
		t.Errorf("%+v", p)
	}
}

func TestBottleneck(t *testing.T) {
	thread := func(share float64) []Thread {
		return []Thread{{"mig/src/main", quantity.Exactly(share, results.One)}, {"mig/src/send_0", dunno}}
	}
	for name, c := range map[string]struct {
		change func(*Input)
		want   string
		words  string
	}{
		"nothing known": {func(*Input) {}, BottleneckUnknown, "link not known"},
		"link":          {func(in *Input) { in.Limits.Link, in.Threads = 109, thread(0.5) }, BottleneckLink, "96 % of the 104.2 B/s that the link allows"},
		"slow link":     {func(in *Input) { in.Limits.Link, in.Threads = 120, thread(0.5) }, BottleneckNone, ""},
		"bandwidth":     {func(in *Input) { in.Limits.Link, in.Limits.MaxBandwidth = 100, 100 }, BottleneckBandwidth, "max-bandwidth"},
		"thread":        {func(in *Input) { in.Limits.Link, in.Threads = 1000, thread(0.97) }, BottleneckCPU, "mig/src/main used 97 %"},
		"throttle": {func(in *Input) {
			in.Limits.Link, in.Threads, in.Throttle = 1000, thread(0.2), quantity.Exactly(0.6, results.One)
		}, BottleneckThrottle, "60 % of its CPU time"},
		"dirty rate": {func(in *Input) {
			in.Completed, in.Limits.Link = false, 100
			in.Rounds[3].After, in.Rounds[3].Reported = b(400), rate(300) // 320 B/s were dirtied
		}, BottleneckDirty, "in round 4"},
		"perhaps the dirty rate": {func(in *Input) { // what is left may be what the round had not sent
			in.Completed, in.Limits.Link, in.Threads = false, 1000, thread(0.1)
			in.Rounds[3].After, in.Rounds[3].Pages = b(200), dunno
		}, BottleneckNone, ""},
		"post-copy at once": {func(in *Input) { // one round of 0.1 ms, and a limit that does not hold
			*in = atOnce(*in)
			in.PostRate, in.Limits.PostCopyBandwidth, in.Limits.MaxBandwidth = rate(100), 101, 1000
		}, BottleneckBandwidth, "in post-copy at 100 B/s, 99 % of the 101.0 B/s that postcopy-bandwidth allows"},
		"post-copy at once, under no limit": {func(in *Input) {
			*in = atOnce(*in)
			in.PostRate, in.Limits.MaxBandwidth, in.Limits.Link, in.Threads = rate(100), 100, 1000, thread(0.1)
		}, BottleneckNone, ""},
		"hybrid, pre-copy": {func(in *Input) {
			in.Switched, in.Switch, in.PreRate, in.PostRate = true, s(18.75), rate(99), rate(10)
			in.Limits.MaxBandwidth, in.Limits.PostCopyBandwidth = 100, 50
		}, BottleneckBandwidth, "before post-copy at 99 B/s, 99 % of the 100.0 B/s that max-bandwidth"},
		"hybrid, post-copy": {func(in *Input) {
			in.Switched, in.Switch, in.PreRate, in.PostRate = true, s(18.75), rate(40), rate(48)
			in.Limits.MaxBandwidth, in.Limits.PostCopyBandwidth = 100, 50
		}, BottleneckBandwidth, "postcopy-bandwidth"},
		"hybrid, link": {func(in *Input) {
			in.Switched, in.Switch, in.PreRate, in.PostRate, in.LinkRate = true, s(18.75), rate(40), rate(100), rate(60)
			in.Limits.Link = 109
		}, BottleneckLink, "in post-copy"},
		"file": {func(in *Input) {
			in.Algorithm, in.Limits.Link, in.Threads = results.AlgorithmMappedRAM, 50, thread(0.1)
		}, BottleneckNone, ""},
		"snapshot": {func(in *Input) {
			in.Algorithm, in.Limits.Link, in.Threads = results.AlgorithmBackgroundSnapshot, 50, thread(0.1)
		}, BottleneckNone, ""},
		"a link that others fill": {func(in *Input) {
			in.Limits.Link, in.Threads, in.Beside = 200, thread(0.1), []string{"the disk's copy", "cross-traffic"}
		}, BottleneckUnknown, "(the disk's copy, cross-traffic) is not in that"},
		"a link that memory fills": {func(in *Input) {
			in.Limits.Link, in.Threads, in.Beside = 109, thread(0.1), []string{"cross-traffic"}
		}, BottleneckLink, "96 %"},
	} {
		in := shrinking()
		c.change(&in)
		a := Analyse(in)
		if a.Bottleneck != c.want || !strings.Contains(a.Evidence, c.words) {
			t.Errorf("%s: %s (%s), want %s", name, a.Bottleneck, a.Evidence, c.want)
		}
	}
}

// atOnce turns to post-copy at once, after a round of 0.1 ms that tells nothing.
func atOnce(in Input) Input {
	in.Algorithm, in.Switched, in.Switch = results.AlgorithmPostCopy, true, s(1e-4)
	in.Rounds = []Measured{{N: 1, Duration: s(1e-4), LinkRate: rate(7777), Sent: dunno, Pages: dunno, Left: dunno, After: dunno, Reported: dunno, CPU: dunno}}
	return in
}

// What the link carried in 0.1 ms is no link rate.
func TestPostCopyLinkRate(t *testing.T) {
	in := atOnce(shrinking())
	in.PostRate = rate(50)
	if p := Analyse(in).Predictions; len(p) != 1 || math.Abs(p[0].Total.Value-(1000+10)/50.0) > 0.001 {
		t.Errorf("%+v", p)
	}
}

// The workload's count of what it writes holds repeats, and every prediction that it goes into says so.
func TestDirtyRateRepeats(t *testing.T) {
	for _, p := range Analyse(shrinking()).Predictions {
		if says := strings.Contains(p.Note, "as often as it wrote it"); says == p.Hindsight {
			t.Errorf("%s: %q", p.Model, p.Note)
		}
	}
}

func TestFileHasNoLink(t *testing.T) {
	in := shrinking()
	in.Algorithm, in.Limits.Link = results.AlgorithmMappedRAM, 50
	for _, f := range Analyse(in).Findings {
		if f.Name == BottleneckLink && (f.Holds || !strings.Contains(f.Text, "through a file")) {
			t.Errorf("%+v", f)
		}
	}
}

func TestHeld(t *testing.T) {
	in := shrinking()
	in.Held, in.Left = true, dunno
	a := Analyse(in)
	want := "it was not left to converge: the guest was stopped on purpose in round 4: it was converging: in round 3"
	if !strings.HasPrefix(a.Answer, want) || len(a.Predictions) > 0 || len(a.Unpredicted) != 1 {
		t.Errorf("%s; %+v, %q", a.Answer, a.Predictions, a.Unpredicted)
	}
	in.Rounds, in.Completed, in.Ended = nil, false, "timed out"
	if got := Analyse(in).Answer; !strings.Contains(got, "on purpose, and it did not complete (timed out): no round tells") {
		t.Error(got)
	}
}

func TestDiverged(t *testing.T) {
	in := shrinking()
	in.Completed, in.Ended = false, "more than 4 rounds"
	if got := Analyse(in).Answer; !strings.Contains(got, "(more than 4 rounds): it was converging") {
		t.Error(got)
	}
	for i := range in.Rounds {
		in.Rounds[i].Duration, in.Rounds[i].After, in.Rounds[i].Reported = s(10), b(2000), rate(200)
	}
	if got := Analyse(in).Answer; !strings.Contains(got, "it was not converging") {
		t.Error(got)
	}
	in.Rounds = nil
	if got := Analyse(in).Answer; !strings.Contains(got, "nobody knows") {
		t.Error(got)
	}
}

// What is unknown is shown as a dash, and its reason beneath.
func TestWriteSaysWhy(t *testing.T) {
	in := shrinking()
	in.Rounds[3].After = quantity.Unknown(results.Bytes, "the answer came late")
	var out bytes.Buffer
	Analyse(in).Write(&out)
	for _, want := range []string{Title, "— the answer came late", "bottleneck: unknown", "HIST (fit)", "Akoush et al."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}
