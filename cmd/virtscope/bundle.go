package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"virtscope/results/bundle"

	"github.com/spf13/cobra"
)

const bundleSuffix = ".tar.zst"

func newBundleCommand() *cobra.Command {
	var output string
	var partial, force bool
	c := &cobra.Command{
		Use:   "bundle RUN",
		Short: "pack a run into one file that tells when a byte of it was changed",
		Args:  oneArg("name one run folder, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			missing, err := unended(r, stays)
			if err != nil {
				return err
			}
			if len(missing) > 0 && !partial {
				return specError(fmt.Errorf("bundle %s: %d of %d trials have no end (%s …): go on with virtscope run --resume %s, or pack it as it is with --partial",
					r.Dir, len(missing), len(r.Plan), missing[0], r.Dir))
			}
			if output == "" {
				output = r.Manifest.Run + bundleSuffix
			}
			if err := outside(output, r.Dir); err != nil {
				return specError(err)
			}
			var index bundle.Index
			err = writeOutput(c, output, force, func(w io.Writer) error {
				index, err = bundle.Write(w, r.Dir, r.Manifest.Run, version)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d files\n", output, len(index.Files))
			if len(missing) > 0 {
				fmt.Fprintf(c.OutOrStdout(), "%d of %d trials have no end: %s\n", len(missing), len(r.Plan), strings.Join(missing, ", "))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write to this file, which must not exist; default: the run's name"+bundleSuffix)
	c.Flags().BoolVar(&partial, "partial", false, "pack a run of which trials are missing")
	c.Flags().BoolVar(&force, "force", false, "replace the file")
	return c
}

// outside refuses a file within a run's folder: it would be packed into itself, half written.
func outside(file, dir string) error {
	parent, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(parent); err == nil {
		parent = real
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, parent); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("bundle %s: %s lies in the run's folder, and would be packed into itself: name a file elsewhere with -o", dir, file)
	}
	return nil
}

func newUnbundleCommand() *cobra.Command {
	var most int64
	c := &cobra.Command{
		Use:   "unbundle BUNDLE [FOLDER]",
		Short: "verify a bundle and unpack it into a new folder, by default below --runs",
		Args:  needArgs(1, "name a bundle"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return specError(err)
			}
			defer f.Close()
			dir := filepath.Join(runsDir(c), strings.TrimSuffix(filepath.Base(args[0]), bundleSuffix))
			if len(args) > 1 {
				dir = args[1]
			} else if err := os.MkdirAll(runsDir(c), 0o755); err != nil {
				return err
			}
			allowed := most
			if allowed == 0 {
				info, err := f.Stat()
				if err != nil {
					return err
				}
				allowed = bundle.Most(info.Size())
			}
			index, err := bundle.Extract(f, dir, allowed)
			if errors.Is(err, bundle.ErrTooLarge) {
				return fmt.Errorf("unbundle %s: %w: if you trust it, allow more with --most", args[0], err)
			}
			if err != nil {
				return fmt.Errorf("unbundle %s: %w", args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d files, all as they were packed\n", dir, len(index.Files))
			return nil
		},
	}
	c.Flags().Int64Var(&most, "most", 0, "unpack at most this many bytes; default: 1 GiB and 100 times the bundle's size")
	return c
}
