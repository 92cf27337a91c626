package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README's example is what a newcomer copies.
func TestReadmeExampleIsValid(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the README has no example")
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadPlan(file); err != nil {
		t.Error(err)
	}
}
