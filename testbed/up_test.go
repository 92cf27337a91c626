package testbed

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// within runs f with a netlink handle inside a host.
func within(t *testing.T, h *host.Netns, f func(*netlink.Handle) error) {
	t.Helper()
	err := h.Do(func() error {
		nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer nl.Close()
		return f(nl)
	})
	if err != nil {
		t.Errorf("in %s: %v", h.Name(), err)
	}
}

func TestWiring(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
	}{{"cables", fullConfig(t)}, {"relay", allRelayed(t)}} {
		t.Run(tt.name, func(t *testing.T) { testWiring(t, tt.cfg) })
	}
}

// allRelayed is fullConfig with a relay in each link.
func allRelayed(t testing.TB) Config {
	cfg := relayedConfig(t, Link{Rate: 125e6, Delay: time.Millisecond})
	cfg.MigrationLink = &Link{Rate: 125e5, Delay: time.Millisecond}
	return cfg
}

func testWiring(t *testing.T, cfg Config) {
	tb := bringUp(t, cfg)
	want := map[*host.Netns]map[string]string{ // interface → bridge it is in
		tb.Source():      {"lo": "", "br0": "", "up0": "br0", "tap0": "br0", "mig0": ""},
		tb.Destination(): {"lo": "", "br0": "", "up0": "br0", "tap0": "br0", "mig0": ""},
		tb.Client():      {"lo": "", "br0": "", "up0": "br0"},
		tb.Switch(): {
			"lo": "", "lan": "", "mig": "", "p-src": "lan", "p-dst": "lan", "p-client": "lan", "m-src": "mig", "m-dst": "mig",
		},
	}
	for h, links := range want {
		within(t, h, func(nl *netlink.Handle) error {
			list, err := nl.LinkList()
			if err != nil {
				return err
			}
			names := map[int]string{}
			for _, l := range list {
				names[l.Attrs().Index] = l.Attrs().Name
			}
			for _, l := range list {
				a := l.Attrs()
				master, ok := links[a.Name]
				if strings.HasPrefix(a.Name, "tunl") || strings.HasPrefix(a.Name, "sit") || strings.HasPrefix(a.Name, "gre") || strings.HasPrefix(a.Name, "erspan") || strings.HasPrefix(a.Name, "ip") {
					continue // devices that some kernels put into every namespace
				}
				if !ok {
					t.Errorf("%s: unexpected interface %s", h.Name(), a.Name)
				}
				if names[a.MasterIndex] != master {
					t.Errorf("%s: %s is in %q, want %q", h.Name(), a.Name, names[a.MasterIndex], master)
				}
				if a.Flags&net.FlagUp == 0 {
					t.Errorf("%s: %s is down", h.Name(), a.Name)
				}
				delete(links, a.Name)
				addrs, err := nl.AddrList(l, unix.AF_INET6)
				if err != nil {
					return err
				}
				if len(addrs) > 0 {
					t.Errorf("%s: %s has the IPv6 address %v", h.Name(), a.Name, addrs)
				}
			}
			if len(links) > 0 {
				t.Errorf("%s: missing %v", h.Name(), links)
			}
			return nil
		})
	}
	within(t, tb.Source(), func(nl *netlink.Handle) error {
		mig, err := nl.LinkByName(migName)
		if err == nil && mig.Attrs().HardwareAddr.String() != mac(1, Source).String() {
			t.Errorf("the migration link has the address %s, want %s", mig.Attrs().HardwareAddr, mac(1, Source))
		}
		return err
	})
	within(t, tb.Client(), func(nl *netlink.Handle) error {
		list, err := nl.NeighList(0, unix.AF_INET)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(n netlink.Neigh) bool {
			return n.State == netlink.NUD_PERMANENT && n.IP.String() == "10.77.0.10" && n.HardwareAddr.String() == guestMAC
		}) {
			t.Errorf("no permanent neighbour for the guest in %v", list)
		}
		return nil
	})
	if got := tb.MigrationAddr(Destination).String(); got != "10.78.0.2" {
		t.Errorf("migration address %s", got)
	}
	if got := tb.LanAddr(Client).String(); got != "10.77.0.3" {
		t.Errorf("lan address %s", got)
	}
	if _, err := tb.Host("sw"); err == nil {
		t.Error("the switch is no host")
	}
}

