package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
	"virtscope/testbed"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"virtscope": func() { os.Exit(run()) },
		"hold-run":  holdRun,
	})
}

// TestScripts runs the command line as a user would; nothing in these scripts needs a hypervisor.
func TestScripts(t *testing.T) {
	captures, err := filepath.Abs("../../probes/wire/testdata")
	if err != nil {
		t.Fatal(err)
	}
	reports, err := filepath.Abs("../../analysis/guestperf/testdata")
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := filepath.Abs("../../analysis/live/testdata/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("CAPTURES", captures)
			e.Setenv("REPORTS", reports)
			e.Setenv("RECORDED", recorded)
			e.Setenv("PROGRAMS", filepath.SplitList(e.Getenv("PATH"))[0]) // where testscript has put virtscope, and nothing else
			return nil
		},
		Condition: condition,
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"catalogue": makeCatalogue},
	})
}

// condition tells scripts what this machine is. exec:PROGRAM is testscript's own.
func condition(cond string) (bool, error) {
	switch cond {
	case "long": // the race detector makes minutes of half minutes: make test runs all without it
		return !testing.Short(), nil
	case "root":
		return os.Geteuid() == 0, nil
	case "netem":
		c := bed(testbed.Link{Delay: time.Millisecond})
		c.Emulator = testbed.EmulatorNetem
		return testbed.Check(c) == nil, nil
	}
	return false, fmt.Errorf("no such condition: %q", cond)
}
