package testbed

import (
	"errors"
	"fmt"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Check finds out, before anything is started, whether Up can bring up cfg here: the values, root, the tap
// device, the kernel's queueing disciplines or what the frame relay needs, and names that are taken. It reports all problems at once; what
// the kernel lacks is a *guest.NotSupportedError. It tries on links in a nameless namespace that is gone when
// it returns.
func Check(cfg Config) error {
	if err := cfg.validate(); err != nil {
		return fmt.Errorf("check the testbed: %w", err)
	}
	emulator, err := cfg.emulator()
	if err == nil && emulator == EmulatorRelay {
		err = errors.Join(cfg.checkRelay(), tryRelay())
	}
	err = errors.Join(err, checkNames(cfg.RunID), host.InScratchNamespace(func() error { return try(cfg, emulator) }))
	if err != nil {
		return fmt.Errorf("check the testbed: %w", err)
	}
	return nil
}

func checkNames(runID string) error {
	taken, err := namespacesOf(runID)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return fmt.Errorf("namespace %s exists: take another run id, or remove what a killed run left with virtscope clean", taken[0])
	}
	return checkOwner(runID)
}

// try runs in the scratch namespace.
func try(cfg Config, emulator string) error {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer nl.Close()
	links := []Link{cfg.Link}
	if cfg.MigrationLink != nil {
		links = append(links, *cfg.MigrationLink)
	}
	errs := []error{makeTap(TapName, false), tryBridge(nl)}
	for i, l := range links {
		if emulator == EmulatorRelay {
			l = l.rateOnly()
		}
		errs = append(errs, tryLink(nl, fmt.Sprintf("try%d", i), l.up()), tryLink(nl, fmt.Sprintf("tryd%d", i), l.down()))
	}
	return errors.Join(errs...)
}

// tryRelay makes two taps in two namespaces at once, as the frame relay does.
func tryRelay() error {
	return host.InScratchNamespace(func() error {
		held, err := openTap(TapName)
		if err != nil {
			return err
		}
		defer held.Close()
		return host.InScratchNamespace(func() error { return makeTap(TapName, false) })
	})
}

func tryBridge(nl *netlink.Handle) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridgeName
	if err := nl.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		return lacking("bridges", "bridge", err)
	}
	return nil
}

func tryLink(nl *netlink.Handle, name string, l Link) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if err := nl.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: name + "peer"}); err != nil {
		return lacking("virtual Ethernet links", "veth", err)
	}
	device, err := nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	return shape(nl, device, l)
}

func lacking(feature, module string, err error) error {
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	return notSupported(fmt.Sprintf("%s (%s)", feature, module), "load it with modprobe "+module, err)
}

// unknownQdisc explains the kernel's word for a queueing discipline that it does not have, ENOENT.
func unknownQdisc(kind string, err error) error {
	feature, other := "link rate (tbf)", "remove the rate from the link"
	if kind == "netem" {
		feature, other = "link delay, jitter and loss (netem)", "take the emulator relay"
	}
	return notSupported(feature, "load it with modprobe sch_"+kind+", or "+other, err)
}

func notSupported(feature, remedy string, err error) error {
	where := "this kernel"
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		where = "kernel " + unix.ByteSliceToString(uts.Release[:])
	}
	return &guest.NotSupportedError{Feature: feature, Where: where, Remedy: remedy, Err: err}
}
