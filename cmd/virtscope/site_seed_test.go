package main

import (
	"os"
	"path/filepath"
	"testing"
	"virtscope/testbed/image"
)

// The run's key is one that a seed takes, and its private half is readable by its owner alone.
func TestRunKeyFitsASeed(t *testing.T) {
	run := t.TempDir()
	s := &site{lab: &lab{}, dir: filepath.Join(run, "trials", "one")}
	k, err := s.runKeys()
	if err != nil {
		t.Fatal(err)
	}
	seed := image.Seed{
		Hostname: "guest-1", InstanceID: "one", User: "debian", Keys: []string{k.public}, Address: "10.77.0.10/16", MAC: "52:54:00:77:00:10",
	}
	if err := image.MakeSeed(filepath.Join(t.TempDir(), "seed.iso"), seed); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(run, "id_ed25519"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v, %v", info, err)
	}
	if again, err := s.runKeys(); err != nil || again.public != k.public {
		t.Errorf("a second key was made: %v", err)
	}
}
