package usage

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"
	"virtscope/results"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespace is a network namespace without a name: it goes when its last user does.
type namespace struct{ ns netns.NsHandle }

// Do implements host.Doer. The thread is never used again.
func (n namespace) Do(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(n.ns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// newNamespace makes a namespace with one veth pair in it, w0 and w1, up.
func newNamespace(tb testing.TB) namespace {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root: a network namespace")
	}
	var n namespace
	made := make(chan error)
	go func() {
		runtime.LockOSThread()
		made <- func() (err error) {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			if n.ns, err = netns.Get(); err != nil {
				return err
			}
			v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "w0"}, PeerName: "w1"}
			if err := netlink.LinkAdd(v); err != nil {
				return err
			}
			peer, err := netlink.LinkByName("w1")
			if err != nil {
				return err
			}
			if err := netlink.LinkSetUp(peer); err != nil {
				return err
			}
			return netlink.LinkSetUp(v)
		}()
	}()
	if err := <-made; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = n.ns.Close() })
	return n
}

func TestNetworkCountsItsOwnNamespace(t *testing.T) {
	t.Parallel()
	n, other := newNamespace(t), newNamespace(t)
	const frames, length = 1000, 1000
	log := run(t, Config{Host: "controller", Networks: []Network{{"src", n}, {"dst", other}}}, func() {
		err := n.Do(func() error {
			i, err := net.InterfaceByName("w0")
			if err != nil {
				return err
			}
			fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			frame := make([]byte, length)
			frame[12], frame[13] = 0x88, 0xb5
			for range frames {
				if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	growth := func(host, name, iface string) float64 {
		var values []results.Record
		for _, r := range log.series(name, "interface", iface) {
			if r.Host == host {
				values = append(values, r)
			}
		}
		if len(values) < 2 {
			t.Fatalf("%s %s of %s: %+v", name, iface, host, values)
		}
		return values[len(values)-1].Value - values[0].Value
	}
	// The kernel's own neighbour discovery may add a little.
	for _, c := range []struct{ name, iface string }{{results.HostNetTx, "w0"}, {results.HostNetRx, "w1"}} {
		if got := growth("src", c.name, c.iface); got < frames*length || got > frames*length+5000 {
			t.Errorf("%s of %s grew by %v B, want %d", c.name, c.iface, got, frames*length)
		}
		if got := growth("dst", c.name, c.iface); got > 5000 {
			t.Errorf("%s of %s grew by %v B in a namespace where nothing was sent", c.name, c.iface, got)
		}
	}
	if lo := log.series(results.HostNetRx, "interface", "lo"); len(lo) != 0 {
		t.Errorf("loopback: %+v", lo)
	}
}

// BenchmarkSample is one sample of the machine, four networks, and two processes with their threads.
func BenchmarkSample(b *testing.B) {
	c := Config{Host: "controller"}
	for _, host := range []string{"src", "dst", "client", "switch"} {
		c.Networks = append(c.Networks, Network{host, newNamespace(b)})
	}
	source, _, _ := startChild(b)
	destination, _, _ := startChild(b)
	c.Processes = func() []Process {
		return []Process{{"src", "source", source}, {"dst", "destination", destination}}
	}
	threads := map[string]bool{}
	s, err := newSampler(c, results.RecorderFunc(func(r results.Record) {
		if r.Name == results.ThreadCPU {
			threads[r.Attrs["tid"]] = true
		}
	}))
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	var begin, end unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &begin)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.sample(false); err != nil {
			b.Fatal(err)
		}
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &end)
	used := time.Duration(end.Utime.Nano()-begin.Utime.Nano()+end.Stime.Nano()-begin.Stime.Nano()) / time.Duration(b.N)
	b.ReportMetric(float64(used.Microseconds()), "µs-CPU/op")
	b.ReportMetric(100*10*used.Seconds(), "%core-at-10Hz")
	b.ReportMetric(float64(len(threads)), "threads")
}
