// Package qemu drives QEMU over QMP: it boots a guest on a host's tap and migrates it to another host. Hypervisor
// events keep QEMU's own timestamps; every command, reply and event is kept in a transcript. Of a start that is observed,
// the bytes of the console and of the firmware's log are stamped as they arrive.
package qemu
