package echo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
)

const ms = int64(time.Millisecond)

// story is a ledger that is written by hand; times are in ms.
type story struct {
	*teller
	log *recorder
}

func tale(limit int) story {
	log := &recorder{}
	return story{&teller{conf: Config{Host: "client", Interval: time.Second}, ledger: newLedger(limit), rec: log}, log}
}

func (s story) send(times ...int64) {
	for _, at := range times {
		seq := s.ledger.sent.Load()
		s.ledger.begin(seq)
		s.ledger.send(seq, at*ms)
	}
}

func (s story) answers(t *testing.T, pairs ...int64) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !s.ledger.answer(uint64(pairs[i]), pairs[i+1]*ms) {
			t.Fatalf("the answer to %d was not taken", pairs[i])
		}
	}
}

// drain says that the socket was empty, wakes the teller, and returns what it told.
func (s story) drain(t *testing.T, at int64) string {
	t.Helper()
	before := len(s.log.records)
	s.ledger.drained.Store(at*ms + int64(settle))
	if err := s.wake(); err != nil {
		t.Fatal(err)
	}
	return told(s.log.records[before:])
}

func told(records []results.Record) string {
	var list []string
	for _, r := range records {
		switch r.Name {
		case results.EchoRTT:
			list = append(list, fmt.Sprintf("%s@%d", r.Attrs["seq"], arrival(r)/ms))
		case results.EchoLost:
			list = append(list, "lost "+r.Attrs["seq"]+r.Attrs["error"])
		default:
			list = append(list, fmt.Sprintf("%s %d", strings.TrimPrefix(r.Name, "echo."), r.Time/ms))
		}
	}
	return strings.Join(list, " ")
}

func TestTellsAsAnswersArrive(t *testing.T) {
	t.Parallel()
	s := tale(100)
	step := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: told %q, want %q", what, got, want)
		}
	}
	step("before all", s.drain(t, 5), "")
	s.send(10, 20, 30, 40, 50)
	s.answers(t, 0, 11, 2, 32, 1, 31)
	step("in the order of arrival, not of sending or of the socket", s.drain(t, 45), "0@11 1@31 2@32")
	s.answers(t, 4, 52)
	step("an answer that came after the socket was drained waits", s.drain(t, 51), "silent 50")
	step("then comes", s.drain(t, 60), "4@52")
	step("nobody asked since", s.drain(t, 400), "")
	s.send(500, 600)
	step("a probe that the drained socket does not cover says nothing", s.drain(t, 499), "")
	step("silence", s.drain(t, 550), "silent 500")
	step("is told once", s.drain(t, 580), "")
	step("and goes on", s.drain(t, 700), "silent 600")
	s.answers(t, 3, 800, 5, 801)
	step("late answers end it", s.drain(t, 900), "3@800 5@801")
	if s.ledger.answer(3, 850*ms) || s.ledger.answer(7, 850*ms) {
		t.Error("a second answer or one that nobody asked for counted")
	}
	s.send(950)
	s.answers(t, 7, 951)
	before := len(s.log.records)
	if err := s.end(map[int64]string{6: " why"}); err != nil {
		t.Fatal(err)
	}
	step("the rest", told(s.log.records[before:]), "7@951 lost 6 why interval 10")
}

// A reply can come before the sender has noted when it sent: it waits, those behind it, too, and nothing is called silent.
func TestAnswerThatOvertakesItsSender(t *testing.T) {
	t.Parallel()
	s := tale(100)
	s.send(10)
	s.ledger.begin(1)
	s.answers(t, 1, 21, 0, 22)
	if got := s.drain(t, 100); got != "" {
		t.Errorf("told %q before probe 1 was sent", got)
	}
	s.ledger.send(1, 20*ms)
	if got := s.drain(t, 100); got != "1@21 0@22" {
		t.Errorf("told %q", got)
	}
}

// A reply before its probe can only be a clock that was set: no figure is made of it, nor of those after it.
func TestRefusesNegativeTimes(t *testing.T) {
	t.Parallel()
	s := tale(100)
	s.send(100, 110)
	s.answers(t, 0, 99, 1, 111)
	for name, f := range map[string]func() error{
		"awake":  func() error { s.ledger.drained.Store(1e12); return s.wake() },
		"at end": func() error { return s.end(nil) },
	} {
		if err := f(); err == nil || len(s.log.records) > 0 {
			t.Errorf("%s: error %v, records %+v", name, err, s.log.records)
		}
	}
}

