package testbed

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Names and addresses of two hosts are what captures and addresses of earlier runs show; no two hosts or guests share any.
func TestAddresses(t *testing.T) {
	for _, tt := range []struct{ name, lan, mac string }{
		{"src", "10.77.0.1", "02:76:73:00:00:01"},
		{"dst", "10.77.0.2", "02:76:73:00:00:02"},
		{"client", "10.77.0.3", "02:76:73:00:00:03"},
		{"store", "10.77.0.4", "02:76:73:00:00:04"},
		{"host3", "10.77.1.3", "02:76:73:01:00:03"},
		{"host100", "10.77.1.100", "02:76:73:01:00:64"},
		{"host1000", "10.77.4.232", "02:76:73:04:00:e8"},
	} {
		if got := hostAddr(lanPrefix(), tt.name).String(); got != tt.lan {
			t.Errorf("%s has the address %s, want %s", tt.name, got, tt.lan)
		}
		if got := mac(0, tt.name).String(); got != tt.mac {
			t.Errorf("%s has the MAC %s, want %s", tt.name, got, tt.mac)
		}
	}
	for _, name := range []string{"", "host", "host0", "host1", "host2", "host03", "host1001", "host-3", "hostx", "guest"} {
		if addr := hostAddr(lanPrefix(), name); addr.IsValid() {
			t.Errorf("%q has the address %s", name, addr)
		}
	}
	want := guest.NIC{Tap: "tap0", MAC: "52:54:00:77:00:10", Address: "10.77.0.10/16"}
	if got := GuestNIC(0); got != want {
		t.Errorf("the first guest: %+v, want %+v", got, want)
	}
	cfg := Config{Hosts: MaxHosts, Store: true}
	for n := range 10_000 {
		cfg.Guests = append(cfg.Guests, GuestNIC(n))
	}
	seen := map[string]string{}
	take := func(who string, what ...string) {
		for _, w := range what {
			if other, taken := seen[w]; taken {
				t.Fatalf("%s and %s share %s", other, who, w)
			}
			seen[w] = who
		}
	}
	for _, name := range cfg.hostNames() {
		take(name, hostAddr(lanPrefix(), name).String(), mac(0, name).String())
	}
	for n, nic := range cfg.Guests {
		p, err := netip.ParsePrefix(nic.Address)
		if err != nil || p.Bits() != 16 || !lanPrefix().Contains(p.Addr()) {
			t.Fatalf("guest %d: %s, %v", n, nic.Address, err)
		}
		take(fmt.Sprint("guest ", n), nic.Tap, nic.MAC, p.Addr().String())
		if err := validateNIC(nic); err != nil {
			t.Fatal(err)
		}
	}
}

