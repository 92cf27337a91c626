package main

import (
	"context"
	"path/filepath"
	"strings"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/image"
)

// programs are the Debian packages that a workload runs in the guest.
var programs = map[string][]string{"redis": {"redis-server"}}

// rootOf is the image with the programs of an experiment's workload; its zero value is none.
func (l *lab) rootOf(s *spec.Experiment) image.Root {
	for _, kind := range s.Workload.Parts() {
		if r, ok := l.roots[kind]; ok {
			return r
		}
	}
	return image.Root{}
}

// makeRoot makes that image, or finds it.
func (l *lab) makeRoot(ctx context.Context, s *spec.Experiment) error {
	for _, kind := range s.Workload.Parts() {
		packages, needed := programs[kind]
		if _, made := l.roots[kind]; !needed || made {
			continue
		}
		root, err := image.BuildRoot(ctx, image.RootOptions{Packages: packages, CacheDir: filepath.Join(cacheDir(), "roots")})
		if err != nil {
			return err
		}
		l.roots[kind] = root
		l.addFacts([]results.Fact{
			{Subject: "guest", Name: "root.sha256", Value: root.Hash},
			{Subject: "guest", Name: "root.packages", Value: strings.Join(root.Packages, " ")},
		})
	}
	return nil
}
