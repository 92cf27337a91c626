package qemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
	"virtscope/testbed/host"

	"github.com/digitalocean/go-qemu/qmp"
	"golang.org/x/sys/unix"
)

// A dialect is what one QEMU says that it can be told about migration.
type dialect struct {
	version      qmp.Version
	capabilities []string          // query-migrate-capabilities
	parameters   map[string]any    // query-migrate-parameters: those that have a value
	machines     map[string]string // query-machines: by name and alias, the name
	schema       schema
}

func (d *dialect) versionString() string { return versionString(d.version) }

func versionString(v qmp.Version) string {
	return fmt.Sprintf("%d.%d.%d", v.QEMU.Major, v.QEMU.Minor, v.QEMU.Micro)
}

// scratchLimit bounds a QEMU that only answers questions: it needs a tenth of a second where the machine is quiet.
const scratchLimit = time.Minute

// withScratch runs f on a QEMU without a machine, which is gone when it returns. Args are added to its command line.
func withScratch(ctx context.Context, h host.Host, binary string, args []string, f func(context.Context, *Monitor) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, scratchLimit)
	defer cancel()
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer func() { _ = ours.Close() }()
	var stderr bytes.Buffer // read after the process has ended
	all := append([]string{"-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", "-qmp", "stdio"}, args...)
	p, err := h.Start(ctx, host.Cmd{Path: binary, Args: all, Stdin: theirs, Stdout: theirs, Stderr: &stderr})
	_ = theirs.Close()
	if err != nil {
		return fmt.Errorf("ask %s on %s: %w", binary, h.Name(), err)
	}
	mon := NewMonitor(func(context.Context) (net.Conn, error) { return ours, nil }, nil)
	err = mon.Open(ctx)
	if err == nil {
		err = f(ctx, mon)
		_ = mon.Execute(ctx, "quit", nil, nil) // it may end before it answers
		_ = mon.Disconnect()
	}
	stop, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancelStop()
	if err := p.Stop(stop); err != nil {
		return fmt.Errorf("end %s on %s: %w", binary, h.Name(), err)
	}
	if err != nil {
		var refusal *CommandError
		if said := strings.TrimSpace(stderr.String()); said != "" && !errors.As(err, &refusal) {
			return fmt.Errorf("ask %s on %s: %w: %s", binary, h.Name(), err, said)
		}
		return fmt.Errorf("ask %s on %s: %w", binary, h.Name(), err)
	}
	return nil
}

// socketPair returns a connection and the file that a process gets for its other end.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair for qmp: %w", err)
	}
	file, theirs := os.NewFile(uintptr(fds[0]), "qmp"), os.NewFile(uintptr(fds[1]), "qmp")
	ours, err := net.FileConn(file) // a duplicate
	_ = file.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make a socket pair for qmp: %w", err)
	}
	return ours, theirs, nil
}

// learn asks a QEMU for its dialect.
func learn(ctx context.Context, m *Monitor) (*dialect, error) {
	d := &dialect{version: m.Version(), machines: map[string]string{}}
	var capabilities []capability
	if err := m.Execute(ctx, "query-migrate-capabilities", nil, &capabilities); err != nil {
		return nil, err
	}
	for _, c := range capabilities {
		d.capabilities = append(d.capabilities, c.Name)
	}
	if err := m.Execute(ctx, "query-migrate-parameters", nil, &d.parameters); err != nil {
		return nil, err
	}
	var machines []struct {
		Name  string `json:"name"`
		Alias string `json:"alias"`
	}
	if err := m.Execute(ctx, "query-machines", nil, &machines); err != nil {
		return nil, err
	}
	for _, k := range machines {
		d.machines[k.Name] = k.Name
		if k.Alias != "" {
			d.machines[k.Alias] = k.Name
		}
	}
	var raw json.RawMessage
	if err := m.Execute(ctx, "query-qmp-schema", nil, &raw); err != nil {
		return nil, err
	}
	s, err := parseSchema(raw)
	d.schema = s
	return d, err
}

func (d *dialect) hasCapability(name string) bool { return slices.Contains(d.capabilities, name) }

// parameter returns the type of a parameter, and whether there is one of that name.
func (d *dialect) parameter(name string) (schemaEntry, bool) {
	if e, ok := d.schema.argument("migrate-set-parameters", name); ok {
		return e, true
	}
	_, ok := d.parameters[name]
	return schemaEntry{}, ok
}

// transports lists what a migration may go by; empty in a QEMU that takes URIs alone (before 8.2).
func (d *dialect) transports() []string {
	e, _ := d.schema.argument("migrate", "channels", "addr", "transport")
	return e.Values
}
