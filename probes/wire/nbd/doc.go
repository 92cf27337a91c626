// Package nbd decodes NBD connections passively and while they pass: a storage mirror of QEMU writes the disk's blocks to the
// destination's NBD server.
//
// It is written after doc/proto.md of the NBD project and include/block/nbd.h of QEMU 7.2 to 10.0. All numbers are big
// endian. The content of blocks is skipped and never looked at, and the data path allocates nothing but what remembers
// which sectors were written: up to 24 MiB, and 4 KiB to 32 B for each 16 MiB of disk that is partly written.
package nbd