func TestValidateFleet(t *testing.T) {
	good := Config{RunID: "0123abcd", Hosts: 3, Guests: []guest.NIC{GuestNIC(0), GuestNIC(1)}, GuestHosts: 2}
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string // "" is no error
	}{
		{"good", func(*Config) {}, ""},
		{"one host", func(c *Config) { c.Hosts, c.GuestHosts = 1, 0 }, "1 hosts: want 2 to 1000"},
		{"too many hosts", func(c *Config) { c.Hosts = 1001 }, "1001 hosts"},
		{"guests on more hosts than there are", func(c *Config) { c.GuestHosts = 4 }, "at most the testbed's, 3"},
		{"one and many", func(c *Config) { c.GuestNIC = GuestNIC(5) }, "set one of them"},
		{"no tap", func(c *Config) { c.Guests[1].Tap = "" }, "guest 1: want a tap"},
		{"a device's name", func(c *Config) { c.Guests[1].Tap = "br0" }, `guest 1: tap name "br0"`},
		{"same tap", func(c *Config) { c.Guests[1].Tap = "tap0" }, "guests 0 and 1 have one tap tap0"},
		{"same MAC", func(c *Config) { c.Guests[1].MAC = "52:54:00:77:00:10" }, "guests 0 and 1 have one MAC"},
		{"same address", func(c *Config) { c.Guests[1].Address = "10.77.0.10/24" }, "guests 0 and 1 have one address"},
		{"the store's address", func(c *Config) { c.Guests[1].Address = "10.77.0.4/16" }, "guest 1: guest address 10.77.0.4/16 is a host's"},
		{"a host's address", func(c *Config) { c.Guests[1].Address = "10.77.1.9/16" }, "is a host's"},
		{"too many guests", func(c *Config) {
			c.Guests = nil
			for n := range MaxGuests + 1 {
				c.Guests = append(c.Guests, GuestNIC(n))
			}
		}, "1001 guests: want at most 1000"},
	} {
		cfg := good
		cfg.Guests = slices.Clone(good.Guests)
		tt.edit(&cfg)
		err := cfg.validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func fleetConfig(t testing.TB, hosts, guests int) Config {
	cfg := Config{RunID: newRunID(t), Hosts: hosts, Store: true, Link: Link{Rate: 125e6}}
	for n := range guests {
		cfg.Guests = append(cfg.Guests, GuestNIC(n))
	}
	return cfg
}

// Guests at taps of different hosts, the store and the client reach one another, over cables and over the relay.
func TestFleet(t *testing.T) {
	relayed := fleetConfig(t, 4, 8)
	relayed.Link = Link{Rate: 125e6, Delay: 5 * time.Millisecond}
	relayed.Emulator, relayed.RelayCommand = EmulatorRelay, relayCommand()
	for name, cfg := range map[string]Config{"cables": fleetConfig(t, 4, 8), "relay": relayed} {
		t.Run(name, func(t *testing.T) { testFleet(t, cfg) })
	}
}

func testFleet(t *testing.T, cfg Config) {
	cfg.GuestHosts = 3
	tb := bringUp(t, cfg)
	if got := tb.SwitchPorts(); len(got) != 6 || got["p-host4"] != "host4" || got["p-store"] != Store {
		t.Errorf("switch ports: %v", got)
	}
	for i, h := range tb.GuestHosts() {
		ports, exclude := tb.TapPorts(h.Name())
		if want := map[bool]int{true: 8, false: 0}[i < 3]; len(ports) != want || !slices.Equal(exclude, []string{bridgeName, uplinkName}) {
			t.Errorf("%s: taps %v, others %v", h.Name(), ports, exclude)
		}
		within(t, h, func(nl *netlink.Handle) error {
			list, err := nl.LinkList()
			taps := 0
			for _, l := range list {
				if _, ok := ports[l.Attrs().Name]; ok {
					taps++
				}
			}
			if taps != len(ports) {
				t.Errorf("%s has %d taps, want %d", h.Name(), taps, len(ports))
			}
			return err
		})
	}
	within(t, tb.Client(), func(nl *netlink.Handle) error {
		list, err := nl.NeighList(0, unix.AF_INET)
		known := map[string]string{}
		for _, n := range list {
			if n.State == netlink.NUD_PERMANENT {
				known[n.IP.String()] = n.HardwareAddr.String()
			}
		}
		if len(known) != 5+8 || known["10.77.16.7"] != "52:54:00:77:10:07" || known["10.77.0.4"] != "02:76:73:00:00:04" {
			t.Errorf("the client knows %v", known)
		}
		return err
	})
	for _, at := range []struct{ host, guest int }{{0, 0}, {2, 7}} {
		g := plugAs(t, tb.GuestHost(at.host), cfg.Guests[at.guest])
		g.announce(t)
		p, err := netip.ParsePrefix(cfg.Guests[at.guest].Address)
		if err != nil {
			t.Fatal(err)
		}
		client, err := tb.Client().Dial(t.Context(), "udp", netip.AddrPortFrom(p.Addr(), 7).String())
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, g, client)
		_ = client.Close()
	}
	restore, err := tb.Cut(t.Context(), LinkName, "host3")
	if err != nil {
		t.Fatal(err)
	}
	if err := restore(t.Context()); err != nil {
		t.Error(err)
	}
	records, err := tb.LinkRecords(t.Context(), "controller")
	if want := map[bool]int{true: 6 * 2, false: 0}[tb.relay != nil]; err != nil || len(records) < want {
		t.Errorf("%d records of links, want at least %d: %v", len(records), want, err)
	}
}

// What runs on a host is killed at once, however stubborn; the network stays, and others live.
func TestKillHost(t *testing.T) {
	tb := bringUp(t, fleetConfig(t, 3, 2))
	start := func(name string) *exec.Cmd {
		h, err := tb.Host(name)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", `trap "" TERM HUP INT; sleep 60 & wait; sleep 60`)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := h.Do(cmd.Start); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	victim, other := start("host3"), start(Store)
	ended := make(chan error, 1)
	go func() { ended <- victim.Wait() }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if all, err := tb.Processes(); err != nil || time.Now().After(deadline) {
			t.Fatalf("the host does not run what was started: %v, %v", all, err)
		} else if len(all["host3"]) == 2 && len(all[Store]) == 2 {
			break
		}
	}
	if err := tb.KillHost(t.Context(), "host3"); err != nil {
		t.Fatal(err)
	}
	all, err := tb.Processes()
	if err != nil || len(all["host3"]) != 0 || len(all[Store]) != 2 {
		t.Errorf("processes after the kill: %v, %v", all, err)
	}
	if err := <-ended; err == nil {
		t.Error("the victim ended by itself")
	}
	for range 2 { // of a host that runs nothing, and then again
		if err := tb.KillHost(t.Context(), "host3"); err != nil {
			t.Error(err)
		}
	}
	if err := tb.KillHost(t.Context(), switchName); err == nil {
		t.Error("the switch was killed")
	}
	conn, err := tb.GuestHost(2).Dial(t.Context(), "udp", "10.77.0.4:7")
	if err != nil {
		t.Errorf("the host's network is gone: %v", err)
	} else {
		_ = conn.Close()
	}
	if err := other.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = other.Wait()
}

// A testbed of many that a killed run left is found.
func TestSweepFindsFurtherHosts(t *testing.T) {
	needRoot(t)
	cfg := fleetConfig(t, 3, 1)
	tb, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	left, err := namespacesOf(cfg.RunID)
	if err != nil || len(left) != 6 {
		t.Errorf("found %v, %v", left, err)
	}
	if err := tb.Down(context.Background()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, cfg.RunID)
}

func BenchmarkUpDownFleet(b *testing.B) {
	needRoot(b)
	for _, size := range []struct{ hosts, guests int }{{2, 50}, {10, 50}, {100, 100}} {
		b.Run(fmt.Sprintf("hosts=%d/guests=%d", size.hosts, size.guests), func(b *testing.B) {
			for b.Loop() {
				tb, err := Up(b.Context(), fleetConfig(b, size.hosts, size.guests))
				if err != nil {
					b.Fatal(err)
				}
				if err := tb.Down(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
