package influx

import (
	"context"
	"virtscope/results"
)

// maxBeside is of how many records an attempt is at most whose annotations are derived while the next one is measured. It takes about a kilobyte a record.
const maxBeside = 30_000

func (s *Shipper) besideRecords() int64 {
	if s.maxBeside > 0 {
		return s.maxBeside
	}
	return maxBeside
}

// A late attempt is one of which all records were submitted, and what stands beside them was not.
type late struct {
	attempt results.Attempted
	index   int   // in the state
	records int64 // settled, once all of it is
	note    string
}

// belated submits what stands beside the records of attempts that were too large for it while the run went on.
func (r *reader) belated() error {
	for _, l := range r.later {
		b := &batch{attempt: l.index, records: l.records, last: true, note: l.note}
		if err := r.beside(b, l.attempt); err != nil {
			return err
		}
		if err := r.submit(b); err != nil {
			return err
		}
	}
	r.later = nil
	return nil
}

// beside appends what stands beside an attempt's records, and notes what is missing of it. The error is the context's: then the batch is not whole.
func (r *reader) beside(b *batch, a results.Attempted) error {
	text, err := r.shipper.askBeside(r.ctx, a)
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if err != nil {
		b.note = join(b.note, err.Error())
	}
	eachLine(text, func(line []byte) {
		b.text = append(b.text, line...)
		b.add(0)
	})
	return nil
}

// askBeside asks where the attempt's folder is by now: a later attempt sets it aside, maybe in this very moment.
func (s *Shipper) askBeside(ctx context.Context, a results.Attempted) (text []byte, err error) {
	for range 2 {
		a.Dir, _ = s.Run.AttemptDir(a.Trial.ID, a.Number)
		if text, err = s.Beside(ctx, a); err == nil || ctx.Err() != nil {
			break
		}
	}
	return text, err
}
