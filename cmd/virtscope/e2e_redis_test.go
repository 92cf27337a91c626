//go:build e2e

package main

import (
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed/image"
)

// TestRedis migrates a guest in which Debian's own redis-server serves a load, and redis-benchmark beside it.
func TestRedis(t *testing.T) {
	if err := image.CheckRoot(); err != nil {
		t.Skip("needs tools to make an image:", err)
	}
	dir := experiment(t, `virtscope: 1
name: redis
extends: quickstart.yaml
guest: {memory: 384MiB}
workload: {kind: redis, kv: {requests: 200, keys: 1000, benchmark: true}}
factors: {action.migrate.algorithm: [precopy]}
replicates: 1
retries: 3
timeout: 6m
`)
	stdout, stderr, err := virtscope(t, dir, "run", "e.yaml")
	if err != nil && strings.Contains(stderr, "build root image") {
		t.Skip("needs a mirror of Debian:", stderr)
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	tl := completed(t, r, r.Plan[0])
	known(t, tl, timeline.Downtime, timeline.BlackoutClient, "load.throughput.baseline", "load.p50.baseline", "load.max.action")
	if m := tl.Metric("load.failed"); !m.Known || m.Value != 0 {
		t.Errorf("requests failed: %+v", m)
	}
	i := slices.IndexFunc(r.Manifest.Facts, func(f results.Fact) bool { return f.Name == "root.packages" })
	if i < 0 || !strings.Contains(r.Manifest.Facts[i].Value, "redis-server") {
		t.Error("the manifest does not name the packages of the guest's image")
	}
	records, err := r.Records(r.Plan[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(records, func(r results.Record) bool { return r.Name == results.BenchmarkResult && r.Value > 0 }) {
		t.Error("redis-benchmark has no figures")
	}
}
