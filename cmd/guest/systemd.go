package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

// properties are what `systemctl show` says of the manager or of a unit, see org.freedesktop.systemd1(5).
type properties map[string]string

// ns is a time in ns; 0 is not known. systemd counts in µs, and 0 is never.
func (p properties) ns(name string) int64 {
	const most = 1 << 53 // µs; UINT64_MAX is infinity
	us, err := strconv.ParseUint(p[name], 10, 64)
	if err != nil || us > most {
		return 0
	}
	return int64(us) * 1000
}

// parseProperties reads blocks of lines name=value, with an empty line between two blocks. What is no such line is part of a
// value before it, and is left out.
func parseProperties(text string) (blocks []properties) {
	var block properties
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			block = nil
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || name == "" {
			continue
		}
		if block == nil {
			block = properties{}
			blocks = append(blocks, block)
		}
		block[name] = value
	}
	return blocks
}

// managerTimes are when a start's stages began, of the manager.
var managerTimes = []string{
	"FirmwareTimestampMonotonic", "LoaderTimestampMonotonic", "InitRDTimestampMonotonic",
	"UserspaceTimestampMonotonic", "FinishTimestampMonotonic",
}

func showManager() (properties, error) {
	out, err := systemctl("show", "--property="+strings.Join(managerTimes, ","))
	if err != nil {
		return nil, err
	}
	blocks := parseProperties(out)
	if len(blocks) != 1 {
		return nil, fmt.Errorf("read systemd's times: %d blocks of properties came, want 1", len(blocks))
	}
	return blocks[0], nil
}

func showUnits() ([]properties, error) {
	out, err := systemctl("show", "--property=Id,ActiveEnterTimestampMonotonic,InactiveExitTimestampMonotonic", "*")
	if err != nil {
		return nil, err
	}
	return parseProperties(out), nil
}

// systemctlTime is how long systemd may take to answer.
const systemctlTime = 60 * time.Second

// systemctl asks systemd, behind whatever else the guest does: the start that is asked about may still go on.
func systemctl(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), systemctlTime)
	defer cancel()
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, "systemctl", append([]string{"--no-pager"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("ask systemd: %w", err)
	}
	const last = 19
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, last) // it may have ended
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("ask systemd: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// stagesOf derives how long each stage took, as systemd-analyze(1) does: the kernel's monotonic clock begins with the kernel, and
// the stages before it count back from there. It is an error while the start is not over.
func stagesOf(p properties) (map[string]int64, error) {
	if p.ns("FinishTimestampMonotonic") == 0 {
		return nil, errors.New("read units: the start is not over: ask again")
	}
	userspace := p.ns("UserspaceTimestampMonotonic")
	if userspace == 0 {
		return nil, errors.New("read units: systemd does not say when it began")
	}
	stages := map[string]int64{"userspace": p.ns("FinishTimestampMonotonic") - userspace}
	if firmware, loader := p.ns("FirmwareTimestampMonotonic"), p.ns("LoaderTimestampMonotonic"); loader > 0 {
		stages["loader"] = loader
		if firmware > loader {
			stages["firmware"] = firmware - loader
		}
	}
	stages["kernel"] = userspace
	if initrd := p.ns("InitRDTimestampMonotonic"); initrd > 0 {
		stages["kernel"], stages["initrd"] = initrd, userspace-initrd
	}
	for name, took := range stages {
		if took < 0 {
			return nil, fmt.Errorf("read units: by systemd's times, %s took %d ns", name, took)
		}
	}
	return stages, nil
}

const (
	mostUnits   = 200
	unitTook    = int64(time.Millisecond) // less is no time
	sshUnitName = "ssh"
)

// unitsOf lists the units that became active and took time, and targets and ssh all the same. Where there are too many, those that
// took least go first.
func unitsOf(blocks []properties) (units []agent.Unit, leftOut int) {
	for _, b := range blocks {
		u := agent.Unit{Name: b["Id"], Active: b.ns("ActiveEnterTimestampMonotonic")}
		if u.Name == "" || u.Active == 0 {
			continue
		}
		if begin := b.ns("InactiveExitTimestampMonotonic"); begin > 0 && begin <= u.Active {
			u.Activating = u.Active - begin
		}
		if u.Activating < unitTook && !isLandmark(u.Name) {
			leftOut++
			continue
		}
		units = append(units, u)
	}
	if len(units) > mostUnits {
		slices.SortStableFunc(units, func(a, b agent.Unit) int {
			if x, y := isLandmark(a.Name), isLandmark(b.Name); x != y {
				if x {
					return -1
				}
				return 1
			}
			return cmp.Compare(b.Activating, a.Activating)
		})
		leftOut += len(units) - mostUnits
		units = units[:mostUnits]
	}
	slices.SortFunc(units, func(a, b agent.Unit) int {
		return cmp.Or(cmp.Compare(a.Active, b.Active), strings.Compare(a.Name, b.Name))
	})
	return units, leftOut
}

// isLandmark reports whether a unit is worth a line whatever it took.
func isLandmark(name string) bool {
	return strings.HasSuffix(name, ".target") || strings.HasPrefix(name, sshUnitName)
}
