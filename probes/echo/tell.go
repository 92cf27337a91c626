package echo

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
)

const (
	// tellEvery is how often answers are told.
	tellEvery = 200 * time.Millisecond
	// settle is how old an answer is before it is told: the kernel stamps a datagram before the socket has it, and on
	// another CPU the one after it may come first. What a drained socket did not hold had not arrived so long before.
	settle = 100 * time.Millisecond
	// drainEvery is how long the receiver waits at most before it looks whether the socket is empty.
	drainEvery = 50 * time.Millisecond
)

// A teller records what became of the probes: answers while the train runs, in the order of arrival; losses once it has ended.
type teller struct {
	conf   Config
	ledger *ledger
	rec    results.Recorder

	taken   int64    // answers that were taken from the ledger
	pending []answer // taken and not told, by arrival
	arrived int64    // the newest arrival that was told, ns since the Unix epoch
	looked  int64    // probes that were looked at by asked
	silent  int64    // until when a silence was told
}

type answer struct{ seq, at int64 }

// run tells until stop is closed, or until it fails.
func (t *teller) run(stop <-chan struct{}) error {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-tick.C:
			t.ledger.prepare()
			if err := t.wake(); err != nil {
				return err
			}
		}
	}
}

// wake tells the answers that arrived and settled since the last time; or, if none did, how long none came.
func (t *teller) wake() error {
	horizon := t.ledger.drained.Load() - int64(settle) // read first: what arrived until then is among the answers below
	told, waits, err := t.answers(horizon)
	asked := t.asked(horizon)
	// With a probe sent after the last arrival there is somebody who waits for an answer.
	if err != nil || told > 0 || waits || asked <= max(t.arrived, t.silent) {
		return err
	}
	t.silent = asked
	t.rec.Record(t.record(asked, results.EchoSilent))
	return nil
}

// answers tells those that arrived until the horizon. It waits with one, and those behind it, whose time of sending is not
// known yet.
func (t *teller) answers(horizon int64) (told int, waits bool, err error) {
	came := t.ledger.answered.Load()
	for ; t.taken < came; t.taken++ {
		seq := t.ledger.cameAs(t.taken)
		t.pending = append(t.pending, answer{seq, t.ledger.answeredAt(seq)})
	}
	slices.SortStableFunc(t.pending, func(a, b answer) int { return cmp.Compare(a.at, b.at) })
	defer func() { t.pending = slices.Delete(t.pending, 0, told) }()
	sent := t.ledger.sent.Load()
	for _, a := range t.pending {
		if a.at > horizon {
			return told, false, nil
		}
		if a.seq >= sent {
			return told, true, nil
		}
		if err := t.answer(a); err != nil {
			return told, false, err
		}
		told++
	}
	return told, false, nil
}

func (t *teller) answer(a answer) error {
	r := t.record(t.ledger.sentAt(a.seq), results.EchoRTT)
	rtt := a.at - r.Time
	if rtt < 0 {
		return fmt.Errorf("echo: probe %d was answered %v before it was sent: the wall clock was stepped", a.seq, time.Duration(-rtt))
	}
	t.arrived = max(t.arrived, a.at)
	r.Value, r.Unit, r.Attrs = time.Duration(rtt).Seconds(), results.Seconds, map[string]string{"seq": strconv.FormatInt(a.seq, 10)}
	t.rec.Record(r)
	return nil
}

// asked is when the last probe was sent until the horizon; 0 is none.
func (t *teller) asked(horizon int64) (at int64) {
	for sent := t.ledger.sent.Load(); t.looked < sent && t.ledger.sentAt(t.looked) <= horizon; {
		t.looked++
	}
	if t.looked == 0 {
		return 0
	}
	return t.ledger.sentAt(t.looked - 1)
}

// end tells the rest, once nobody sends or receives: the last answers, the losses in the order of sending, and, as a sign that
// all was told, the interval. Failed is why send calls failed, by seq.
func (t *teller) end(failed map[int64]string) error {
	if _, _, err := t.answers(1<<63 - 1); err != nil {
		return err
	}
	for seq := range t.ledger.sent.Load() {
		if t.ledger.answeredAt(seq) != 0 {
			continue
		}
		r := t.record(t.ledger.sentAt(seq), results.EchoLost)
		r.Attrs = map[string]string{"seq": strconv.FormatInt(seq, 10)}
		if cause, ok := failed[seq]; ok {
			r.Attrs["error"] = cause
		}
		t.rec.Record(r)
	}
	r := t.record(t.ledger.sentAt(0), results.EchoInterval)
	r.Value, r.Unit = t.conf.Interval.Seconds(), results.Seconds
	t.rec.Record(r)
	return nil
}

// record is an event of the client.
func (t *teller) record(at int64, name string) results.Record {
	return results.Record{Time: at, Host: t.conf.Host, Source: results.SourceEcho, Name: name, Unit: results.Event}
}
