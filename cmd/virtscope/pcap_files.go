package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/wire"

	"github.com/spf13/cobra"
)

// stdin as a file name is standard input.
const stdin = "-"

// readCaptures decodes files and prints what they hold. What was decoded before a damaged place is printed, too.
func readCaptures(c *cobra.Command, paths []string, conf wire.Config, o pcapOptions) error {
	clocks, err := estimateClocks(c.Context(), paths)
	if err != nil {
		return err
	}
	files, err := openCaptures(c.InOrStdin(), paths)
	if err != nil {
		return err
	}
	defer closeCaptures(files)
	conf.Host = filepath.Base(paths[0])
	conf.Port = func(source, iface int) string { return portName(files, paths, source, iface) }
	found := &findings{}
	s := wire.New(conf, found)
	readErr := drink(c.Context(), s, files, clocks)
	s.End()
	found.describe(s, files, paths, clocks)
	if err := errors.Join(readErr, found.print(c.OutOrStdout(), o)); err != nil {
		return err
	}
	if o.scrub == "" {
		return nil
	}
	done, err := scrub(paths[0], o.scrub, s.Contents())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s: blanked %d B of page contents; %d B of other TCP payload are as they were\n", o.scrub, done.blanked, done.payload)
	return nil
}

func openCaptures(in io.Reader, paths []string) (files []*file.File, err error) {
	defer func() {
		if err != nil {
			closeCaptures(files)
		}
	}()
	for _, path := range paths {
		f, err := openCapture(in, path)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func openCapture(in io.Reader, path string) (*file.File, error) {
	if path == stdin {
		return file.New(in, "standard input")
	}
	return file.Open(path)
}

func closeCaptures(files []*file.File) {
	for _, f := range files {
		f.Close()
	}
}

// drink gives all frames to the session, in the order of their corrected times.
func drink(ctx context.Context, s *wire.Session, files []*file.File, clocks []clockOffset) error {
	if len(files) == 1 {
		return drinkOne(ctx, s, files[0])
	}
	return drinkMerged(ctx, s, files, clocks)
}

// patience is after how many frames an interrupt is looked for.
const patience = 1 << 12

func drinkOne(ctx context.Context, s *wire.Session, f *file.File) error {
	last := int64(0)
	for n := 0; ; n++ {
		if n%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if frame.Time == capture.NoTime {
			frame.Time = last
		}
		last = frame.Time
		s.Frame(0, frame)
	}
}

// portName is the name of an interface of a capture, with its file's where there are several.
func portName(files []*file.File, paths []string, source, iface int) string {
	name := ""
	list := files[source].Interfaces()
	if iface < len(list) {
		name = list[iface].Name
	}
	if name == "" && iface > 0 {
		name = "interface " + strconv.Itoa(iface)
	}
	switch {
	case len(files) == 1 && name != "":
		return name
	case name == "":
		return filepath.Base(paths[source])
	}
	return filepath.Base(paths[source]) + ":" + name
}

// absent is an error if a file that is to be written is there.
func absent(flag, path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s %s: it is there already, and is not overwritten: name another file", flag, path)
	}
	return nil
}
