package testbed

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
)

func TestValidate(t *testing.T) {
	good := Config{RunID: "0123abcd", GuestNIC: guest.NIC{Tap: "tap0", MAC: "52:54:00:12:34:56", Address: GuestAddress}}
	tests := []struct {
		name string
		edit func(*Config)
		want []string // parts of the error; nil for none
	}{
		{"good", func(*Config) {}, nil},
		{"no guest", func(c *Config) { c.GuestNIC = guest.NIC{} }, nil},
		{"fast", func(c *Config) { c.Link = Link{Rate: 1.25e10, Queue: 50 * time.Millisecond} }, nil},
		{"run id", func(c *Config) { c.RunID = "../../et" }, []string{"run id"}},
		{"long run id", func(c *Config) { c.RunID = "0123456789" }, []string{"run id"}},
		{"slow", func(c *Config) { c.Link.Rate = 1 }, []string{"link: rate"}},
		{"not a number", func(c *Config) { c.Link.Rate, c.Link.Loss = math.NaN(), math.NaN() }, []string{"rate", "loss"}},
		{"infinite", func(c *Config) { c.Link.Rate = math.Inf(1) }, []string{"rate"}},
		{
			"negative", func(c *Config) { c.Link = Link{Rate: -1, Queue: -1, Delay: -1, Jitter: -1, Loss: -1} },
			[]string{"rate", "queue", "delay", "jitter", "loss"},
		},
		{"jitter", func(c *Config) { c.Link.Jitter = time.Millisecond }, []string{"jitter 1ms: want 0 to the delay"}},
		{"loss too small", func(c *Config) { c.Link.Loss = 1e-12 }, []string{"rounds it to nothing"}},
		{"queue too long", func(c *Config) { c.Link = Link{Rate: 1e10, Queue: time.Second} }, []string{"4 GiB"}},
		{"migration", func(c *Config) { c.MigrationLink = &Link{Loss: 2} }, []string{"migration link: loss"}},
		{"tap", func(c *Config) { c.GuestNIC.Tap = "a-name-that-is-too-long" }, []string{"tap name"}},
		{"group MAC", func(c *Config) { c.GuestNIC.MAC = "01:00:5e:00:00:01" }, []string{"unicast"}},
		{"no MAC", func(c *Config) { c.GuestNIC.MAC = "" }, []string{"guest MAC"}},
		{"other network", func(c *Config) { c.GuestNIC.Address = "10.1.0.10/24" }, []string{"10.77.0.0/16"}},
		{"a host's address", func(c *Config) { c.GuestNIC.Address = "10.77.0.2/24" }, []string{"is a host's"}},
		{"no prefix", func(c *Config) { c.GuestNIC.Address = "10.77.0.10" }, []string{"prefix length"}},
		{"bad upload", func(c *Config) { c.Link.Upload = 10 }, []string{"upload"}},
		{"unknown emulator", func(c *Config) { c.Emulator = "dummynet" }, []string{"emulator", "dummynet", "relay"}},
		{"all at once", func(c *Config) { c.RunID, c.Link.Loss = "", 2 }, []string{"run id", "loss"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good
			tt.edit(&cfg)
			err := cfg.validate()
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q misses %q", err, part)
				}
			}
			if err != nil { // nothing is started for a bad value, whoever runs this
				if _, upErr := Up(t.Context(), cfg); upErr == nil || !strings.HasSuffix(upErr.Error(), err.Error()) {
					t.Errorf("Up says %v", upErr)
				}
			}
		})
	}
}

// tick is one kernel scheduler tick of 64 ns (/proc/net/psched on every kernel since 2.6.31).
const ticksPerMicrosecond = 15.625

