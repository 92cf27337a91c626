package testbed

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Every host knows the guest, and the others, for good: no resolution that fails in an outage lengthens it.
func TestNeighbours(t *testing.T) {
	tb := bringUp(t, fullConfig(t))
	const lan, mig = "10.77.0.", "10.78.0."
	for h, want := range map[*host.Netns][]string{
		tb.Source():      {lan + "2", lan + "3", lan + "10", mig + "2"},
		tb.Destination(): {lan + "1", lan + "3", lan + "10", mig + "1"},
		tb.Client():      {lan + "1", lan + "2", lan + "10"},
	} {
		var got []string
		within(t, h, func(nl *netlink.Handle) error {
			list, err := nl.NeighList(0, unix.AF_INET)
			for _, n := range list {
				if n.State == netlink.NUD_PERMANENT {
					got = append(got, n.IP.String())
				}
			}
			return err
		})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s knows %v, want %v", h.Name(), got, want)
		}
	}
}

// What docs/links.md says of a client on the source: its frames reach the guest beside it without passing the switch, but
// for the guest's broadcasts, and reach it at the destination once it has announced itself there.
func TestClientOnSource(t *testing.T) {
	tb := bringUp(t, fullConfig(t))
	seen := watch(t, tb.Switch(), lanPort(Source))
	client, err := tb.Source().Dial(t.Context(), "udp", "10.77.0.10:7")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	atSource := plug(t, tb.Source(), tb.Tap())
	atSource.announce(t)
	seen.await(t, "the guest's announcement", isBroadcast)
	exchange(t, atSource, client)
	if n := seen.count(isUDP); n > 0 {
		t.Errorf("the switch saw %d datagrams between a guest and a client on one host", n)
	}

	atDestination := plug(t, tb.Destination(), tb.Tap())
	atDestination.announce(t)
	time.Sleep(100 * time.Millisecond) // it passes two bridges
	exchange(t, atDestination, client)
	seen.await(t, "a datagram to the guest at the destination", isUDP)
}

// exchange sends a datagram to the guest at a tap and its answer back.
func exchange(t *testing.T, at *guestTap, client net.Conn) {
	t.Helper()
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	frame := at.await(t)
	answer := slices.Clone(frame)
	copy(answer, frame[6:12])
	copy(answer[6:], frame[:6])
	copy(answer[26:], frame[30:34]) // addresses and ports change sides: the checksums stay right
	copy(answer[30:], frame[26:30])
	copy(answer[34:], frame[36:38])
	copy(answer[36:], frame[34:36])
	if _, err := at.file.Write(answer); err != nil {
		t.Fatal(err)
	}
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 10)
	if n, err := client.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("the answer is %q, %v", b[:n], err)
	}
}

// A guestTap is a tap as a guest has it.
type guestTap struct {
	file *os.File
	mac  net.HardwareAddr
}

// plugAs plugs a guest of many in.
func plugAs(t *testing.T, h *host.Netns, nic guest.NIC) *guestTap {
	t.Helper()
	g := plug(t, h, nic.Tap)
	mac, err := net.ParseMAC(nic.MAC)
	if err != nil {
		t.Fatal(err)
	}
	g.mac = mac
	return g
}

func plug(t *testing.T, h *host.Netns, name string) *guestTap {
	t.Helper()
	g := &guestTap{mac: guestHardwareAddr(t)}
	err := h.Do(func() error {
		fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		g.file = os.NewFile(uintptr(fd), name)
		ifr, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		return errors.Join(unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr), unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	// os.NewFile asked for the poller before the tap was attached; a new descriptor is asked anew.
	fd, err := unix.Dup(int(g.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	g.file.Close()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	g.file = os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { g.file.Close() })
	within(t, h, func(nl *netlink.Handle) error {
		for deadline := time.Now().Add(carrierWait); ; time.Sleep(time.Millisecond) {
			l, err := nl.LinkByName(name)
			if err != nil {
				return err
			}
			if l.Attrs().RawFlags&operational == operational {
				return nil
			}
			if time.Now().After(deadline) {
				return errors.New("the tap does not come up")
			}
		}
	})
	return g
}

// announce sends a broadcast from the guest's MAC, as QEMU does when a guest has arrived.
func (g *guestTap) announce(t *testing.T) {
	t.Helper()
	frame := make([]byte, 60)
	copy(frame, bytes.Repeat([]byte{0xff}, 6))
	copy(frame[6:], g.mac)
	frame[12], frame[13] = 0x80, 0x35 // RARP
	if _, err := g.file.Write(frame); err != nil {
		t.Fatal(err)
	}
}

func guestHardwareAddr(t *testing.T) net.HardwareAddr {
	mac, err := net.ParseMAC(guestMAC)
	if err != nil {
		t.Fatal(err)
	}
	return mac
}

// await returns the next datagram to the guest.
func (g *guestTap) await(t *testing.T) []byte {
	t.Helper()
	if err := g.file.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 2000); ; {
		n, err := g.file.Read(b)
		if err != nil {
			t.Fatalf("no datagram reached the guest: %v", err)
		}
		if isUDP(b[:n]) && bytes.Equal(b[:6], g.mac) {
			return b[:n]
		}
	}
}

func isUDP(frame []byte) bool {
	return len(frame) > 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == unix.IPPROTO_UDP
}
func isBroadcast(frame []byte) bool { return len(frame) > 6 && frame[0] == 0xff }

// A watcher sees the frames at a device.
type watcher struct {
	fd     int
	frames [][]byte
}

func watch(t *testing.T, h *host.Netns, device string) *watcher {
	t.Helper()
	w := &watcher{}
	err := h.Do(func() error {
		iface, err := net.InterfaceByName(device)
		if err != nil {
			return err
		}
		const all = 0x0300 // ETH_P_ALL in network order
		w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return errors.Join(err, unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: iface.Index}))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(w.fd) })
	return w
}

func (w *watcher) count(match func([]byte) bool) (n int) {
	for b := make([]byte, 2000); ; {
		size, _, err := unix.Recvfrom(w.fd, b, 0)
		if err != nil {
			break
		}
		w.frames = append(w.frames, slices.Clone(b[:size]))
	}
	for _, f := range w.frames {
		if match(f) {
			n++
		}
	}
	return n
}

func (w *watcher) await(t *testing.T, what string, match func([]byte) bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); w.count(match) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the switch did not see %s", what)
		}
	}
}
