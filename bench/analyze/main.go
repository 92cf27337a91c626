// Command analyze makes a run folder of many trials, to measure how fast virtscope analyze reads one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
	"virtscope/results"
)

func main() {
	from := flag.String("from", "", "run folder whose trials are copied: those that completed")
	to := flag.String("to", "", "folder in which the run is made; the run's own name is below it")
	trials := flag.Int("trials", 1000, "how many trials")
	records := flag.Int("records", 10_000, "records of each trial, about")
	flag.Parse()
	dir, total, err := makeRun(*from, *to, *trials, *records)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/analyze:", err)
		os.Exit(1)
	}
	fmt.Printf("%s\t%d trials\t%d records\n", dir, *trials, total)
}

// A model is a trial that is copied.
type model struct {
	outcome results.Outcome
	records []results.Record
}

// replicates is the key of the experiment that says how many trials a treatment has.
var replicates = regexp.MustCompile(`(?m)^replicates: .*$`)

// makeRun makes a run of n trials, copies of those of the run at from at later times, each of about m records.
func makeRun(from, to string, n, m int) (dir string, total int, err error) {
	r, err := results.Open(from)
	if err != nil {
		return "", 0, err
	}
	models, order, err := readModels(r, m)
	if err != nil {
		return "", 0, err
	}
	text, err := r.Experiment()
	if err != nil {
		return "", 0, err
	}
	text = replicates.ReplaceAll(text, fmt.Appendf(nil, "replicates: %d", (n+len(order)-1)/len(order)))
	var plan []results.Trial
	var parts []model
	for i := range n {
		key := order[i%len(order)]
		of := models[key][i/len(order)%len(models[key])]
		t := of.outcome.Trial
		t.Order, t.Replicate = i+1, i/len(order)+1
		t.Block = fmt.Sprintf("replicate=%d", t.Replicate)
		t.ID = fmt.Sprintf("%04d-%s-r%d", t.Order, place.ReplaceAllString(of.outcome.Trial.ID, ""), t.Replicate)
		plan, parts = append(plan, t), append(parts, of)
		total += len(of.records)
	}
	manifest := r.Manifest
	manifest.Run = fmt.Sprintf("%s-%d-trials", manifest.Name, n)
	made, err := results.Create(to, manifest, text, plan)
	if err != nil {
		return "", 0, err
	}
	return made.Dir, total, writeTrials(made, parts)
}

// place is what stands in an id beside the treatment: its order and replicate.
var place = regexp.MustCompile(`^\d+-|-r\d+$`)

// readModels reads the trials that completed, by treatment, and the treatments in the plan's order.
func readModels(r *results.Run, m int) (models map[string][]model, order []string, err error) {
	models = map[string][]model{}
	for _, t := range r.Plan {
		o, ok, err := r.Outcome(t.ID)
		if err != nil {
			return nil, nil, err
		}
		if !ok || o.Verdict != results.Completed {
			continue
		}
		all, err := r.Records(t.ID)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(order, t.Treatment) {
			order = append(order, t.Treatment)
		}
		models[t.Treatment] = append(models[t.Treatment], model{o, thin(all, m)})
	}
	if len(order) == 0 {
		return nil, nil, fmt.Errorf("run %s has no trial that completed", r.Dir)
	}
	return models, order, nil
}

// thin keeps about m records: all of the names that occur seldom, and an even part of the samples.
func thin(all []results.Record, m int) []results.Record {
	const seldom = 700
	count, seen := map[string]int{}, map[string]int{}
	for _, r := range all {
		count[r.Name]++
	}
	many := 0
	for _, n := range count {
		if n > seldom {
			many += n
		}
	}
	want := m - (len(all) - many) // of the samples
	if want <= 0 || want >= many {
		return all
	}
	var kept []results.Record
	for _, r := range all {
		n := seen[r.Name]
		seen[r.Name]++
		if count[r.Name] <= seldom || (n+1)*want/many > n*want/many {
			kept = append(kept, r)
		}
	}
	return kept
}

// between is the time from one trial's begin to the next's.
const between = int64(20e9)

func writeTrials(r *results.Run, parts []model) error {
	next := make(chan int)
	var mu sync.Mutex
	var all error
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				if err := writeTrial(r, i, parts[i]); err != nil {
					mu.Lock()
					all = errors.Join(all, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range parts {
		next <- i
	}
	close(next)
	workers.Wait()
	return all
}

func writeTrial(r *results.Run, i int, of model) error {
	a, _, err := r.Begin(r.Plan[i])
	if err != nil {
		return err
	}
	shift := int64(i) * between
	for _, rec := range of.records {
		rec.Time += shift
		a.Record(rec)
	}
	o := of.outcome
	o.Trial, o.Begin, o.End = r.Plan[i], o.Begin.Add(time.Duration(shift)), o.End.Add(time.Duration(shift))
	if err := a.Finish(&o); err != nil {
		return err
	}
	if o.Dropped > 0 {
		return fmt.Errorf("trial %s: %d records dropped", filepath.Base(a.Dir), o.Dropped)
	}
	return nil
}
