package main

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
)

// attemptKey names an attempt as points do.
type attemptKey struct{ order, attempt int }

// A pulling gathers what comes from the server. Records come by time, and those of attempts may stand among each other: each attempt has files of its
// own, until all are there; one for those that had come late, which then come late again, so that the folder makes the same points.
type pulling struct {
	found   *influx.Found
	spool   string
	counts  map[attemptKey]int64
	latest  map[attemptKey]int    // the highest Late of its records
	planned map[int]results.Trial // by order
	pulled  pulled
}

func newPulling(found *influx.Found, spool string) *pulling {
	return &pulling{found: found, spool: spool, counts: map[attemptKey]int64{}, latest: map[attemptKey]int{}, planned: map[int]results.Trial{}, pulled: pulled{Run: found.Run}}
}

func (p *pulling) file(k attemptKey, late int) string {
	return filepath.Join(p.spool, fmt.Sprintf("%d-%d-%d.ndjson", k.order, k.attempt, late))
}

// take appends a window's records to the files of their attempts.
func (p *pulling) take(batch []influx.Decoded) error {
	parts := map[string][]results.Record{}
	for _, d := range batch {
		k := attemptKey{d.Trial, d.Attempt}
		parts[p.file(k, d.Late)] = append(parts[p.file(k, d.Late)], d.Record)
		p.latest[k] = max(p.latest[k], d.Late)
		p.counts[k]++
		if _, known := p.planned[d.Trial]; !known {
			p.planned[d.Trial] = results.Trial{ID: fmt.Sprintf("%03d-pulled", d.Trial), Order: d.Trial, Treatment: d.Treatment, Levels: d.Levels}
		}
	}
	for path, records := range parts {
		if err := appendLines(path, records); err != nil {
			return fmt.Errorf("pull: %w", err)
		}
		p.pulled.Records += int64(len(records))
	}
	return nil
}

func appendLines(path string, records []results.Record) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range records {
		if err := enc.Encode(&records[i]); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Flush(), f.Close())
}

func (p *pulling) lacks(format string, args ...any) {
	p.pulled.Lacking = append(p.pulled.Lacking, fmt.Sprintf(format, args...))
}

// write makes the run folder, and removes it again if that fails.
func (p *pulling) write(to string) (err error) {
	for _, name := range p.found.Broken {
		p.lacks("%s: only a part of it is on the server", name)
	}
	plan := p.plan()
	manifest := p.manifest(plan)
	manifest.Run = filepath.Base(to)
	r, err := results.Create(filepath.Dir(to), manifest, p.experiment(manifest), plan)
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(r.Dir))
		}
	}()
	for _, name := range influx.RunFiles { // as they were, to the byte
		content, ok := p.found.Files[name]
		if !ok {
			continue
		}
		if err := results.WriteFile(filepath.Join(r.Dir, name), content); err != nil {
			return fmt.Errorf("pull: %w", err)
		}
	}
	p.checkJournal(r)
	if err := p.writeAttempts(r); err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	p.lacks("logs of consoles, QMP and hypervisors, and captures of frames: they are never sent")
	p.lacks("the order in which records came: they stand in the order of their time, and after them those that came late")
	return results.WriteJSON(filepath.Join(r.Dir, pulledFile), p.pulled)
}

// checkJournal says what the journal does not. It is sent while the run goes on, and what came after the last attempt may be missing.
func (p *pulling) checkJournal(r *results.Run) {
	if p.found.Files["journal.ndjson"] == nil {
		p.lacks("journal.ndjson: it is not on the server: what happened between trials is not known")
		return
	}
	entries, err := r.Entries()
	if err != nil || len(entries) == 0 || entries[len(entries)-1].Event != results.RunEnd {
		p.lacks("journal.ndjson: its end: what the run did after its last attempt was sent is not known")
	}
}

// plan is the run's plan, or what trials and records show of it.
func (p *pulling) plan() []results.Trial {
	if text, ok := p.found.Files["plan.ndjson"]; ok {
		var plan []results.Trial
		d := json.NewDecoder(strings.NewReader(string(text)))
		for {
			var t results.Trial
			err := d.Decode(&t)
			if errors.Is(err, io.EOF) {
				return plan
			}
			if err != nil {
				p.lacks("plan.ndjson: it cannot be read: %v", err)
				break
			}
			plan = append(plan, t)
		}
	} else {
		p.lacks("plan.ndjson: it is not on the server: trials that never began are not known")
	}
	for _, o := range p.found.Ended {
		p.planned[o.Trial.Order] = o.Trial
	}
	var plan []results.Trial
	for _, t := range p.planned {
		plan = append(plan, t)
	}
	slices.SortFunc(plan, func(a, b results.Trial) int { return cmp.Compare(a.Order, b.Order) })
	return plan
}

// manifest is the run's, or what is known of it.
func (p *pulling) manifest(plan []results.Trial) results.Manifest {
	var m results.Manifest
	text, ok := p.found.Files["manifest.json"]
	if ok {
		err := json.Unmarshal(text, &m)
		if err == nil && m.Format == results.ManifestFormat {
			return m
		}
		p.lacks("manifest.json: it cannot be used (format %d, %v)", m.Format, err)
		delete(p.found.Files, "manifest.json")
	} else {
		p.lacks("manifest.json: it is not on the server: seed, facts about the machine and versions are not known")
	}
	m = results.Manifest{Format: results.ManifestFormat, Run: p.found.Run, Name: p.found.Experiment, Created: p.begin()}
	for _, t := range plan {
		for _, l := range t.Levels {
			i := slices.IndexFunc(m.Factors, func(f results.Factor) bool { return f.Path == l.Factor })
			if i < 0 {
				i = len(m.Factors)
				m.Factors = append(m.Factors, results.Factor{Path: l.Factor})
			}
			if !slices.Contains(m.Factors[i].Levels, l.Value) {
				m.Factors[i].Levels = append(m.Factors[i].Levels, l.Value)
			}
		}
	}
	return m
}

// begin is when the first thing of the run was; the zero time if nothing tells.
func (p *pulling) begin() time.Time {
	var t time.Time
	if len(p.found.Ended) > 0 {
		t = p.found.Ended[0].Begin
	}
	for _, s := range p.found.Spans {
		if at := time.Unix(0, s.From).UTC(); t.IsZero() || at.Before(t) {
			t = at
		}
	}
	return t
}

// experiment is the run's experiment.
func (p *pulling) experiment(m results.Manifest) []byte {
	text, ok := p.found.Files["experiment.yaml"]
	if !ok {
		p.lacks("experiment.yaml: it is not on the server: limits and figures that it asks for are not known, and the run cannot go on")
		return []byte("# The experiment is not in InfluxDB.\n")
	}
	if sum := sha256.Sum256(text); m.SpecHash != "" && hex.EncodeToString(sum[:]) != m.SpecHash {
		p.lacks("experiment.yaml: it is not the one whose hash the manifest has")
	}
	return text
}
