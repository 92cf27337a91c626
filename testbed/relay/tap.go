package relay

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// offloads of linux/if_tun.h: TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 and TUN_F_TSO_ECN.
const offloads = 1 | 2 | 4 | 8

// Longest that one read returns: a virtio header, an Ethernet header with a tag, and 64 KiB; or a frame of the MTU that
// TAP devices have.
const (
	virtioHeader = 10 // struct virtio_net_hdr
	maxFrame     = 14 + 4 + 1500
	maxSuper     = virtioHeader + 14 + 4 + 64<<10
)

// openTap makes a TAP device and returns its descriptor, which does not block. The device has a carrier and lives as long
// as the descriptor.
func openTap(p Port, offload bool) (fd int, err error) {
	done := make(chan struct{})
	go func() { // the thread is in another namespace now, and ends with the goroutine
		defer close(done)
		runtime.LockOSThread()
		fd, err = openTapHere(p, offload)
	}()
	<-done
	if err != nil {
		return -1, fmt.Errorf("make tap %s in %s: %w", p.Name, p.Namespace, err)
	}
	return fd, nil
}

func openTapHere(p Port, offload bool) (int, error) {
	ns, err := os.Open(p.Namespace)
	if err != nil {
		return -1, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("enter the namespace: %w", err)
	}
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", tunDevice, err)
	}
	if err := attach(fd, p.Name, offload); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func attach(fd int, name string, offload bool) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	flags := uint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
	if offload {
		flags |= unix.IFF_VNET_HDR
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return err
	}
	if !offload {
		return nil
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads); err != nil {
		return fmt.Errorf("let it merge frames: %w", err)
	}
	return nil
}
