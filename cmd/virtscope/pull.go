package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

// pulledFile says in a run folder that it was pulled, and what it lacks.
const pulledFile = "pulled.json"

func newPullCommand() *cobra.Command {
	var from influxOptions
	var run, to string
	c := &cobra.Command{
		Use:   "pull --url URL --bucket BUCKET [--run NAME]",
		Short: "make a run folder again from InfluxDB, when only the server's copy is left",
		Long: `pull makes a run folder of what InfluxDB has of a run: its records, to the bit, how its trials ended, its manifest, plan and experiment.
What is not there it says, in its output and in pulled.json. It asks in InfluxQL. Where from is said by flags, else by the environment, as for virtscope influx push.`,
		Example: `  virtscope pull --url http://localhost:8086 --bucket bench --run quickstart-20261127T073215.149Z
  virtscope pull --url http://localhost:8086 --bucket bench --run quickstart-20261127T073215.149Z --to /tmp/pulled`,
		Args: noURL("give the server by --url", cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			target, err := from.target(os.Getenv, nil)
			if err != nil {
				return specError(fmt.Errorf("pull: %w", err))
			}
			reader, err := target.Reader()
			if err != nil {
				return specError(err)
			}
			if run == "" {
				return listRuns(c, reader)
			}
			if to == "" {
				to = filepath.Join(runsDir(c), run)
			}
			if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
				return specError(fmt.Errorf("pull: %s is there, and nothing is overwritten: name another folder with --to", to))
			}
			return pull(c, reader, run, filepath.Clean(to))
		},
	}
	from.add(c, "")
	c.Flags().StringVar(&run, "run", "", "the run's name; without it, those that the server has are listed")
	c.Flags().StringVar(&to, "to", "", "the folder to make; by default the run's name below --runs")
	return c
}

func listRuns(c *cobra.Command, r *influx.Reader) error {
	runs, err := r.Runs(c.Context())
	if err != nil {
		return err
	}
	for _, name := range runs {
		fmt.Fprintln(c.OutOrStdout(), name)
	}
	if len(runs) == 0 {
		return specError(fmt.Errorf("pull: there is no run in bucket %s of %s", r.Bucket, r.URL))
	}
	fmt.Fprintln(c.ErrOrStderr(), "pull: bring one back with --run NAME")
	return nil
}

// pull makes the folder whole or not at all.
func pull(c *cobra.Command, reader *influx.Reader, run, to string) (err error) {
	found, err := reader.Find(c.Context(), run)
	if errors.Is(err, influx.ErrNoRun) {
		return specError(fmt.Errorf("pull: %w: virtscope pull without --run lists those that are there", err))
	}
	if err != nil {
		return err
	}
	spool, err := os.MkdirTemp(tempDirFor(to), ".pull-*")
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(spool)) }()
	p := newPulling(found, spool)
	if err := reader.Records(c.Context(), found, p.take); err != nil {
		return err
	}
	if err := p.write(to); err != nil {
		return err
	}
	return p.report(c.OutOrStdout(), to)
}

// tempDirFor is where the folder is going to stand, if that is there: what is spooled may be large.
func tempDirFor(to string) string {
	if _, err := os.Stat(filepath.Dir(to)); err == nil {
		return filepath.Dir(to)
	}
	return ""
}

// A pulled is pulled.json.
type pulled struct {
	Run      string          `json:"run"`
	Records  int64           `json:"records"`
	Attempts []pulledAttempt `json:"attempts"`
	Lacking  []string        `json:"lacking"` // what the folder does not have, and why
}

type pulledAttempt struct {
	Trial   string          `json:"trial"`
	Attempt int             `json:"attempt"`
	Records int64           `json:"records"`
	Verdict results.Verdict `json:"verdict,omitempty"`
}
