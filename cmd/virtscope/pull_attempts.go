package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
)

// writeAttempts writes each attempt's records by the store's own writer, the attempts at a trial in their order.
func (p *pulling) writeAttempts(r *results.Run) error {
	outcomes := map[attemptKey]influx.Ended{}
	for _, o := range p.found.Ended {
		outcomes[attemptKey{o.Trial.Order, o.Attempt}] = o
		p.counts[attemptKey{o.Trial.Order, o.Attempt}] += 0
	}
	keys := slices.SortedFunc(maps.Keys(p.counts), func(a, b attemptKey) int {
		if a.order != b.order {
			return a.order - b.order
		}
		return a.attempt - b.attempt
	})
	for _, k := range keys {
		i := slices.IndexFunc(r.Plan, func(t results.Trial) bool { return t.Order == k.order })
		if i < 0 {
			p.lacks("trial %d, attempt %d: %d records are on the server, and the plan has no such trial", k.order, k.attempt, p.counts[k])
			continue
		}
		o, ended := outcomes[k]
		if !ended {
			o = influx.Ended{Outcome: results.Outcome{Trial: r.Plan[i], Attempt: k.attempt}, Records: -1}
		}
		if o.Trial.ID != r.Plan[i].ID {
			p.lacks("trial %s, attempt %d: how it ended is of a trial %q, and is left out", r.Plan[i].ID, k.attempt, o.Trial.ID)
			o, ended = influx.Ended{Outcome: results.Outcome{Trial: r.Plan[i], Attempt: k.attempt}, Records: -1}, false
		}
		if err := p.writeAttempt(r, k, o, ended); err != nil {
			return err
		}
	}
	for _, t := range r.Plan {
		if !slices.ContainsFunc(keys, func(k attemptKey) bool { return k.order == t.Order }) {
			p.lacks("trial %s: nothing of it is on the server", t.ID)
		}
	}
	return nil
}

func (p *pulling) writeAttempt(r *results.Run, k attemptKey, o influx.Ended, ended bool) error {
	a, number, err := r.Begin(o.Trial)
	if err != nil {
		return err
	}
	if number != k.attempt {
		p.lacks("trial %s: attempt %d is not on the server: attempt %d stands in its place", o.Trial.ID, number, k.attempt)
	}
	kept := o.Outcome
	if err := errors.Join(p.replay(a, k), a.Finish(&kept)); err != nil {
		return err
	}
	if kept.Dropped > 0 {
		return fmt.Errorf("write trial %s: %d records could not be kept", o.Trial.ID, kept.Dropped)
	}
	why := p.incomplete(k, o, ended)
	if why != "" {
		p.lacks("trial %s, attempt %d: %s", o.Trial.ID, k.attempt, why)
	}
	if why != "" && o.Verdict.Final() {
		p.lacks("trial %s, attempt %d: its verdict: it was %s, and is %s here, since its figures would be of a part of its records", o.Trial.ID, k.attempt, o.Verdict, results.Invalid)
		o.Reason = strings.TrimPrefix(o.Reason+"; "+why, "; ")
		o.Verdict = results.Invalid
	}
	path := filepath.Join(a.Dir, "trial.json")
	if !ended {
		p.lacks("trial %s, attempt %d: how it ended is not on the server", o.Trial.ID, k.attempt)
		if err := os.Remove(path); err != nil {
			return err
		}
	} else if err := results.WriteJSON(path, o.Outcome); err != nil { // what was dropped then, not now
		return err
	}
	p.pulled.Attempts = append(p.pulled.Attempts, pulledAttempt{Trial: o.Trial.ID, Attempt: k.attempt, Records: p.counts[k], Verdict: o.Verdict})
	return nil
}

// incomplete says why what the server has of an attempt's records is not what they were; "" if it is.
func (p *pulling) incomplete(k attemptKey, o influx.Ended, ended bool) string {
	switch n := p.counts[k]; {
	case o.Records >= 0 && n > o.Records:
		return fmt.Sprintf("it had %d records, and %d are on the server, some of them twice", o.Records, n)
	case o.Records >= 0 && n < o.Records:
		return fmt.Sprintf("%d of its %d records are on the server", n, o.Records)
	case ended && o.Records < 0 && o.Problem != "":
		return fmt.Sprintf("when it was sent: %s", o.Problem)
	case ended && o.Records < 0:
		return "the server does not say how many records it had"
	}
	return ""
}

// maxWaiting is how many records wait at most for the disk.
const maxWaiting = 20_000

// replay writes the records of an attempt from the files where they were gathered.
func (p *pulling) replay(a *results.Attempt, k attemptKey) error {
	for late := range p.latest[k] + 1 {
		if err := replayFile(a, p.file(k, late)); err != nil {
			return err
		}
	}
	return nil
}

func replayFile(a *results.Attempt, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReaderSize(f, 256<<10))
	for n := 0; ; n++ {
		var rec results.Record
		if err := d.Decode(&rec); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a.Record(rec)
		for n%1000 == 0 && a.Pending() > maxWaiting {
			time.Sleep(time.Millisecond)
		}
	}
}

// report says what came, and what did not.
func (p *pulling) report(w io.Writer, to string) error {
	fmt.Fprintf(w, "%d records of %d attempts\n", p.pulled.Records, len(p.pulled.Attempts))
	for _, l := range p.pulled.Lacking {
		fmt.Fprintf(w, "not there: %s\n", l)
	}
	_, err := fmt.Fprintf(w, "run      %s\n", to)
	return err
}