// Blocks end and begin unnoticed.
func TestLedgerOfManyBlocks(t *testing.T) {
	t.Parallel()
	const count = 2*blockSize + 3
	s := tale(count)
	for i := range int64(count) {
		s.ledger.prepare()
		s.send(i + 1)
		if i%2 == 0 {
			s.answers(t, i, i+2)
		}
	}
	if err := s.end(nil); err != nil {
		t.Fatal(err)
	}
	answered, lost := s.log.named(results.EchoRTT), s.log.named(results.EchoLost)
	if len(answered) != blockSize+2 || len(lost) != blockSize+1 {
		t.Fatalf("%d answered, %d lost", len(answered), len(lost))
	}
	if got := told([]results.Record{answered[blockSize+1], lost[blockSize]}); got != fmt.Sprintf("%d@%d lost %d", count-1, count+1, count-2) {
		t.Errorf("the last are %q", got)
	}
}

// While the train runs, answers and then a silence are told, before anything is lost.
func TestTellsWhileTheTrainRuns(t *testing.T) {
	t.Parallel()
	r := respond(t, func(seq uint64, reply func([]byte), b []byte) {
		if seq < 20 || seq > 160 {
			reply(b)
		}
	})
	begin := time.Now().UnixNano()
	log, err := run(t, Config{Target: r.addr(), Interval: 5 * time.Millisecond}, 1200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	_, lost := log.outcome(t)
	silent := log.named(results.EchoSilent)
	if len(lost) == 0 || len(silent) == 0 {
		t.Fatalf("%d lost, %d silences", len(lost), len(silent))
	}
	sent := log.bySending()
	names := log.named(results.EchoRTT, results.EchoSilent, results.EchoLost, results.EchoInterval)
	newest := int64(0)
	for i, x := range names {
		switch x.Name {
		case results.EchoRTT:
			newest = max(newest, arrival(x))
		case results.EchoSilent:
			if x.Unit != results.Event || x.Time <= newest || x.Time < begin {
				t.Errorf("record %d: silent until %d, with an answer at %d", i, x.Time, newest)
			}
			if !slices.ContainsFunc(sent, func(y results.Record) bool { return y.Time == x.Time }) {
				t.Errorf("record %d: no probe was sent when it says: %+v", i, x)
			}
			next := slices.IndexFunc(names[i:], func(y results.Record) bool { return y.Name == results.EchoRTT })
			if next >= 0 && arrival(names[i+next]) <= x.Time {
				t.Errorf("record %d: silent until %d, but an answer came at %d", i, x.Time, arrival(names[i+next]))
			}
		}
	}
	if names[0].Name != results.EchoRTT || names[len(names)-1].Name != results.EchoInterval {
		t.Errorf("begins with %s, ends with %s", names[0].Name, names[len(names)-1].Name)
	}
	index := func(name string) int {
		return slices.IndexFunc(names, func(x results.Record) bool { return x.Name == name })
	}
	if index(results.EchoSilent) > index(results.EchoLost) {
		t.Error("the silence was told at the end")
	}
}

// BenchmarkLedger is what telling costs those whom it must not disturb.
func BenchmarkLedger(b *testing.B) {
	b.Run("sender", func(b *testing.B) {
		b.ReportAllocs()
		l := newLedger(b.N + 1)
		for i := range int64(b.N) {
			l.begin(i)
			l.send(i, i)
		}
	})
	b.Run("receiver", func(b *testing.B) {
		b.ReportAllocs()
		l := newLedger(b.N + 1)
		for i := range int64(b.N) {
			l.begin(i)
			l.send(i, i)
		}
		b.ResetTimer()
		for i := range uint64(b.N) {
			l.answer(i, 1)
		}
	})
	b.Run("teller", func(b *testing.B) {
		b.ReportAllocs()
		l := newLedger(b.N + 1)
		for i := range int64(b.N) {
			l.begin(i)
			l.send(i, i)
			l.answer(uint64(i), i+1)
		}
		l.drained.Store(1 << 62)
		t := &teller{ledger: l, rec: results.RecorderFunc(func(results.Record) {})}
		b.ResetTimer()
		if err := t.wake(); err != nil {
			b.Fatal(err)
		}
	})
}

// What the sender does for the ledger takes no memory, once the teller has prepared it.
func TestSenderTakesNoMemory(t *testing.T) {
	const runs = 2 * blockSize
	l := newLedger(runs + 2)
	for i := range l.blocks {
		l.block(int64(i) * blockSize)
	}
	seq := int64(0)
	got := testing.AllocsPerRun(runs, func() {
		l.begin(seq)
		l.send(seq, 1)
		l.answer(uint64(seq), 2)
		seq++
	})
	if got != 0 {
		t.Errorf("%v allocations a probe", got)
	}
}
