package main

import (
	"errors"
	"fmt"
	"os"
	"virtscope/results/bundle"

	"github.com/spf13/cobra"
)

func newVerifyCommand() *cobra.Command {
	var against string
	c := &cobra.Command{
		Use:   "verify BUNDLE | verify RUN --against BUNDLE",
		Short: "check that no byte of a bundle, or of a run's folder, was changed since it was packed, or name what was",
		Args:  oneArg("name one bundle, or a run folder with --against"),
		RunE: func(c *cobra.Command, args []string) error {
			if against != "" {
				return verifyRun(c, args[0], against)
			}
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				return specError(fmt.Errorf("verify %s: it is a folder, and nothing in it says what its files were: name a bundle of it with --against", args[0]))
			}
			index, err := verifyBundle(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: run %s, %d files, all as they were packed by virtscope %s\n", args[0], index.Run, len(index.Files), index.Virtscope)
			return nil
		},
	}
	c.Flags().StringVar(&against, "against", "", "a bundle of the run, made when its folder was as it should be")
	return c
}

func verifyBundle(path string) (bundle.Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return bundle.Index{}, specError(err)
	}
	defer f.Close()
	index, problems := bundle.Verify(f)
	if len(problems) > 0 {
		return index, fmt.Errorf("verify %s: %w", path, errors.Join(problems...))
	}
	return index, nil
}

// verifyRun compares a run's folder with a bundle, which must itself be whole. The folder need not be one that can be opened.
func verifyRun(c *cobra.Command, name, against string) error {
	dir := name
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		r, err := openRun(c, name)
		if err != nil {
			return specError(err)
		}
		dir = r.Dir
	}
	index, err := verifyBundle(against)
	if err != nil {
		return err
	}
	if problems := bundle.Against(index, dir); len(problems) > 0 {
		return fmt.Errorf("verify %s: %w", dir, errors.Join(problems...))
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %d files, all as they are in %s\n", dir, len(index.Files), against)
	return nil
}
