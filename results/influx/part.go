package influx

import (
	"fmt"
	"maps"
	"time"
	"virtscope/results"
)

// A part makes the batches of one attempt.
type part struct {
	reader  *reader
	attempt results.Attempted
	index   int   // in the state
	skip    int64 // so many records are settled: they are encoded, for those after them, and not sent
	live    bool
	encoder *Encoder

	count  int64 // records so far
	batch  *batch
	failed error // of what is not the attempt's file
}

// fresh begins a batch, with room for one such as that before.
func (p *part) fresh() {
	b := &batch{attempt: p.index}
	if p.batch != nil {
		b.text = make([]byte, 0, cap(p.batch.text))
		b.chunks = make([]chunk, 0, cap(p.batch.chunks))
	}
	p.batch = b
}

// take encodes records. Of a live attempt it waits before it sends a batch that is not full: what comes meanwhile comes with it.
func (p *part) take(records []results.Record) error {
	if p.reader.ctx.Err() != nil {
		return p.reader.ctx.Err() // of records that are settled none is sent, where it would be seen
	}
	for _, rec := range records {
		p.encode(rec)
		if len(p.batch.chunks) < p.reader.shipper.lines() && len(p.batch.text) < maxBatchBytes && len(p.batch.refused) < maxBatchLines {
			continue
		}
		if err := p.send(fullEvery); err != nil {
			return err
		}
	}
	if p.live && len(records) < readLimit && p.batch.records > 0 {
		return p.send(partEvery)
	}
	return nil
}

func (p *part) encode(rec results.Record) {
	p.count++
	b := p.batch
	begin := len(b.text)
	text, err := p.encoder.Append(b.text, rec)
	if p.count <= p.skip {
		b.text = text[:begin]
		return
	}
	b.records = p.count
	if err != nil {
		b.text = text[:begin]
		rec.Attrs = maps.Clone(rec.Attrs)
		b.refused = append(b.refused, Refusal{Number: p.count, Record: &rec, Reason: err.Error()})
		return
	}
	b.text = text
	if len(text) > begin {
		b.add(p.count)
	}
}

// send submits the batch, no sooner after the one before than a gentle Shipper may while the run goes on.
func (p *part) send(every time.Duration) error {
	r := p.reader
	for r.shipper.Gentle && time.Since(r.submitted) < every && !r.shipper.over() {
		if err := sleep(r.ctx, min(every-time.Since(r.submitted), pollRun)); err != nil {
			p.failed = err
			return err
		}
	}
	sent := p.batch
	p.fresh()
	if err := r.submit(sent); err != nil {
		p.failed = err
		return err
	}
	return nil
}

// end submits the rest, and what stands beside the records of an attempt that ended.
func (p *part) end(note string) error {
	r := p.reader
	b := p.batch
	if p.count < p.skip {
		note = fmt.Sprintf("%d records were shipped, and the folder holds %d by now", p.skip, p.count)
	}
	r.ledger.mu.Lock()
	known := &r.ledger.state.Attempts[p.index]
	known.Latest, known.read = p.encoder.Latest(), true
	r.ledger.mu.Unlock()
	b.records, b.last, b.note = max(p.count, p.skip), true, note
	over := r.shipper.Run.AttemptOver(p.attempt.Trial.ID, p.attempt.Number)
	if !over && !r.shipper.sure() {
		b.last = false // there may be more of it: a later Shipper looks
	}
	if r.shipper.Beside == nil || !over {
		return r.submit(b)
	}
	if r.shipper.Gentle && p.count > r.shipper.besideRecords() && !r.shipper.over() {
		b.last = false
		r.later = append(r.later, late{p.attempt, p.index, b.records, note})
		return r.submit(b)
	}
	if err := r.beside(b, p.attempt); err != nil {
		return err
	}
	return r.submit(b)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
