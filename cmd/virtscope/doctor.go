package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"virtscope/probes/energy"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/qemu"
	"virtscope/testbed/host"
	"virtscope/testbed/image"

	"github.com/spf13/cobra"
)

func newDoctorCommand() *cobra.Command {
	var binary string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "say what this machine can run and measure, and how to mend what it cannot",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := doctor{w: c.OutOrStdout()}
			d.needed("testbed", testbed.Check(bed(testbed.Link{})), "network namespaces, taps")
			kernel, err := image.FindKernel("")
			d.needed("guest kernel", err, kernel.Path)
			init, err := image.FindInit(selfPath())
			d.needed("guest init", err, init)
			if err := d.hypervisor(c.Context(), binary); err != nil {
				return err
			}
			d.links()
			d.tools()
			d.optional("energy counters (RAPL)", energy.Available(energy.Root), "yes")
			return d.verdict()
		},
	}
	c.Flags().StringVar(&binary, "qemu", "", "look at this QEMU, as guest.qemu.binary names it, in place of the installed one")
	return c
}

// bed is a testbed with links of one kind.
func bed(l testbed.Link) testbed.Config {
	return testbed.Config{
		RunID: newRunID("doctor").short, Link: l, GuestNIC: guestNIC(), RelayCommand: []string{selfPath(), frameRelayName},
	}
}

// A doctor prints a line a finding.
type doctor struct {
	w       io.Writer
	missing int
}

// hypervisor says what is installed, what is known to be wrong with it and which algorithms it can run. Its error is not a
// finding.
func (d *doctor) hypervisor(ctx context.Context, binary string) error {
	local, err := host.NewLocal(machine)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close() }()
	driver := drivers()[driverQEMU]
	spec := guest.Spec{Accel: "auto", Binary: binary}
	found, err := driver.Fingerprint(ctx, local, spec)
	d.needed("qemu", err, fmt.Sprintf("%s with %s: %s", found.Version, found.Accelerator, found.Why))
	if err != nil {
		return nil
	}
	for _, f := range found.Facts {
		if f.Name == qemu.AdviceFact {
			fmt.Fprintf(d.w, "advice   qemu: %s\n", f.Value)
		}
	}
	return d.algorithms(ctx, driver, spec, found.Accelerator)
}

func (d *doctor) needed(what string, err error, found string) {
	if err != nil {
		d.missing++
		fmt.Fprintf(d.w, "missing  %s: %v\n", what, err)
		return
	}
	fmt.Fprintf(d.w, "ok       %s: %s\n", what, found)
}

func (d *doctor) optional(what string, err error, found string) {
	if err != nil {
		fmt.Fprintf(d.w, "without  %s: %s\n", what, strings.TrimPrefix(err.Error(), what+": "))
		return
	}
	fmt.Fprintf(d.w, "ok       %s: %s\n", what, found)
}

func (d *doctor) verdict() error {
	if d.missing == 0 {
		return nil
	}
	return errors.New("this machine cannot run the built-in experiments yet: mend what is missing (make deps does, on Debian 12)")
}
