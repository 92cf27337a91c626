package capture

import (
	"errors"
	"testing"
	"virtscope/results"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// plug opens a tap as a hypervisor does.
func plug(tb testing.TB, n namespace, name string) (fd int) {
	tb.Helper()
	must(tb, n.Do(func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}))
	return fd
}

// addTap makes a tap in the network of the calling thread.
func addTap(name string) error {
	tap := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: name}, Mode: netlink.TUNTAP_MODE_TAP}
	if err := netlink.LinkAdd(tap); err != nil {
		return err
	}
	return up(name)
}

// A tap shows what comes from the guest, not what goes to it, and it may be unplugged and plugged again.
func TestProbeAtTap(t *testing.T) {
	n := newNamespace(t)
	err := n.Do(func() error { return addTap("tap0") })
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EPERM) {
		t.Skip("needs /dev/net/tun: ", err)
	}
	must(t, err)
	c := Config{
		Name: results.SourceCapturePrefix + "src", Host: "src", In: n, Interface: "tap0",
		Ports: map[string]string{"tap0": "src"}, GuestMAC: guestMAC, RingBytes: 2 << 20,
	}
	log := observe(t, c, func() {
		for range 2 {
			fd := plug(t, n, "tap0")
			to := newSender(t, n, "tap0")
			for i := range 10 {
				if _, err := unix.Write(fd, numbered(100, i)); err != nil {
					t.Fatalf("write to tap: %v", err)
				}
				to.send(t, numbered(60, i))
			}
			must(t, unix.Close(fd))
		}
	})
	frames := log.named(results.GuestFrame)
	if len(frames) != 20 {
		t.Fatalf("%d frames, want 20", len(frames))
	}
	for _, f := range frames {
		if f.Value != 100 || f.Attrs["port"] != "src" || f.Source != "capture/src" {
			t.Fatalf("got %+v", f)
		}
	}
	if got := log.named(results.CaptureFrames); got[0].Value != 20 {
		t.Fatalf("got %+v", got)
	}
}
