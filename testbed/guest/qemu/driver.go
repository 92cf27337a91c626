package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// Name is the driver's name in an experiment.
const Name = "qemu"

var _ guest.Driver = (*Driver)(nil)

// A Driver makes QEMU guests. The zero value is not usable: see New.
type Driver struct {
	accel    accelProbe
	known    knowledge
	versions sync.Map // by host and binary, what it says
}

// New makes a driver for this machine.
func New() *Driver {
	return &Driver{accel: accelProbe{kvm: "/dev/kvm", cpuinfo: "/proc/cpuinfo"}}
}

// Name implements guest.Driver.
func (d *Driver) Name() string { return Name }

// DestinationVersionFact names the version of the QEMU at the destination, among the facts that Fingerprint returns, where it is
// another binary than the source's; without it both ends have the same.
const DestinationVersionFact = "qemu.destination.version"

// Fingerprint implements guest.Driver: it asks the binaries for their versions and chooses the accelerator. Capabilities.Version
// is that of the QEMU in which the guest boots.
func (d *Driver) Fingerprint(ctx context.Context, h host.Host, s guest.Spec) (guest.Capabilities, error) {
	binary := binaryOf(s)
	version, err := d.version(ctx, h, binary)
	if err != nil {
		return guest.Capabilities{}, err
	}
	accel, why, err := d.accel.choose(s.Accel, h.Name())
	if err != nil {
		return guest.Capabilities{}, err
	}
	if err := refuseStart(s); err != nil {
		return guest.Capabilities{}, err
	}
	if err := d.checkMachine(ctx, h, s); err != nil {
		return guest.Capabilities{}, err
	}
	c := guest.Capabilities{
		Version: version, Accelerator: accel, Why: why,
		Facts: []results.Fact{
			{Subject: h.Name(), Name: "qemu.version", Value: version},
			{Subject: h.Name(), Name: "qemu.accel", Value: accel},
			{Subject: h.Name(), Name: "qemu.accel.why", Value: why},
		},
	}
	if advice := Advice(version, accel); advice != "" {
		c.Facts = append(c.Facts, results.Fact{Subject: h.Name(), Name: AdviceFact, Value: advice})
	}
	return c, addDestination(ctx, h, s, &c)
}

// addDestination adds the facts of a destination that runs another binary.
func addDestination(ctx context.Context, h host.Host, s guest.Spec, c *guest.Capabilities) error {
	binary := destinationBinaryOf(s)
	if binary == binaryOf(s) {
		return nil
	}
	version, err := binaryVersion(ctx, h, binary)
	if err != nil {
		return fmt.Errorf("guest.qemu.destination-binary: %w", err)
	}
	c.Facts = append(c.Facts, results.Fact{Subject: h.Name(), Name: DestinationVersionFact, Value: version})
	if advice := Advice(version, c.Accelerator); advice != "" {
		c.Facts = append(c.Facts, results.Fact{Subject: h.Name(), Name: DestinationAdviceFact, Value: advice})
	}
	return nil
}

func binaryOf(s guest.Spec) string {
	if s.Binary != "" {
		return s.Binary
	}
	return DefaultBinary
}

func destinationBinaryOf(s guest.Spec) string {
	if s.DestinationBinary != "" {
		return s.DestinationBinary
	}
	return binaryOf(s)
}

var versionLine = regexp.MustCompile(`QEMU emulator version ([0-9][^\n]*)`)

func binaryVersion(ctx context.Context, h host.Host, binary string) (string, error) {
	var out bytes.Buffer
	p, err := h.Start(ctx, host.Cmd{Path: binary, Args: []string{"--version"}, Stdout: &out, Stderr: &out})
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find %s on %s: %w: install it (apt-get install qemu-system-x86) or set guest.qemu.binary",
			binary, h.Name(), err)
	}
	if err != nil {
		return "", fmt.Errorf("run %s --version on %s: %w", binary, h.Name(), err)
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.Kill()
		return "", fmt.Errorf("run %s --version on %s: %w", binary, h.Name(), ctx.Err())
	}
	match := versionLine.FindSubmatch(out.Bytes())
	if match == nil {
		return "", fmt.Errorf("run %s --version on %s: got %.80q: is guest.qemu.binary a QEMU?", binary, h.Name(), out.String())
	}
	return string(match[1]), nil
}

// version asks a binary once: a restore must not wait for what is known.
func (d *Driver) version(ctx context.Context, h host.Host, binary string) (string, error) {
	key := h.Name() + "\x00" + binary
	if v, ok := d.versions.Load(key); ok {
		return v.(string), nil
	}
	v, err := binaryVersion(ctx, h, binary)
	if err == nil {
		d.versions.Store(key, v)
	}
	return v, err
}

// Boot implements guest.Driver. The trial's directories must exist; the tap too.
func (d *Driver) Boot(ctx context.Context, h host.Host, s guest.Spec, rec results.Recorder) (guest.Instance, error) {
	accel, _, err := d.accel.choose(s.Accel, h.Name())
	if err != nil {
		return nil, err
	}
	if err := checkStart(s, h.Name()); err != nil {
		return nil, err
	}
	s.Append += kernelAppend(accel, tscKHz)
	i := &instance{
		spec: s, accel: accel, rec: rec, done: make(chan struct{}),
		agent: agent.NewClient(guest.AgentReporter(rec)),
	}
	vm, err := i.spawn(ctx, h, role{})
	if err != nil {
		_ = i.agent.Close()
		return nil, err
	}
	if err := trackDisk(ctx, vm, s); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	i.agent.Use(h.Name())
	i.moveTo(vm)
	return i, nil
}

// stopLimit bounds the orderly end of a QEMU; after it, the process is killed.
const stopLimit = 3 * time.Second
