package capture

import (
	"net"
	"os"
	"runtime"
	"testing"

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

func newNamespace(tb testing.TB) namespace {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root: network namespaces and packet sockets")
	}
	made := make(chan error)
	var n namespace
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n.ns, err = netns.Get()
		}
		made <- err
	}()
	if err := <-made; err != nil {
		tb.Fatalf("make network namespace: %v", err)
	}
	tb.Cleanup(func() { _ = n.ns.Close() })
	must(tb, n.Do(func() error {
		// The kernel's own IPv6 chatter would be captured too.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil && !os.IsNotExist(err) {
			return err
		}
		return up("lo")
	}))
	return n
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func up(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// join connects two namespaces by a veth pair that is up.
func join(tb testing.TB, a namespace, nameA string, b namespace, nameB string) {
	tb.Helper()
	must(tb, a.Do(func() error {
		v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: nameA}, PeerName: nameB, PeerNamespace: netlink.NsFd(int(b.ns))}
		if err := netlink.LinkAdd(v); err != nil {
			return err
		}
		return up(nameA)
	}))
	must(tb, b.Do(func() error { return up(nameB) }))
}

// address gives an interface an address in CIDR.
func address(tb testing.TB, n namespace, name, cidr string) {
	tb.Helper()
	must(tb, n.Do(func() error {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(cidr)
		if err != nil {
			return err
		}
		return netlink.AddrAdd(l, a)
	}))
}

// bridge puts interfaces of a namespace on a new bridge.
func bridge(tb testing.TB, n namespace, name string, ports ...string) {
	tb.Helper()
	must(tb, n.Do(func() error {
		br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}
		if err := netlink.LinkAdd(br); err != nil {
			return err
		}
		for _, p := range ports {
			l, err := netlink.LinkByName(p)
			if err != nil {
				return err
			}
			if err := netlink.LinkSetMaster(l, br); err != nil {
				return err
			}
		}
		return netlink.LinkSetUp(br)
	}))
}

// sender sends raw frames out of an interface.
type sender struct {
	fd int
	to unix.SockaddrLinklayer
}

func newSender(tb testing.TB, n namespace, name string) *sender {
	tb.Helper()
	s := &sender{}
	must(tb, n.Do(func() (err error) {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		s.to = unix.SockaddrLinklayer{Ifindex: i.Index}
		s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	}))
	tb.Cleanup(func() { _ = unix.Close(s.fd) })
	return s
}

func (s *sender) send(tb testing.TB, frame []byte) {
	tb.Helper()
	if err := unix.Sendto(s.fd, frame, 0, &s.to); err != nil {
		tb.Errorf("send frame: %v", err)
	}
}

func down(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetDown(l)
}
