package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"virtscope/testbed/host"
)

// A Leftover is something that a run that is over left on this machine.
type Leftover struct {
	RunID   string
	Kind    string // process, namespace or folder
	Name    string // the command, the namespace's name or the folder's path
	PID     int    // of a process
	Removed bool   // false on a dry run, and when Sweep returned an error for it
}

func (l Leftover) String() string {
	if l.Kind == "process" {
		return fmt.Sprintf("process %d of run %s: %s", l.PID, l.RunID, l.Name)
	}
	return fmt.Sprintf("%s %s of run %s", l.Kind, l.Name, l.RunID)
}

var namespacePattern = regexp.MustCompile(`^vs-([0-9a-f]{6,8})-[a-z]+[0-9]*$`)

// Sweep finds what runs that were killed left on this machine: processes in their namespaces, the namespaces,
// with the links in them, the scratch folders and the runtime folders. It removes them, in that order, unless dryRun. A run whose
// owner (see Runtime) is alive is not touched. It goes on after an error, and returns what it found and the
// errors joined.
func Sweep(ctx context.Context, dryRun bool) ([]Leftover, error) {
	return sweep(ctx, dryRun, func(string) bool { return true })
}

// sweep looks only at the runs whose id is wanted.
func sweep(ctx context.Context, dryRun bool, want func(id string) bool) ([]Leftover, error) {
	namespaces, err := listNamespaces()
	folders, folderErr := listFolders()
	scratch, scratchErr := listScratch()
	errs := []error{err, folderErr, scratchErr}
	var found []Leftover
	ids := slices.Concat(slices.Collect(maps.Keys(namespaces)), slices.Collect(maps.Keys(folders)), slices.Collect(maps.Keys(scratch)))
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		if !want(id) {
			continue
		}
		if holder, err := owner(filepath.Join(runtimeRoot, id)); err == nil && holder.alive() {
			continue
		}
		left, err := sweepRun(ctx, id, namespaces[id], append(scratch[id], folders[id]), dryRun)
		found = append(found, left...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return found, fmt.Errorf("sweep: %w", err)
	}
	return found, nil
}

func sweepRun(ctx context.Context, id string, namespaces, folders []string, dryRun bool) ([]Leftover, error) {
	var found []Leftover
	var errs []error
	take := func(l Leftover, remove func() error) {
		l.RunID = id
		if !dryRun {
			err := remove()
			l.Removed = err == nil
			errs = append(errs, err)
		}
		found = append(found, l)
	}
	for _, ns := range namespaces {
		pids, err := inside(ns)
		errs = append(errs, err)
		for _, pid := range pids {
			take(Leftover{Kind: "process", Name: command(pid), PID: pid}, func() error { return kill(ctx, ns, pid) })
		}
	}
	for _, ns := range namespaces {
		take(Leftover{Kind: "namespace", Name: ns}, func() error { return host.DeleteNamespace(ctx, ns) })
	}
	for _, folder := range folders {
		if folder != "" {
			take(Leftover{Kind: "folder", Name: folder}, func() error { return os.RemoveAll(folder) })
		}
	}
	return found, errors.Join(errs...)
}

// listNamespaces groups our namespaces by run.
func listNamespaces() (map[string][]string, error) {
	entries, err := os.ReadDir(host.NamespaceDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	runs := make(map[string][]string)
	for _, e := range entries {
		if m := namespacePattern.FindStringSubmatch(e.Name()); m != nil {
			runs[m[1]] = append(runs[m[1]], e.Name())
		}
	}
	return runs, nil
}

func namespacesOf(runID string) ([]string, error) {
	runs, err := listNamespaces()
	return runs[runID], err
}

// listFolders maps runs to their runtime folders. A folder that was being made when its process was killed
// has a name of its own.
func listFolders() (map[string]string, error) {
	entries, err := os.ReadDir(runtimeRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runtime folders: %w", err)
	}
	runs := make(map[string]string)
	for _, e := range entries {
		if runIDPattern.MatchString(e.Name()) || strings.HasPrefix(e.Name(), ".new-") {
			runs[e.Name()] = filepath.Join(runtimeRoot, e.Name())
		}
	}
	return runs, nil
}
