package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/validity"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// loadSet reads a run, analyses its records and gives it as statistics see it, with the run's problems; or it reads a run's trials.csv,
// gzip or not. It is an error if no trial of it has ended.
func loadSet(c *cobra.Command, name string) (dataset.Set, error) {
	if strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz") {
		set, err := loadCSV(name)
		return set, specError(err)
	}
	r, err := openRun(c, name)
	if err != nil {
		return dataset.Set{}, specError(err)
	}
	run, err := analyzeRun(c.Context(), r, withoutSeries(r), nil)
	if err != nil {
		return dataset.Set{}, err
	}
	set := run.Dataset(r.Manifest.Run)
	if len(set.Trials) == 0 {
		return set, specError(fmt.Errorf("read %s: none of its %d trials has ended: go on with virtscope run --resume %s", r.Dir, len(r.Plan), r.Dir))
	}
	return set, nil
}

func loadCSV(path string) (dataset.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return dataset.Set{}, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return dataset.Set{}, fmt.Errorf("read %s: %w", path, err)
		}
	}
	set, err := dataset.ReadCSV(in, path)
	validity.SpoilByDefaults(&set, "a CSV file does not have them")
	if err == nil && len(set.Trials) == 0 {
		err = fmt.Errorf("read %s: it holds no trial", path)
	}
	return set, err
}

// mostProblems bounds how many trials that could not be read are listed.
const mostProblems = 3

// shortcomings are what a reader of figures of the set must know: trials that are missing, failed or could not be read.
func shortcomings(set dataset.Set) []string {
	var list []string
	if missing := set.Planned - len(set.Trials); missing > 0 {
		list = append(list, fmt.Sprintf("%s: %d of %d trials have not ended", set.Name, missing, set.Planned))
	}
	counts := map[results.Verdict]int{}
	counted := 0
	for _, t := range set.Trials {
		counts[t.Verdict]++
		if t.Counted() {
			counted++
		}
	}
	for _, v := range []results.Verdict{results.Invalid, results.Interrupted} {
		if counts[v] > 0 {
			list = append(list, fmt.Sprintf("%s: %d trials are %s, and count in no figure", set.Name, counts[v], v))
		}
	}
	if n := counts[results.Untold]; n > 0 {
		list = append(list, fmt.Sprintf("%s: how %s ended cannot be read: nothing of that is in a figure", set.Name, trialCount(n)))
	}
	if counts[results.Failed] == len(set.Trials) {
		list = append(list, fmt.Sprintf("%s: all trials failed: their times are censored, the truth is larger", set.Name))
	}
	if counted == 0 {
		list = append(list, set.Name+": no trial counts: nothing can be said of any metric")
	}
	if set.Assumed != "" {
		list = append(list, set.Name+": "+set.Assumed)
	}
	list = append(list, spoiledTrials(set)...)
	for i, p := range set.Problems {
		if i == mostProblems {
			list = append(list, fmt.Sprintf("%s: and %d more trials that could not be read", set.Name, len(set.Problems)-i))
			break
		}
		list = append(list, set.Name+": "+p)
	}
	return list
}
