package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"virtscope/results"
)

// Facts describes this machine for a run's manifest: what a reader needs to judge whether another machine
// would give the same numbers. What cannot be read is there with the value "unknown: " and the reason; nothing
// is left out. Facts starts no process. Once ctx is done, what is left is unknown.
func Facts(ctx context.Context) []results.Fact { return FactsAt(ctx, "/") }

// FactsAt reads the facts below root, which holds proc, sys, etc and var as a root directory does.
func FactsAt(ctx context.Context, root string) []results.Fact {
	m := &machine{root: root}
	m.cpuinfo, m.cpuErr = m.text("proc/cpuinfo")
	var facts []results.Fact
	add := func(name, value string, err error) {
		if err == nil && strings.TrimSpace(value) == "" {
			err = errors.New("it is empty")
		}
		if ctxErr := ctx.Err(); ctxErr != nil {
			err = ctxErr
		}
		if err != nil {
			value = "unknown: " + err.Error()
		}
		facts = append(facts, results.Fact{Subject: "machine", Name: name, Value: value})
	}
	for _, q := range questions() {
		value, err := q.answer(m)
		add(q.name, value, err)
	}
	m.mitigations(add)
	m.packages(add)
	return facts
}

// A machine is a root directory, and its cpuinfo, which several facts come from.
type machine struct {
	root    string
	cpuinfo string
	cpuErr  error
}

type question struct {
	name   string
	answer func(*machine) (string, error)
}

// flags are those that change what a guest can do or how time is measured.
var flags = []string{"vmx", "svm", "hypervisor", "aes", "avx2", "constant_tsc", "nonstop_tsc"}

// sysctls are those that shape a migration stream or the memory of a guest.
var sysctls = []string{
	"net.core.default_qdisc", "net.core.netdev_max_backlog",
	"net.core.rmem_default", "net.core.rmem_max", "net.core.wmem_default", "net.core.wmem_max",
	"net.ipv4.tcp_available_congestion_control", "net.ipv4.tcp_congestion_control",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_wmem",
	"kernel.numa_balancing", "vm.overcommit_memory", "vm.swappiness",
}

func questions() []question {
	qs := []question{
		{"cpu.model", (*machine).cpuModel},
		{"cpu.count", (*machine).cpuCount},
		{"cpu.microcode", (*machine).microcode},
	}
	for _, flag := range flags {
		qs = append(qs, question{"cpu.flag." + flag, func(m *machine) (string, error) { return m.cpuFlag(flag) }})
	}
	qs = append(qs,
		question{"cpu.governor", (*machine).governor},
		question{"cpu.smt", file("sys/devices/system/cpu/smt/control")},
		question{"cpu.boost", (*machine).boost},
		question{"numa.nodes", file("sys/devices/system/node/online")},
		question{"kernel.release", file("proc/sys/kernel/osrelease")},
		question{"kernel.version", file("proc/sys/kernel/version")},
		question{"kernel.cmdline", file("proc/cmdline")},
		question{"os", (*machine).osRelease},
		question{"virtualisation", (*machine).virtualisation},
		question{"clocksource", file("sys/devices/system/clocksource/clocksource0/current_clocksource")},
		question{"clocksource.available", file("sys/devices/system/clocksource/clocksource0/available_clocksource")},
		question{"memory.total", func(m *machine) (string, error) { return m.meminfo("MemTotal") }},
		question{"memory.swap", func(m *machine) (string, error) { return m.meminfo("SwapTotal") }},
		question{"memory.thp", file("sys/kernel/mm/transparent_hugepage/enabled")},
		question{"memory.thp.defrag", file("sys/kernel/mm/transparent_hugepage/defrag")},
		question{"memory.ksm", file("sys/kernel/mm/ksm/run")},
	)
	for _, name := range sysctls {
		qs = append(qs, question{"sysctl." + name, file("proc/sys/" + strings.ReplaceAll(name, ".", "/"))})
	}
	return qs
}

func file(path string) func(*machine) (string, error) {
	return func(m *machine) (string, error) { return m.read(path) }
}

// read returns a file's content with its white space made single blanks.
func (m *machine) read(path string) (string, error) {
	text, err := m.text(path)
	return strings.Join(strings.Fields(text), " "), err
}

// text returns a file's content. An error names the path without the root, as it would be on any machine.
func (m *machine) text(path string) (string, error) {
	b, err := os.ReadFile(filepath.Join(m.root, path))
	return string(b), plain(path, err)
}

func plain(path string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return fmt.Errorf("%s /%s: %w", pathErr.Op, path, pathErr.Err)
	}
	return err
}

// mitigations adds one fact for each vulnerability that the kernel knows of.
func (m *machine) mitigations(add func(name, value string, err error)) {
	const dir = "sys/devices/system/cpu/vulnerabilities"
	entries, err := os.ReadDir(filepath.Join(m.root, dir))
	if err != nil || len(entries) == 0 {
		add("mitigations", "", plain(dir, err))
		return
	}
	for _, e := range entries {
		value, err := m.read(filepath.Join(dir, e.Name()))
		add("mitigation."+e.Name(), value, err)
	}
}

// distinct joins the different values of all files that match, in order.
func (m *machine) distinct(pattern string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(m.root, pattern))
	if err != nil {
		return "", err
	}
	if len(paths) == 0 {
		return "", fmt.Errorf("no %s", "/"+pattern)
	}
	var values []string
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		values = append(values, strings.TrimSpace(string(b)))
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), ", "), nil
}
