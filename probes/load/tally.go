package load

import (
	"strconv"
	"time"
	"virtscope/probes"
	"virtscope/results"
)

// tolerance is how late the client may be with a request before that is counted.
const tolerance = int64(time.Millisecond)

// A due is the requests that were due in one bin, and what became of them so far.
type due struct {
	at        int64 // ns since the Unix epoch: the bin's begin
	open      int   // not ended
	failed    int
	pending   int
	late      int64   // ns: by how much the client was late at most
	latencies []int64 // ns, of those that were answered as asked
}

// A tally sums up over bins. It implements observer.
type tally struct {
	conf  Config
	begin int64 // ns since the Unix epoch: the engine's
	rec   results.Recorder
	meter *probes.Meter
	out   *writer

	dues    []*due // of bins in a row
	arrived arrived
}

// newTally begins with the bin at start (ns since the Unix epoch).
func newTally(c Config, begin, start int64, meter *probes.Meter, rec results.Recorder, out *writer) *tally {
	return &tally{conf: c, begin: begin, rec: rec, meter: meter, out: out, arrived: newArrived(c, start, rec)}
}

// bin returns the bin in which a request was due; they come in order.
func (t *tally) bin(at int64) *due {
	width := int64(t.conf.Bin)
	start := (t.begin + at) / width * width
	if len(t.dues) == 0 {
		t.dues = append(t.dues, &due{at: start})
	}
	for last := t.dues[len(t.dues)-1]; last.at < start; last = t.dues[len(t.dues)-1] {
		t.dues = append(t.dues, &due{at: last.at + width})
	}
	return t.dues[(start-t.dues[0].at)/width]
}

func (t *tally) asked(r request, at int64) {
	d := t.bin(r.due)
	d.open++
	d.late = max(d.late, at-r.due)
	if at-r.due > tolerance {
		t.meter.Late(1)
	}
	// No more will be due in the bins before: what has ended there can go.
	for t.dues[0] != d && t.dues[0].open == 0 {
		t.out.put(t.dues[0])
		t.dues = t.dues[1:]
	}
}

func (t *tally) answered(r request, _ answer, right bool, at int64) {
	if !right {
		t.failed(r)
		return
	}
	d := t.bin(r.due)
	d.open--
	d.latencies = append(d.latencies, at-r.due)
	t.arrived.add(t.begin+at, 0, 1)
}

func (t *tally) failed(r request) {
	d := t.bin(r.due)
	d.open--
	d.failed++
}

func (t *tally) received(n int, at int64) { t.arrived.add(t.begin+at, n, 0) }
func (t *tally) tick(now int64)           { t.arrived.until(t.begin + now) }

func (t *tally) reconnected(cause string, at int64) {
	t.rec.Record(results.Record{
		Time: t.begin + at, Host: t.conf.Host, Source: results.SourceLoad, Name: results.LoadReconnect,
		Attrs: map[string]string{"kind": t.conf.Kind, "error": cause},
	})
}

// finish records what is left: the requests without an answer are pending.
func (t *tally) finish(left []request) {
	for _, r := range left {
		d := t.bin(r.due)
		d.open--
		d.pending++
	}
	for _, d := range t.dues {
		t.out.put(d)
	}
	t.dues = nil
	t.arrived.end(time.Now().UnixNano())
}

// arrived sums up what came, by bins of its arrival.
type arrived struct {
	rec     results.Recorder
	conf    Config
	attrs   map[string]string
	at      int64 // ns since the Unix epoch: the bin's begin
	bytes   int64
	answers int64
}

// newArrived begins with the bin at start.
func newArrived(c Config, start int64, rec results.Recorder) arrived {
	return arrived{rec: rec, conf: c, at: start, attrs: map[string]string{"kind": c.Kind, "bin": inSeconds(c.Bin)}}
}

// until ends the bins before now (ns since the Unix epoch), empty ones too.
func (a *arrived) until(now int64) {
	for a.at+int64(a.conf.Bin) <= now {
		a.finish()
		a.at += int64(a.conf.Bin)
	}
}

// add counts what came at a time. One that is a little before the last (two clocks' readings) counts in the last's bin.
func (a *arrived) add(at int64, bytes, answers int) {
	a.until(at)
	a.bytes += int64(bytes)
	a.answers += int64(answers)
}

// end records the last bin, which is as long as it took until now.
func (a *arrived) end(now int64) {
	a.until(now)
	if now > a.at {
		a.attrs = map[string]string{"kind": a.conf.Kind, "bin": inSeconds(time.Duration(now - a.at))}
		a.finish()
	}
}

// finish records the bin so far.
func (a *arrived) finish() {
	r := results.Record{Time: a.at, Host: a.conf.Host, Source: results.SourceLoad, Attrs: a.attrs}
	r.Name, r.Value, r.Unit = results.LoadBytes, float64(a.bytes), results.Bytes
	a.rec.Record(r)
	if a.conf.asks() {
		r.Name, r.Value, r.Unit = results.LoadAnswers, float64(a.answers), results.One
		a.rec.Record(r)
	}
	a.bytes, a.answers = 0, 0
}

func (d *due) count() string { return strconv.Itoa(len(d.latencies)) }