func TestQdiscs(t *testing.T) {
	if got := netlink.TickInUsec(); got != ticksPerMicrosecond {
		t.Skipf("this kernel's tick is 1/%g µs: the figures below are for 1/%g", got, ticksPerMicrosecond)
	}
	attrs := func(parent, handle uint32) netlink.QdiscAttrs {
		return netlink.QdiscAttrs{LinkIndex: 7, Parent: parent, Handle: handle}
	}
	const root = uint32(netlink.HANDLE_ROOT)
	tests := []struct {
		name string
		link Link
		want []netlink.Qdisc
	}{
		{"none", Link{Queue: time.Second}, nil},
		{"1 Gbit/s", Link{Rate: 125e6}, []netlink.Qdisc{
			// The burst is 1 ms = 125,000 B; the limit 50 ms = 6.25 MB more.
			&netlink.Tbf{QdiscAttrs: attrs(root, 0x10000), Rate: 125e6, Limit: 6_375_000, Buffer: 15_625},
		}},
		{"10 Mbit/s", Link{Rate: 1.25e6, Queue: 100 * time.Millisecond}, []netlink.Qdisc{
			// The burst is 80 KiB = 65,536 µs at this rate.
			&netlink.Tbf{QdiscAttrs: attrs(root, 0x10000), Rate: 1.25e6, Limit: 125_000 + 81_920, Buffer: 1_024_000},
		}},
		{"100 Gbit/s", Link{Rate: 1.25e10}, []netlink.Qdisc{
			&netlink.Tbf{QdiscAttrs: attrs(root, 0x10000), Rate: 1.25e10, Limit: 637_500_000, Buffer: 15_625},
		}},
		{"wide area", Link{Delay: 20 * time.Millisecond, Jitter: 2 * time.Millisecond, Loss: 0.25}, []netlink.Qdisc{
			&netlink.Netem{QdiscAttrs: attrs(root, 0x10000), Latency: 312_500, Jitter: 31_250, Loss: 1 << 30, Limit: 1_000_000},
		}},
		{"loss alone", Link{Loss: 1}, []netlink.Qdisc{
			&netlink.Netem{QdiscAttrs: attrs(root, 0x10000), Loss: math.MaxUint32, Limit: 1_000_000},
		}},
		{"both", Link{Rate: 125e6, Delay: 10 * time.Millisecond, Queue: 50 * time.Millisecond}, []netlink.Qdisc{
			&netlink.Netem{QdiscAttrs: attrs(root, 0x10000), Latency: 156_250, Limit: 125_000},
			&netlink.Tbf{QdiscAttrs: attrs(0x10001, 0xa0000), Rate: 125e6, Limit: 6_375_000, Buffer: 15_625},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.link.qdiscs(7)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUploadIsTheHosts(t *testing.T) {
	l := Link{Rate: 125e6, Upload: 12.5e6, Delay: time.Millisecond}
	if up, down := l.up(), l.down(); up.Rate != 12.5e6 || down.Rate != 125e6 || up.Delay != l.Delay || down.Delay != l.Delay {
		t.Errorf("up %+v, down %+v", up, down)
	}
	l.Upload = 0
	if l.up() != l.down() {
		t.Errorf("without an upload rate, up %+v, down %+v", l.up(), l.down())
	}
	l = Link{Upload: 1e6}
	if l.up().Rate != 1e6 || l.down().Rate != 0 {
		t.Errorf("without a rate, up %+v, down %+v", l.up(), l.down())
	}
}

func TestRelayTakesWhatItCanHold(t *testing.T) {
	cfg := Config{Link: Link{Rate: 1.25e9, Delay: time.Second}, RelayCommand: []string{"virtscope"}}
	if err := cfg.checkRelay(); err == nil || !strings.Contains(err.Error(), "the frame relay takes at most") {
		t.Errorf("2.6 GB under way: %v", err)
	}
	cfg.Link = Link{Rate: 12.5e6, Delay: 25 * time.Millisecond, Jitter: 5 * time.Millisecond}
	if err := cfg.checkRelay(); err != nil {
		t.Error(err)
	}
	// 80 ms at the rate and a burst of 80 KiB, twice.
	if got, want := cfg.Link.relayMemory(), 2*(1e6+81920.0); got != want {
		t.Errorf("memory of %g B, want %g", got, want)
	}
	for _, tt := range []struct {
		link Link
		want bool
	}{
		{Link{Rate: 12.5e6}, false}, {Link{Rate: 125e6}, true}, {Link{}, true}, {Link{Rate: 12.5e6, Upload: 125e6}, true}, {Link{Upload: 12.5e6}, true},
	} {
		if got := tt.link.superFrames(); got != tt.want {
			t.Errorf("super-frames on %+v: %v", tt.link, got)
		}
	}
}

func TestParseStart(t *testing.T) {
	const tail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 424242 20 21"
	tests := []struct {
		stat string
		want uint64
		ok   bool
	}{
		{"12 (virtscope) S" + tail, 424242, true},
		{"12 (a ) S 9) R" + tail, 424242, true},
		{"12 (gone) Z" + tail, 0, false},
		{"12 (short) S 1 2", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		got, err := parseStart(tt.stat)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %d, %v", tt.stat, got, err)
		}
	}
}

func FuzzParseStart(f *testing.F) {
	f.Add("12 (virtscope) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 424242 20")
	f.Add(") ")
	f.Fuzz(func(t *testing.T, stat string) {
		if start, err := parseStart(stat); err != nil && start != 0 {
			t.Errorf("%q: %d and %v", stat, start, err)
		}
	})
}

func FuzzParseOwner(f *testing.F) {
	f.Add("1 2\n")
	f.Add("-1 2")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := parseOwner(text)
		if err != nil {
			return
		}
		if again, err := parseOwner(w.String()); err != nil || again != w || w.pid <= 0 {
			t.Errorf("%q became %v, then %v, %v", text, w, again, err)
		}
	})
}

func TestNotSupportedIsTyped(t *testing.T) {
	err := unknownQdisc("netem", errors.New("no such file or directory"))
	var missing *guest.NotSupportedError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "modprobe sch_netem") {
		t.Errorf("got %v", err)
	}
}
