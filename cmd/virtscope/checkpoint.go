package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"virtscope/analysis/text"
	"virtscope/testbed/checkpoint"

	"github.com/spf13/cobra"
)

func newCheckpointCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "checkpoint",
		Short: "look after the saved guests in a folder",
		Long: `checkpoint lists, verifies and removes saved guests: a folder holds a catalogue of them, one folder each, with a manifest.json that
knows the SHA-256 of every file, as a whole and in chunks.

A checkpoint whose disk is incremental needs those that its disk goes on from: they are verified with it, and stay as long as it does.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return specError(fmt.Errorf("%s: no such command %q: use list, verify, prune or remove", c.CommandPath(), args[0]))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCheckpointListCommand(), newCheckpointVerifyCommand(), newCheckpointPruneCommand(), newCheckpointRemoveCommand())
	return c
}

// openCatalogue opens a folder that is there.
func openCatalogue(dir string) (*checkpoint.Catalogue, error) {
	c, err := checkpoint.OpenExisting(dir)
	return c, specError(err)
}

func newCheckpointListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list FOLDER",
		Short: "list the checkpoints in a folder, the oldest first",
		Args:  oneArg("name a folder of checkpoints"),
		RunE: func(c *cobra.Command, args []string) error {
			catalogue, err := openCatalogue(args[0])
			if err != nil {
				return err
			}
			list, err := catalogue.List()
			if err != nil {
				return err
			}
			return listCheckpoints(c.OutOrStdout(), list)
		},
	}
}

// listCheckpoints prints what can be read, and is an error for what cannot.
func listCheckpoints(w io.Writer, list []checkpoint.Entry) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "no checkpoints")
		return nil
	}
	var errs []error
	t := text.Table(w)
	fmt.Fprintln(t, "checkpoint\tcreated\tguest\tmode\tformat\tcompression\tdisk\tsize\tbefore compression")
	for _, e := range list {
		if e.Err != nil {
			errs = append(errs, e.Err)
			continue
		}
		m := e.Manifest
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			m.ID, m.Created.Format(time.RFC3339), m.Guest, m.Mode, m.Format, m.Compression, diskOf(m), mebibytes(m.Size()), mebibytes(m.Raw()))
	}
	return errors.Join(append([]error{t.Flush()}, errs...)...)
}

// diskOf says what a checkpoint holds of its guest's disk.
func diskOf(m *checkpoint.Manifest) string {
	if _, has := m.Role(checkpoint.RoleDisk); !has {
		return text.Dash("")
	}
	if m.Parent == "" {
		return "full"
	}
	return "since " + m.Parent
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func newCheckpointVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FOLDER [ID...]",
		Short: "read checkpoints back, all or those that are named, and hold them against their hashes",
		Args:  needArgs(1, "name a folder of checkpoints"),
		RunE: func(c *cobra.Command, args []string) error {
			catalogue, err := openCatalogue(args[0])
			if err != nil {
				return err
			}
			ids := args[1:]
			if len(ids) == 0 {
				if ids, err = allCheckpoints(catalogue); err != nil {
					return err
				}
			}
			var errs []error
			for _, id := range ids {
				n, err := catalogue.Verify(c.Context(), id)
				if c.Context().Err() != nil {
					return &codedError{exitInterrupted, errors.New("interrupted")}
				}
				if err != nil {
					errs = append(errs, err)
					fmt.Fprintf(c.OutOrStdout(), "%s: not as it was written\n", id)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: as it was written, %s read\n", id, mebibytes(n))
			}
			return errors.Join(errs...)
		},
	}
}

func allCheckpoints(c *checkpoint.Catalogue) (ids []string, err error) {
	list, err := c.List()
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids, err
}

func newCheckpointPruneCommand() *cobra.Command {
	var keep int
	c := &cobra.Command{
		Use:   "prune FOLDER --keep N",
		Short: "remove all checkpoints but the newest, and those that their disks go on from",
		Args:  oneArg("name a folder of checkpoints"),
		RunE: func(c *cobra.Command, args []string) error {
			if keep < 1 {
				return specError(fmt.Errorf("want --keep 1 or more, got %d: remove removes a single one", keep))
			}
			catalogue, err := openCatalogue(args[0])
			if err != nil {
				return err
			}
			removed, err := catalogue.Prune(keep)
			for _, id := range removed {
				fmt.Fprintf(c.OutOrStdout(), "removed %s\n", id)
			}
			return err
		},
	}
	c.Flags().IntVar(&keep, "keep", 0, "how many of the newest stay")
	return c
}

func newCheckpointRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove FOLDER ID...",
		Short: "remove checkpoints, whether or not they can be read",
		Args:  needArgs(2, "name a folder of checkpoints, and what to remove"),
		RunE: func(c *cobra.Command, args []string) error {
			catalogue, err := openCatalogue(args[0])
			if err != nil {
				return err
			}
			all, err := allCheckpoints(catalogue)
			if err != nil {
				return err
			}
			for _, id := range args[1:] {
				if !slices.Contains(all, id) {
					return specError(fmt.Errorf("%s holds no checkpoint %q: virtscope checkpoint list %[1]s shows what is there", catalogue.Dir(), id))
				}
			}
			for _, id := range args[1:] {
				if err := catalogue.Remove(id); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "removed %s\n", id)
			}
			return nil
		},
	}
}
