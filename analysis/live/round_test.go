package live

import (
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func (s *scene) reply(at int64, trigger, round string, sent, dirty float64) {
	attrs := []string{"trigger", trigger}
	if round != "" {
		attrs = append(attrs, "round", round)
	}
	s.add(at, "src", results.SourceQMP, results.MigrationTransferred, sent, attrs...)
	s.add(at, "src", results.SourceQMP, results.MigrationDirtyRate, dirty, attrs...)
	s.add(at, "src", results.SourceQMP, results.MigrationPages, sent/10, append(attrs, "kind", "normal")...)
}

func (s *scene) pass(at int64, n float64) {
	s.add(at, "src", results.SourceQMP, results.PreCopyRound, n)
}

func (s *scene) status(at int64, host, status string) {
	s.add(at, host, results.SourceQMP, results.MigrationStatus, 0, "status", status)
}

// firstRound is one that is under way since 1 s, by 1 MB/s.
func firstRound() *scene {
	s := migrating()
	s.pass(1000, 1)
	s.reply(1001, "pass", "1", 100, 0)
	for at := int64(1100); at <= 1500; at += 100 {
		s.reply(at, "poll", "", float64(at-1000)*1000+100, 0)
	}
	return s
}

func TestARoundUnderWay(t *testing.T) {
	s := firstRound()
	s.add(1600, "machine", "usage", results.HostCPU, 1) // it is no witness of the hypervisor's
	got := s.trial().reader().show()[0]
	same(t, "has lasted", got.Duration, 0.4, true)
	same(t, "sent so far", got.Sent, 400000, true)
	same(t, "pages so far", got.Pages, 40000, true)
	unknown(t, "dirtied so far", got.Dirty, "at the round's end")
	if q := got.Rate; !q.Known || q.Low > 1e6 || q.High < 1e6 || q.High == q.Low {
		t.Errorf("rate so far: %+v, want bounds that hold 1 MB/s", q)
	}
	unknown(t, "a dirty rate of 0", dirtied(0), "computed none")

	begun := migrating()
	begun.pass(1000, 1)
	got = begun.trial().reader().show()[0]
	for what, q := range map[string]quantity.Quantity{"duration": got.Duration, "sent": got.Sent, "rate": got.Rate, "pages": got.Pages} {
		unknown(t, what, q, "just begun")
	}
}

func TestRounds(t *testing.T) {
	s := firstRound()
	s.pass(2000, 2)
	s.reply(2001, "pass", "2", 1000100, 4000)
	s.pass(2100, 3)
	s.reply(2180, "pass", "3", 1100100, 4000) // late
	s.add(2300, "src", results.SourceQMP, results.VMStop, 0)
	s.pass(2301, 4)
	s.reply(2302, "pass", "4", 1200100, 4000)
	s.reply(2400, "poll", "", 1200100, 4000)
	got := s.trial().reader().show()
	if len(got) != 3 {
		t.Fatalf("%d rounds: the synchronisation after the stop begins none", len(got))
	}
	same(t, "round 1 sent", got[0].Sent, 1000000, false)
	same(t, "round 1 pages", got[0].Pages, 100000, false)
	same(t, "round 1 lasted", got[0].Duration, 1, false)
	same(t, "round 1 dirtied", got[0].Dirty, 4000, false)
	same(t, "round 1 rate", got[0].Rate, 1e6, false)
	// The answers came 1 ms late each, and at most 1 MB/s was counted.
	if q := got[0].Sent; q.Low > 1000000-1900 || q.High < 1000000+1900 {
		t.Errorf("round 1 sent: %+v", q)
	}
	if q := got[0].Rate; q.Low > 0.998e6 || q.High < 1.0019e6 {
		t.Errorf("round 1 rate: %+v, want the bounds of what was sent", q)
	}
	unknown(t, "round 2 sent", got[1].Sent, "too late")
	unknown(t, "round 2 rate", got[1].Rate, "too late")
	same(t, "round 3 lasted", got[2].Duration, 0.2, false)
	unknown(t, "round 3 sent", got[2].Sent, "too late")
	same(t, "round 3 dirtied", got[2].Dirty, 4000, false)
}

// What the hypervisor says after the next synchronisation, or the migration's end, is no word of a round's end.
func TestDirtyRatesThatCameLate(t *testing.T) {
	const late = "only after the next synchronisation"
	for name, c := range map[string]struct {
		add  func(*scene)
		last string // of the round before the stop; "" is that it is known
	}{
		"in time":                 {func(s *scene) { s.reply(2302, "pass", "3", 1, 9); s.status(2400, "src", "completed") }, ""},
		"not told":                {func(s *scene) { s.status(2400, "src", "completed") }, "has not told"},
		"the end is not told yet": {func(s *scene) { s.reply(2550, "pass", "3", 1, 9) }, "is not told yet"},
		"after the end":           {func(s *scene) { s.reply(2550, "pass", "3", 1, 9); s.status(2400, "src", "completed") }, late},
		"after the destination's": {func(s *scene) { s.reply(2550, "pass", "3", 1, 9); s.status(2400, "dst", "completed") }, late},
		"after the guest ran":     {func(s *scene) { s.reply(2550, "pass", "3", 1, 9); s.add(2400, "dst", "qmp", results.VMResume, 0) }, late},
		"after it failed":         {func(s *scene) { s.reply(2550, "pass", "3", 1, 9); s.status(2400, "src", "failed") }, late},
		"while it was post-copied": {func(s *scene) {
			s.reply(2550, "pass", "3", 1, 9)
			s.status(2400, "src", "postcopy-active")
			s.status(2600, "src", "completed")
		}, ""},
	} {
		s := firstRound()
		s.pass(2290, 2)
		s.reply(2291, "pass", "2", 1000100, 4000)
		s.add(2300, "src", results.SourceQMP, results.VMStop, 0)
		s.pass(2301, 3)
		c.add(s)
		got := s.trial().reader().show()
		same(t, name+": round 1", got[0].Dirty, 4000, false)
		if c.last == "" {
			same(t, name, got[1].Dirty, 9, false)
			continue
		}
		unknown(t, name, got[1].Dirty, c.last)
	}
}

// A round goes on no longer than its migration.
func TestARoundThatWasBrokenOff(t *testing.T) {
	s := firstRound()
	s.status(1550, "src", "failed")
	s.reply(3000, "poll", "", 500100, 0)
	s.reply(3100, "poll", "", 500100, 0)
	same(t, "failed", s.trial().reader().show()[0].Duration, 0.55, false)

	s = firstRound()
	s.add(1540, "src", results.SourceQMP, results.Fault, 0, "kind", results.FaultCancel)
	s.status(1550, "src", "cancelling")
	same(t, "cancelled on purpose", s.trial().reader().show()[0].Duration, 0.54, false)

	s = firstRound()
	s.add(9000, "controller", "runner", results.TrialEnd, 0)
	got := s.trial().reader().show()[0].Duration
	same(t, "nobody told of its end", got, 0.4, true)
	if !strings.Contains(got.Why, "no end of it was told") {
		t.Errorf("%+v", got)
	}
}

// Rounds that are not kept are counted.
func TestManyRounds(t *testing.T) {
	s := migrating()
	for n := range int64(100) {
		s.pass(1000+10*n, float64(n+1))
	}
	r := NewRun(results.Manifest{}, []results.Trial{{ID: "1", Order: 1}}, nil)
	r.Entry(results.Entry{Event: results.TrialBegin, Trial: "1", Attempt: 1})
	r.Records(*s)
	v := r.View(r.Newest())
	if len(v.Trial.Rounds) != maxRounds || v.Trial.Earlier != 100-maxRounds {
		t.Errorf("%d rounds, %d before", len(v.Trial.Rounds), v.Trial.Earlier)
	}
	if text := strings.Join(Draw(v, 80, false), "\n"); !strings.Contains(text, "96 before") {
		t.Errorf("of 100 rounds it draws\n%s", text)
	}
}

// A clock that is not known exactly is in the bounds of what two hosts tell.
func TestTheClocksBounds(t *testing.T) {
	s := &scene{}
	s.add(0, "controller", "runner", results.ClockOffset, 0.25, "host", "dst", "bound", "0.001")
	*s = append(*s, *migrating()...)
	s.add(1500, "controller", "runner", results.ClockOffset, 0.252, "host", "dst", "bound", "0.001")
	s.add(2000, "src", "usage", results.VMStop, 0)
	s.add(2351, "dst", "usage", results.VMResume, 0)
	q := s.trial().downtime()
	same(t, "downtime", q, 0.1, false)
	if q.Low > 0.098+1e-9 || q.High < 0.102-1e-9 {
		t.Errorf("downtime %+v, want ± 2 ms", q)
	}
	s.add(3000, "controller", "runner", results.ClockOffset, 0.256, "host", "dst", "bound", "0.001")
	q = s.trial().downtime()
	same(t, "downtime, measured again", q, 0.098, false)
	if q.Low > 0.094+1e-9 || q.High < 0.102-1e-9 {
		t.Errorf("downtime %+v, want ± 4 ms", q)
	}
}

// Events and answers come by different ways: the order of their records is not that of their times.
func TestPassesThatAreToldLate(t *testing.T) {
	s := firstRound()
	s.reply(2001, "pass", "2", 1000100, 4000)
	s.pass(2100, 3)
	s.pass(2000, 2)
	s.reply(2101, "pass", "3", 1100100, 4000)
	s.reply(2200, "poll", "", 1200100, 4000)
	got := s.trial().reader().show()
	if len(got) != 3 {
		t.Fatalf("%d rounds", len(got))
	}
	same(t, "round 1 lasted", got[0].Duration, 1, false)
	same(t, "round 1 sent", got[0].Sent, 1000000, false)
	same(t, "round 2 lasted", got[1].Duration, 0.1, false)
	same(t, "round 2 sent", got[1].Sent, 100000, false)
}
