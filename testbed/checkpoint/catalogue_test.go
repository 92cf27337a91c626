package checkpoint

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// entries are everything in a catalogue's folder.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// TestKilledAtAnyInstant kills a process that makes and prunes checkpoints. What is there then is whole; what was unfinished is gone
// after the next opening; and of what was reported as kept, the newest is there.
func TestKilledAtAnyInstant(t *testing.T) {
	dir := t.TempDir()
	unswept := 0
	for round := range 25 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), endless+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("no checkpoint was made")
		}
		kept := lines.Text()
		time.AfterFunc(time.Duration(round)*1700*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			kept = lines.Text()
		}
		_ = cmd.Wait()
		for _, name := range entries(t, dir) {
			if strings.HasPrefix(name, unfinished) {
				unswept++
			}
		}
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		found := entries(t, dir)
		if !slices.Contains(found, kept) {
			t.Errorf("%s was made and is not there: %v", kept, found)
		}
		for _, id := range found {
			if _, err := c.Verify(t.Context(), id); err != nil {
				t.Errorf("after a kill: %v", err)
			}
		}
	}
	if unswept == 0 {
		t.Error("no kill fell into the making of a checkpoint: the test has seen nothing")
	}
}

// TestSweep removes what is unfinished of the dead, and leaves what the living work on.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, unfinished+"dead"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "note"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	if got, want := entries(t, dir), []string{filepath.Base(d.dir), "note"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	d.Abort()
	if got, want := entries(t, dir), []string{"note"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

// TestNeverReplaced wants a name that is taken to be refused, with what is there untouched.
func TestNeverReplaced(t *testing.T) {
	c, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := Manifest{ID: "one", Guest: "guest", Created: time.Now()}
	if err := make1(c, m, 10); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(c.Path("one", manifestName))
	if err := make1(c, m, 20); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(c.Path("one", manifestName)); string(after) != string(before) {
		t.Error("it was replaced")
	}
	if err := os.Mkdir(filepath.Join(c.Dir(), "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.ID = "empty"
	if err := make1(c, m, 20); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an empty folder: got %v", err)
	}
	if got, want := entries(t, c.Dir()), []string{"empty", "one"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

// TestNames refuses every name that is a path, whoever gives it.
func TestNames(t *testing.T) {
	c, err := Open(filepath.Join(t.TempDir(), "catalogue"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\x00b", "a b", strings.Repeat("a", 129)} {
		_, getErr := c.Get(id)
		_, verifyErr := c.Verify(t.Context(), id)
		_, holdErr := c.Hold(id)
		commitErr := make1(c, Manifest{ID: id, Guest: "guest"}, 1)
		parentErr := make1(c, Manifest{ID: "x", Parent: id + "/", Guest: "guest"}, 1)
		for i, err := range []error{getErr, verifyErr, holdErr, c.Remove(id), commitErr, parentErr} {
			if err == nil || !strings.Contains(err.Error(), "is no name") {
				t.Errorf("%q, %d: %v", id, i, err)
			}
		}
	}
	if got := entries(t, c.Dir()); len(got) > 0 {
		t.Errorf("left %v", got)
	}
}

// TestPrune keeps the newest, and what they need.
func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name    string
		chain   string // of each in order of time, the number of the one that it goes on from, or -
		keep    int
		held    int // one that is in use, or -1
		removed []string
	}{
		{"fewer", "--", 3, -1, nil},
		{"full ones", "----", 2, -1, []string{"c1", "c0"}},
		{"a chain that is needed", "-012", 1, -1, nil},
		{"a chain that is not", "-01-3", 2, -1, []string{"c2", "c1", "c0"}},
		{"two branches", "-00-", 1, -1, []string{"c2", "c1", "c0"}},
		{"a branch that is needed", "-0-1", 1, -1, []string{"c2"}},
		{"one in use", "---", 1, 0, []string{"c1"}},
		{"what one in use goes on from", "-0--", 1, 1, []string{"c2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for i, from := range c.chain {
				m := Manifest{ID: "c" + string(rune('0'+i)), Guest: "guest", Created: time.Unix(int64(i), 0)}
				if from != '-' {
					m.Parent = "c" + string(from)
				}
				if err := make1(all, m, 10); err != nil {
					t.Fatal(err)
				}
			}
			if c.held >= 0 {
				release, err := all.Hold("c" + string(rune('0'+c.held)))
				if err != nil {
					t.Fatal(err)
				}
				defer release()
			}
			removed, err := all.Prune(c.keep)
			if err != nil || !slices.Equal(removed, c.removed) {
				t.Errorf("removed %v, %v; want %v", removed, err, c.removed)
			}
			list, err := all.List()
			if err != nil || len(list) != len(c.chain)-len(c.removed) {
				t.Errorf("%d are left, %v", len(list), err)
			}
			for _, e := range list {
				if _, err := all.Verify(t.Context(), e.ID); err != nil {
					t.Error(err)
				}
			}
			if got := entries(t, all.Dir()); len(got) != len(list) {
				t.Errorf("left %v", got)
			}
		})
	}
	all, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Prune(0); err == nil {
		t.Error("everything may be pruned")
	}
}

// TestChains refuses chains that do not end.
func TestChains(t *testing.T) {
	c, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for id, parent := range map[string]string{"a": "b", "b": "a", "c": "gone"} {
		if err := make1(c, Manifest{ID: id, Guest: "guest", Parent: parent}, 1); err != nil {
			t.Fatal(err)
		}
	}
	for id, says := range map[string]string{"a": "comes back to a", "c": "the disk goes on from gone: find checkpoint gone"} {
		if _, err := c.Verify(t.Context(), id); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", id, err, says)
		}
	}
}
