package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"virtscope": func() { os.Exit(run()) },
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
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("CAPTURES", captures)
			e.Setenv("REPORTS", reports)
			return nil
		},
		Condition: func(cond string) (bool, error) { return cond == "root" && os.Geteuid() == 0, nil },
	})
}
