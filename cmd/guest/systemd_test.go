package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

func readText(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The files are what systemd 252 of Debian 12 said in a guest. Its systemd-analyze printed of the same start:
// "Startup finished in 2.600s (kernel) + 10.276s (userspace) = 12.877s".
func TestUnitsOfSystemd(t *testing.T) {
	blocks := parseProperties(readText(t, "testdata/systemd-252-manager.txt"))
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	for _, name := range managerTimes {
		if _, ok := blocks[0][name]; !ok {
			t.Errorf("systemd does not say %s", name)
		}
	}
	stages, err := stagesOf(blocks[0])
	if want := map[string]int64{"kernel": 2_600_479_000, "userspace": 10_276_772_000}; err != nil || !maps.Equal(stages, want) {
		t.Errorf("stages are %v, %v, want %v", stages, err, want)
	}
	all := parseProperties(readText(t, "testdata/systemd-252-units.txt"))
	units, leftOut := unitsOf(all)
	active := 0
	for _, b := range all {
		if b.ns("ActiveEnterTimestampMonotonic") > 0 {
			active++
		}
	}
	if len(units) == 0 || leftOut == 0 || len(units)+leftOut != active {
		t.Errorf("%d units are listed and %d left out, of %d that became active", len(units), leftOut, active)
	}
	if !slices.IsSortedFunc(units, func(a, b agent.Unit) int { return int(a.Active - b.Active) }) {
		t.Error("units are not in order")
	}
	for _, name := range []string{"ssh.service", "multi-user.target", "systemd-journald.service"} {
		if !slices.ContainsFunc(units, func(u agent.Unit) bool { return u.Name == name && u.Active > stages["kernel"] }) {
			t.Errorf("%s is not listed after the kernel's end", name)
		}
	}
}

func TestStagesOf(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[string]int64
		err        string
	}{
		{
			"firmware and initrd",
			"FirmwareTimestampMonotonic=5000\nLoaderTimestampMonotonic=2000\nInitRDTimestampMonotonic=700\nUserspaceTimestampMonotonic=1000\nFinishTimestampMonotonic=4000\n",
			map[string]int64{"firmware": 3e6, "loader": 2e6, "kernel": 7e5, "initrd": 3e5, "userspace": 3e6},
			"",
		},
		{"not over", "UserspaceTimestampMonotonic=1000\nFinishTimestampMonotonic=0\n", nil, "not over"},
		{"infinity", "UserspaceTimestampMonotonic=1000\nFinishTimestampMonotonic=18446744073709551615\n", nil, "not over"},
		{"out of order", "UserspaceTimestampMonotonic=6\nFinishTimestampMonotonic=5\n", nil, "took -1000 ns"},
		{"no begin", "FinishTimestampMonotonic=5\n", nil, "when it began"},
	} {
		got, err := stagesOf(parseProperties(tt.text)[0])
		if !maps.Equal(got, tt.want) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: stages are %v, %v, want %v, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}

// Of too many units those that took longest stay, and all targets; what is left out is counted.
func TestUnitsAreCapped(t *testing.T) {
	var text strings.Builder
	unit := func(name string, begin, end int) {
		fmt.Fprintf(&text, "Id=%s\nActiveEnterTimestampMonotonic=%d\nInactiveExitTimestampMonotonic=%d\n\n", name, end, begin)
	}
	for i := range mostUnits + 50 {
		unit(fmt.Sprintf("s%d.service", i), 1_000_000, 1_010_000+i)
	}
	unit("last.target", 9_000_000, 9_000_000)
	unit("quick.service", 2_000_000, 2_000_999)
	unit("restarted.target", 8_000_000, 7_000_000)
	unit("never.target", 0, 0)
	units, leftOut := unitsOf(parseProperties(text.String()))
	if len(units) != mostUnits || leftOut != 50+2+1 {
		t.Errorf("%d units are listed and %d left out", len(units), leftOut)
	}
	if units[0].Name != "s52.service" || units[0].Activating != 10_052_000 {
		t.Errorf("the first is %+v, want s52.service", units[0])
	}
	if last := units[len(units)-2:]; last[0] != (agent.Unit{Name: "restarted.target", Active: 7e9}) || last[1] != (agent.Unit{Name: "last.target", Active: 9e9}) {
		t.Errorf("the last are %+v", last)
	}
}

func FuzzUnits(f *testing.F) {
	f.Add(readText(f, "testdata/systemd-252-units.txt"))
	f.Add(readText(f, "testdata/systemd-252-manager.txt"))
	f.Add("=\n\nId\nId=x\r\nActiveEnterTimestampMonotonic=-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		blocks := parseProperties(text)
		units, leftOut := unitsOf(blocks)
		if len(units) > mostUnits || len(units)+leftOut > len(blocks) {
			t.Errorf("%d units, %d left out, of %d", len(units), leftOut, len(blocks))
		}
		for _, u := range units {
			if u.Active <= 0 || u.Activating < 0 {
				t.Errorf("unit is %+v", u)
			}
		}
		for _, b := range blocks {
			_, _ = stagesOf(b)
		}
	})
}
