package testbed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"virtscope/testbed/guest"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// makeTap makes a tap in the network of the calling thread. A persistent one outlives this call. QEMU opens
// it with the same flags: virtio headers carry the guest's offloads.
func makeTap(name string, persistent bool) error {
	f, err := openTap(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if !persistent {
		return nil
	}
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TUNSETPERSIST, 1); err != nil {
		return fmt.Errorf("make tap %s persistent: %w", name, err)
	}
	return nil
}

// openTap makes a tap that lives as long as the file.
func openTap(name string) (*os.File, error) {
	f, err := os.OpenFile(tunDevice, os.O_RDWR, 0)
	if err != nil {
		return nil, tunError(err)
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, ifr)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make tap %s: %w", name, err), f.Close())
	}
	return f, nil
}

func tunError(err error) error {
	remedy := "run as root"
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		remedy = "load it with modprobe tun; in a container, pass " + tunDevice + " in"
	}
	return &guest.NotSupportedError{Feature: "tap device", Where: "this machine", Remedy: remedy, Err: err}
}
