package image_test

import (
	"context"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/image"
)

// TestVmlinuxBoots enters the extracted kernel by PVH, on a machine with PCI and on one without.
func TestVmlinuxBoots(t *testing.T) {
	if testing.Short() {
		t.Skip("boots guests: left out by -short")
	}
	qemu, img := buildImage(t)
	kernel, err := image.Vmlinux(img.Kernel, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	img.Kernel = kernel
	for _, machine := range []string{"q35", "microvm"} {
		t.Run(machine, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			c := agent.NewClient(nil)
			c.Attach("src", bootOn(ctx, t, machine, qemu, img))
			defer c.Close()
			if _, err := c.Hello(ctx); err != nil {
				t.Fatal(err)
			}
			b, err := c.Boot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			checkBoot(t, b)
		})
	}
}
