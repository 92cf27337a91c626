package main

import (
	"errors"
	"fmt"
	"io"
	"virtscope/probes/energy"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"

	"github.com/spf13/cobra"
)

func newDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "say what this machine can run and measure, and how to mend what it cannot",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			local, err := host.NewLocal(machine)
			if err != nil {
				return err
			}
			defer func() { _ = local.Close() }()
			d := doctor{w: c.OutOrStdout()}
			d.needed("testbed", testbed.Check(testbed.Config{RunID: newRunID("doctor").short, GuestNIC: guestNIC()}), "network namespaces, taps")
			kernel, err := image.FindKernel("")
			d.needed("guest kernel", err, kernel.Path)
			init, err := image.FindInit(selfPath())
			d.needed("guest init", err, init)
			found, err := drivers()[driverQEMU].Fingerprint(c.Context(), local, guest.Spec{Accel: "auto"})
			d.needed("qemu", err, fmt.Sprintf("%s with %s: %s", found.Version, found.Accelerator, found.Why))
			d.optional("link rate (tbf)", testbed.Check(shaped(testbed.Link{Rate: 1e6})), "yes")
			d.optional("link delay, jitter, loss (netem)", testbed.Check(shaped(testbed.Link{Delay: 1e6})), "yes")
			d.optional("energy counters (RAPL)", energy.Available(energy.Root), "yes")
			return d.verdict()
		},
	}
}

// shaped is a testbed that asks for one kind of shaping.
func shaped(l testbed.Link) testbed.Config {
	return testbed.Config{RunID: newRunID("doctor").short, Link: l, GuestNIC: guestNIC()}
}

// A doctor prints a line a finding.
type doctor struct {
	w       io.Writer
	missing int
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
		fmt.Fprintf(d.w, "without  %s: %v\n", what, err)
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
