package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writeCPU(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOnlineCPUs(t *testing.T) {
	root := t.TempDir()
	for list, want := range map[string]int{"0": 1, "0-3": 4, "0-1,3,8-9": 5} {
		writeCPU(t, root, "online", list)
		if n, err := onlineCPUs(root); n != want || err != nil {
			t.Errorf("onlineCPUs of %q = %d, %v, want %d", list, n, err, want)
		}
	}
	for _, list := range []string{"", "a", "3-1", "-1"} {
		writeCPU(t, root, "online", list)
		if n, err := onlineCPUs(root); err == nil {
			t.Errorf("onlineCPUs of %q = %d", list, n)
		}
	}
}

// What stands in for the kernel's files does not follow: only what is written to them is seen.
func TestTakeCPUs(t *testing.T) {
	root := t.TempDir()
	writeCPU(t, root, "online", "0")
	if _, err := takeCPUs(root, 0, 0); err == nil {
		t.Error("no CPU was taken")
	}
	if n, err := takeCPUs(root, 1, time.Minute); n != 1 || err != nil {
		t.Errorf("takeCPUs = %d, %v, want the one that runs", n, err)
	}
	for _, cpu := range []string{"cpu1", "cpu2"} {
		writeCPU(t, root, cpu+"/online", "0")
	}
	if n, err := takeCPUs(root, 2, 0); n != 1 || err == nil || !strings.Contains(err.Error(), "1 run") {
		t.Errorf("takeCPUs = %d, %v, want an error", n, err)
	}
	var online int
	for _, cpu := range []string{"cpu1", "cpu2"} {
		if data, _ := os.ReadFile(filepath.Join(root, cpu, "online")); strings.TrimSpace(string(data)) == "1" {
			online++
		}
	}
	if online != 1 {
		t.Errorf("%d CPUs were brought online, want 1", online)
	}
}
