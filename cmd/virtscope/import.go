package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"virtscope/analysis/guestperf"
	"virtscope/results"

	"github.com/spf13/cobra"
)

func newImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import REPORT...",
		Short: "make a run folder of reports of QEMU's guestperf, one trial a report",
		Long: `import reads the JSON reports of guestperf, QEMU's migration test tool, into a run folder, so that show and analyze print them
beside virtscope's own runs. The parameters in which the reports differ become the factors. What guestperf does not measure
stays unknown.`,
		Args: needArgs(1, "name reports that guestperf.py --output or guestperf-batch.py wrote"),
		RunE: func(c *cobra.Command, files []string) error {
			r, err := importReports(runsDir(c), files)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "run      %s: %s\ntable    virtscope show %s\n", r.Dir, trialCount(len(r.Plan)), r.Dir)
			return nil
		},
	}
}

func trialCount(n int) string {
	if n == 1 {
		return "1 trial"
	}
	return fmt.Sprintf("%d trials", n)
}

// importReports reads all files before it makes a run folder below runs. Nothing is left behind on an error.
func importReports(runs string, files []string) (r *results.Run, err error) {
	reports, sources, err := readReports(files)
	if err != nil {
		return nil, specError(err)
	}
	factors, trials := guestperf.Plan(reports)
	id := newRunID("guestperf-import")
	text := importText(sources)
	sum := sha256.Sum256(text)
	m := results.Manifest{
		Format: results.ManifestFormat, Run: id.name, Short: id.short, Name: "guestperf-import",
		Question: "What do these reports of QEMU's guestperf say?", Created: time.Now().UTC(), Tool: tool(),
		SpecHash: hex.EncodeToString(sum[:]), Sources: sources, Factors: factors, Facts: importFacts(sources),
	}
	r, err = results.Create(runs, m, text, trials)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(r.Dir))
		}
	}()
	j, err := r.Journal()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	for i, report := range reports {
		if err := importTrial(r, j, trials[i], report.Trial()); err != nil {
			return r, fmt.Errorf("import %s: %w", files[i], err)
		}
	}
	return r, nil
}

// readReports reads and hashes every file; the error names all that are no reports.
func readReports(files []string) (reports []*guestperf.Report, sources []results.Source, err error) {
	var errs []error
	for _, name := range files {
		data, err := readAtMost(name, guestperf.MaxSize)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		report, err := guestperf.Parse(data)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		sum := sha256.Sum256(data)
		reports = append(reports, report)
		sources = append(sources, results.Source{Path: filepath.ToSlash(name), SHA256: hex.EncodeToString(sum[:])})
	}
	return reports, sources, errors.Join(errs...)
}

// readAtMost reads a file of at most so many bytes, and one byte more of a longer one.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

// importText stands in the run folder where a run of virtscope's own has its experiment.
func importText(sources []results.Source) []byte {
	var b strings.Builder
	b.WriteString("# There is no experiment: this run was imported from reports of QEMU's guestperf.\n")
	for _, s := range sources {
		fmt.Fprintf(&b, "# %s %s\n", s.SHA256, s.Path)
	}
	return []byte(b.String())
}

// importFacts say where the run comes from and what it cannot have.
func importFacts(sources []results.Source) []results.Fact {
	facts := []results.Fact{
		{Subject: "import", Name: "format", Value: "report of QEMU's guestperf (tests/migration-stress/guestperf/report.py)"},
		{Subject: "import", Name: "not known", Value: "events of the hypervisors, the destination's processes, a client, a capture, the guest's memory"},
	}
	for i, s := range sources {
		facts = append(facts, results.Fact{Subject: "import", Name: fmt.Sprintf("trial %d", i+1), Value: s.Path + " sha256 " + s.SHA256})
	}
	return facts
}

// importTrial writes one trial as the runner would have.
func importTrial(r *results.Run, j *results.Journal, planned results.Trial, t guestperf.Trial) error {
	a, number, err := r.Begin(planned)
	if err != nil {
		return err
	}
	for _, rec := range t.Records {
		a.Record(rec)
	}
	o := t.Outcome
	o.Trial, o.Attempt = planned, number
	if err := a.Finish(&o); err != nil {
		return err
	}
	return j.Append(results.Entry{Event: results.TrialDone, Trial: planned.ID, Attempt: number, Verdict: o.Verdict, Reason: o.Reason})
}
