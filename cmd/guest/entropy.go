package main

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"unsafe"
)

// Requests of linux/random.h, random(4).
const (
	rndAddEntropy = 0x40085203
	rndReseedCRNG = 0x5207
)

// A poolInfo is struct rand_pool_info with room for a seed.
type poolInfo struct {
	bits, size int32
	data       [8]byte
}

// stirEntropy mixes the seed into the kernel's entropy pool and has its generator take from the pool at once: clones of one saved
// guest would else draw the same numbers until the kernel reseeds by itself. The seed is counted as entropy, which it is to
// whoever does not know the experiment's file.
func stirEntropy(seed uint64) error {
	fd, err := syscall.Open("/dev/urandom", syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("stir entropy pool: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	info := poolInfo{bits: 64, size: 8}
	binary.LittleEndian.PutUint64(info.data[:], seed)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), rndAddEntropy, uintptr(unsafe.Pointer(&info))); errno != 0 {
		return fmt.Errorf("stir entropy pool: %w", errno)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), rndReseedCRNG, 0); errno != 0 {
		return fmt.Errorf("reseed random numbers: %w", errno)
	}
	return nil
}
