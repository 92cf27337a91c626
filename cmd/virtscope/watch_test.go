package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/results"

	"github.com/creack/pty"
)

// holdRun is a program: it works on the run in its first argument, until it is killed, with the records of the other run's first trial up to the
// guest's stop. It makes the file ready once they are written.
func holdRun() {
	if err := hold(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hold(dir, from string) error {
	r, err := results.Open(dir)
	if err != nil {
		return err
	}
	release, err := r.Claim()
	if err != nil {
		return err
	}
	defer release()
	source, err := results.Open(from)
	if err != nil {
		return err
	}
	records, err := source.Records(r.Plan[0].ID)
	if err != nil {
		return err
	}
	j, err := r.Journal()
	if err != nil {
		return err
	}
	a, _, err := r.Begin(r.Plan[0])
	if err != nil {
		return err
	}
	err = errors.Join(j.Append(results.Entry{Event: results.RunBegin}), j.Append(results.Entry{Event: results.TrialBegin, Trial: r.Plan[0].ID, Attempt: 1}))
	if err != nil {
		return err
	}
	for _, rec := range records {
		a.Record(rec)
		if rec.Name == results.VMStop {
			a.Record(results.Record{Time: rec.Time + 125e6, Host: "controller", Source: results.SourceRunner, Name: "test.over"})
			break
		}
	}
	time.Sleep(2 * time.Second) // the writer flushes meanwhile
	if err := os.WriteFile("ready", nil, 0o600); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return errors.New("nobody killed it")
}

// On a terminal the block is redrawn in place, obeys a new size, and Ctrl-C ends it without an error.
func TestWatchOnATerminal(t *testing.T) {
	recorded, err := filepath.Abs("../../analysis/live/testdata/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("virtscope")
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"TERM=xterm", "NO_COLOR=1", "TERM=dumb"} {
		c := exec.CommandContext(t.Context(), program, "watch", recorded, "--replay")
		c.Env = append(os.Environ(), "TERM=xterm", env)
		terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 30, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		seen := &strings.Builder{}
		read := func(until string) {
			buf := make([]byte, 4096)
			for from := seen.Len(); !strings.Contains(seen.String()[from:], until); {
				n, err := terminal.Read(buf)
				if err != nil {
					t.Fatalf("%s: no %q: %v after %q", env, until, err, seen)
				}
				seen.Write(buf[:n])
			}
		}
		read("boot")
		if env == "TERM=dumb" {
			if strings.Contains(seen.String(), "\x1b") {
				t.Errorf("%s: escapes: %q", env, seen)
			}
		} else {
			read("\x1b[J")
			read("\x1b[J")
			if !strings.Contains(seen.String(), "A\x1b") && !strings.Contains(seen.String(), "\r\x1b[") {
				t.Errorf("%s: it is not redrawn: %q", env, seen)
			}
			if got := strings.Contains(seen.String(), "\x1b[1m"); got != (env == "TERM=xterm") {
				t.Errorf("%s: colour %v", env, got)
			}
			if err := pty.Setsize(terminal, &pty.Winsize{Rows: 6, Cols: 30}); err != nil {
				t.Fatal(err)
			}
			read("\x1b[J") // may be of the old size
			read("\x1b[J")
			from := seen.Len()
			read("\x1b[J")
			if lines := strings.Count(seen.String()[from:], "\r\n"); lines > 5 {
				t.Errorf("%s: %d lines in a terminal of 6", env, lines)
			}
		}
		if _, err := terminal.WriteString("\x03"); err != nil { // Ctrl-C
			t.Fatal(err)
		}
		go func() { // or the program waits for a reader
			buf := make([]byte, 4096)
			for {
				if _, err := terminal.Read(buf); err != nil {
					return
				}
			}
		}()
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", env, err)
		}
		_ = terminal.Close()
	}
}
