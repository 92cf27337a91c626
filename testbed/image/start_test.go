package image_test

import (
	"context"
	"fmt"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

// TestGuestStarts boots the real image and asks its agent for what a start needs: its times, an identity that is forgotten and
// another that is taken, and a job.
func TestGuestStarts(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest: left out by -short")
	}
	qemu, img := buildImage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	port := freePort(t)
	// The user network's gateway forwards to the address that the guest is given later.
	conn := boot(ctx, t, qemu, img, fmt.Sprintf("hostfwd=udp:127.0.0.1:%d-10.0.2.77:7", port))
	told := make(chan agent.Boot, 10)
	c := agent.NewClient(func(m agent.Message, _ time.Time, _ string) {
		if m.ID == 0 && m.Boot != nil {
			told <- *m.Boot
		}
	})
	c.Attach("src", conn)
	defer c.Close()
	if _, err := c.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	boot, err := c.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	checkBoot(t, boot)
	if first := <-told; *first.Init != *boot.Init || len(told) > 0 {
		t.Errorf("boot was said unasked as %+v, and %d times more; asked for, it is %+v", first, len(told), boot)
	}
	if _, err := c.Units(ctx); err == nil {
		t.Error("a guest without systemd has units")
	}
	identities(ctx, t, c)
	echoes(ctx, t, port)
	if n, err := c.VCPUs(ctx, 1); err != nil || n != 1 {
		t.Errorf("VCPUs = %d, %v, want 1", n, err)
	}
	jobs(ctx, t, c)
}

// checkBoot expects the edges in order.
func checkBoot(t *testing.T, b agent.Boot) {
	t.Helper()
	if b.Kernel != nil {
		t.Errorf("the kernel's first line is known to be of %d ns: before its clock was calibrated", *b.Kernel)
	}
	last, name := int64(1), "the kernel's begin"
	for _, edge := range []struct {
		name string
		mono *int64
	}{
		{"kernel's end", b.KernelEnd},
		{"init", b.Init},
		{"modules", b.Modules},
		{"network", b.Network},
		{"agent", b.Agent},
	} {
		if edge.mono == nil {
			t.Errorf("%s: not known", edge.name)
			continue
		}
		t.Logf("%-13s %.6f s", edge.name, float64(*edge.mono)/1e9)
		if *edge.mono < last {
			t.Errorf("%s, %d ns, is before %s, %d ns", edge.name, *edge.mono, name, last)
		}
		last, name = *edge.mono, edge.name
	}
	t.Logf("kernel's log: ± %d ns, %q", b.LogBound, b.Line)
	if b.Line != "Run /init as init process" || b.LogBound <= 0 {
		t.Errorf("the kernel's last line is %q, ± %d ns", b.Line, b.LogBound)
	}
}

func identities(ctx context.Context, t *testing.T, c *agent.Client) {
	t.Helper()
	first, err := c.Identity(ctx)
	if err != nil || first.Address != "10.0.2.15/24" || first.Name != "" || first.BootID == "" {
		t.Errorf("identity is %+v, %v, want 10.0.2.15/24 without a name", first, err)
	}
	if err := c.Forget(ctx); err != nil {
		t.Fatal(err)
	}
	if id, err := c.Identity(ctx); err != nil || id != (agent.Identity{MAC: agent.NoMAC, BootID: first.BootID}) {
		t.Errorf("forgotten, the identity is %+v, %v", id, err)
	}
	want := agent.Identity{Name: "clone-7", Address: "10.0.2.77/24", MAC: "52:54:00:77:77:77"}
	asked := want
	asked.Seed = 0x1234
	got, err := c.Identify(ctx, asked)
	want.BootID = first.BootID
	if err != nil || got != want {
		t.Errorf("identified as %+v, %v, want %+v", got, err, want)
	}
	if _, err := c.Identify(ctx, agent.Identity{MAC: "01:00:5e:00:00:01"}); err == nil {
		t.Error("a card took a multicast address")
	}
}

func jobs(ctx context.Context, t *testing.T, c *agent.Client) {
	t.Helper()
	const work = int64(300 * time.Millisecond)
	for range 2 { // the second time it is not done again
		done, err := c.Job(ctx, agent.Job{ID: 3, Work: work, Memory: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case d := <-done:
			t.Logf("job took %d ns of CPU time", d.Worked)
			if d.ID != 3 || d.Worked < work || d.Bad != 0 {
				t.Errorf("job is done with %+v", d)
			}
		case <-ctx.Done():
			t.Fatal("job did not end")
		}
	}
	if _, err := c.Job(ctx, agent.Job{ID: 4, Memory: 1 << 40}); err == nil {
		t.Error("a job took more memory than there is")
	}
}
