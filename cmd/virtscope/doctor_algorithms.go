package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// doctorAlgorithms are all that an experiment may name.
var doctorAlgorithms = []string{
	guest.PreCopy, guest.PostCopy, guest.Hybrid, guest.XBZRLE, guest.Multifd, guest.AutoConverge, guest.StopAndCopy,
	guest.Compress, guest.DirtyLimit, guest.MappedRAM, guest.BackgroundSnapshot,
}

// algorithms says which migrations can be run here, between two guests of this spec. Its error is not a finding.
func (d *doctor) algorithms(ctx context.Context, driver guest.Driver, s guest.Spec, accel string) error {
	checker, ok := driver.(guest.MigrationChecker)
	if !ok {
		return nil
	}
	src, err := host.NewLocal(testbed.Source)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := host.NewLocal(testbed.Destination)
	if err != nil {
		return err
	}
	defer func() { _ = dst.Close() }()

	var able, unable []string
	for _, name := range doctorAlgorithms {
		with := s
		if name == guest.DirtyLimit && accel == "kvm" {
			with.DirtyRing = 4096
		}
		_, err := checker.CheckMigration(ctx, src, dst, with, guest.MigrateOptions{Algorithm: name, File: "/nowhere/memory"})
		var missing *guest.NotSupportedError
		switch {
		case err == nil:
			able = append(able, name)
		case errors.As(err, &missing):
			unable = append(unable, fmt.Sprintf("without  algorithm %s: %s", name, inFewWords(name, missing)))
		default:
			return err
		}
	}
	d.optional("algorithms", nil, strings.Join(able, ", "))
	for _, line := range unable {
		fmt.Fprintln(d.w, line)
	}
	return nil
}

// inFewWords is what an algorithm lacks and what to do, without what the line has said already.
func inFewWords(algorithm string, missing *guest.NotSupportedError) string {
	what := strings.TrimPrefix(missing.Feature, "migration algorithm "+algorithm)
	what = strings.Trim(what, " ()")
	switch {
	case what == "" && missing.Err != nil:
		what = missing.Err.Error()
	case strings.HasPrefix(what, "capability "), strings.HasPrefix(what, "parameter "), strings.HasPrefix(what, "transport "):
		what = "no " + what
	}
	return what + ": " + missing.Remedy
}
