// Package image finds a Linux kernel and makes the initramfs of the built-in guest: its init, which is
// cmd/guest, and exactly the modules that this kernel needs for virtio-net and virtio-serial.
package image