func TestDownIsIdempotentAndComplete(t *testing.T) {
	needRoot(t)
	cfg := fullConfig(t)
	tb, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := tb.Source().Start(t.Context(), host.Cmd{Path: "sleep", Args: []string{"60"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := tb.Down(ctx); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-inside.Done():
	default:
		t.Error("a process outlived its testbed")
	}
	nothingLeft(t, cfg.RunID)
}

// Whatever step fails, nothing may be left.
func TestFailureAtEachStep(t *testing.T) {
	needRoot(t)
	var steps []string
	cfg := allRelayed(t)
	tb, err := up(t.Context(), cfg, func(step string) error { steps = append(steps, step); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := tb.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(steps) < 15 {
		t.Fatalf("only %d steps: %q", len(steps), steps)
	}
	boom := errors.New("boom")
	before := countFDs(t)
	for i := range steps {
		n := 0
		_, err = up(t.Context(), cfg, func(string) error {
			if n++; n == i+1 {
				return boom
			}
			return nil
		})
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), steps[i]) {
			t.Errorf("step %q: got %v", steps[i], err)
		}
		nothingLeft(t, cfg.RunID)

		ctx, cancel := context.WithCancel(t.Context())
		n = 0
		tb, err = up(ctx, cfg, func(string) error {
			if n++; n == i {
				cancel()
			}
			return nil
		})
		cancel()
		if i > 0 && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before %q: %v", steps[i], err)
		}
		if err == nil { // nothing comes before the first step
			if err := tb.Down(t.Context()); err != nil {
				t.Error(err)
			}
		}
		nothingLeft(t, cfg.RunID)
	}
	if after := countFDs(t); after > before+2 {
		t.Errorf("file descriptors: %d before, %d after", before, after)
	}
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestNameClash(t *testing.T) {
	cfg := fullConfig(t)
	bringUp(t, cfg)
	if _, err := Up(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "virtscope clean") {
		t.Errorf("second Up with the same id: %v", err)
	}
	if err := Check(cfg); err == nil || !strings.Contains(err.Error(), "virtscope clean") {
		t.Errorf("check of a taken id: %v", err)
	}
	if left, err := namespacesOf(cfg.RunID); err != nil || len(left) != 4 {
		t.Errorf("the first testbed lost something: %v, %v", left, err)
	}
}

func TestCheck(t *testing.T) {
	needRoot(t)
	cfg := fullConfig(t)
	if err := Check(cfg); err != nil {
		t.Errorf("good config: %v", err)
	}
	cfg.MigrationLink, cfg.Emulator = &Link{Delay: 10 * time.Millisecond}, EmulatorNetem
	err := Check(cfg)
	_, upErr := Up(t.Context(), cfg)
	if hasNetem(t) {
		if err != nil {
			t.Errorf("the kernel has netem, and check says %v", err)
		}
		return
	}
	for what, err := range map[string]error{"check": err, "up": upErr} {
		var missing *guest.NotSupportedError
		if !errors.As(err, &missing) || !strings.Contains(missing.Feature, "netem") || missing.Remedy == "" {
			t.Errorf("%s without netem: %v", what, err)
		}
	}
	t.Log(err)
	nothingLeft(t, cfg.RunID)
}

// hasNetem asks the kernel in another way than Check does.
func hasNetem(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		t.Skipf("needs /proc/kallsyms to know what the kernel has: %v", err)
	}
	return strings.Contains(string(b), " netem_enqueue")
}

// A real QEMU must be able to open the tap, with the offloads that it asks for.
func TestQEMUOpensTap(t *testing.T) {
	binary, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	tb := bringUp(t, fullConfig(t))
	p, err := tb.Source().Start(t.Context(), host.Cmd{
		Path: binary,
		Args: []string{
			"-machine", "q35,accel=tcg", "-m", "64", "-nodefaults", "-display", "none", "-S",
			"-netdev", "tap,id=n0,ifname=" + tb.Tap() + ",script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,romfile=",
		},
		Stderr: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	var flags net.Flags
	for deadline := time.Now().Add(20 * time.Second); flags&net.FlagRunning == 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.Done():
			t.Fatalf("qemu ended: %v", p.Err())
		default:
		}
		within(t, tb.Source(), func(nl *netlink.Handle) error {
			tap, err := nl.LinkByName(tb.Tap())
			if err != nil {
				return err
			}
			flags = tap.Attrs().Flags
			return nil
		})
	}
	if flags&net.FlagRunning == 0 {
		t.Errorf("the tap has no carrier: nobody opened it")
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	// The tap is persistent: it outlives who opened it, for the next.
	within(t, tb.Source(), func(nl *netlink.Handle) error {
		_, err := nl.LinkByName(tb.Tap())
		return err
	})
}

func BenchmarkUpDown(b *testing.B) {
	needRoot(b)
	cfg := fullConfig(b)
	for b.Loop() {
		tb, err := Up(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := tb.Down(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
