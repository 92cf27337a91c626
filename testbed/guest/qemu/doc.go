// Package qemu drives QEMU over QMP: it boots a guest on a host's tap and migrates it to another host. Hypervisor
// events keep QEMU's own timestamps; every command, reply and event is kept in a transcript.
package qemu
