package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Files of a run folder.
const (
	manifestFile   = "manifest.json"
	planFile       = "plan.ndjson"
	journalFile    = "journal.ndjson"
	experimentFile = "experiment.yaml"
	trialsDir      = "trials"
)

// A Run is a run folder.
type Run struct {
	Dir      string
	Manifest Manifest
	Plan     []Trial // in order
}

// Create makes a run folder below runs. It never touches one that exists. Experiment is the resolved text of the
// experiment.
func Create(runs string, m Manifest, experiment []byte, plan []Trial) (*Run, error) {
	if err := checkName("run", m.Run); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	if err := checkPlan(plan); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	dir := filepath.Join(runs, m.Run)
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	r := &Run{Dir: dir, Manifest: m, Plan: plan}
	if err := r.write(experiment); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

func (r *Run) write(experiment []byte) error {
	if err := os.Mkdir(filepath.Join(r.Dir, trialsDir), 0o755); err != nil {
		return err
	}
	if err := WriteFile(filepath.Join(r.Dir, experimentFile), experiment); err != nil {
		return err
	}
	var lines []byte
	for _, t := range r.Plan {
		line, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("write plan: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := WriteFile(filepath.Join(r.Dir, planFile), lines); err != nil {
		return err
	}
	return WriteJSON(filepath.Join(r.Dir, manifestFile), r.Manifest)
}

// Open opens a run folder that exists.
func Open(dir string) (*Run, error) {
	r := &Run{Dir: dir}
	err := readJSON(filepath.Join(dir, manifestFile), &r.Manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open run %s: it holds no %s: name a folder that virtscope run made", dir, manifestFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}
	if r.Manifest.Format != ManifestFormat {
		return nil, fmt.Errorf("open run %s: format %d, want %d: use the virtscope that made it (%s)",
			dir, r.Manifest.Format, ManifestFormat, r.Manifest.Tool.Version)
	}
	r.Plan, err = readLines[Trial](filepath.Join(dir, planFile))
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}
	if err := checkPlan(r.Plan); err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}
	return r, nil
}

// Experiment returns the resolved text of the experiment.
func (r *Run) Experiment() ([]byte, error) {
	return os.ReadFile(filepath.Join(r.Dir, experimentFile))
}

// ExperimentPath is where the resolved text of the experiment stands.
func (r *Run) ExperimentPath() string { return filepath.Join(r.Dir, experimentFile) }

// TrialDir is the folder of a trial's last attempt; it may not exist.
func (r *Run) TrialDir(id string) string { return filepath.Join(r.Dir, trialsDir, id) }
