package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"unsafe"
	"virtscope/testbed/guest/agent"
)

// A disk is written in blocks of known content: a function of a seed, the block's index and its generation, as that of
// pages.
type disk struct {
	fd          int
	block       int64
	seed        uint64
	layout      layout
	buffer      []byte // mapped, as O_DIRECT wants memory on a boundary of pages
	pages       []page
	blocks      int
	generations []uint32 // of each block; 0 was never written
	table       []byte   // the memory of generations
	writes      uint64   // the sum of generations
	unsure      int      // a block whose write failed, so that it may hold either generation; −1 is none
}

// openDisk opens the device, or a file, and takes an area of it; 0 is all.
func openDisk(path string, w *agent.Workload, flags int) (*disk, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, fmt.Errorf("open disk %s: %w", path, err)
	}
	d := &disk{fd: fd, block: w.Block, seed: w.Seed, layout: layoutFor(w.Compressibility), unsure: -1}
	if err := d.take(w.Area); err != nil {
		d.release()
		return nil, fmt.Errorf("use disk %s: %w", path, err)
	}
	return d, nil
}

// take finds how large the disk is and maps what is needed for it.
func (d *disk) take(area int64) error {
	size, err := syscall.Seek(d.fd, 0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("read its size: %w", err)
	}
	if area > size {
		return fmt.Errorf("%d B of it are to be written, it has %d B: take a smaller area", area, size)
	}
	if area == 0 {
		area = size
	}
	d.blocks = int(area / d.block)
	if d.blocks == 0 {
		return fmt.Errorf("it has %d B: less than a block, %d B", area, d.block)
	}
	if d.buffer, err = mapMemory(d.block); err != nil {
		return fmt.Errorf("map a block: %w", err)
	}
	d.pages = unsafe.Slice((*page)(unsafe.Pointer(&d.buffer[0])), d.block/pageSize)
	if d.table, err = mapMemory(int64(d.blocks) * 4); err != nil {
		return fmt.Errorf("map generations of blocks: %w", err)
	}
	d.generations = unsafe.Slice((*uint32)(unsafe.Pointer(&d.table[0])), d.blocks)
	return nil
}

// content is what page p of a block holds.
func (d *disk) content(block, p int, generation uint32) content {
	return d.layout.contentOf(d.seed, block*len(d.pages)+p, generation)
}

// write gives a block its next content and returns when it is on the disk.
func (d *disk) write(block int) (start, end int64, err error) {
	generation := d.generations[block] + 1
	for p := range d.pages {
		d.layout.write(&d.pages[p], d.content(block, p, generation))
	}
	d.unsure = block
	start = mono()
	for done := int64(0); done < d.block; {
		n, err := syscall.Pwrite(d.fd, d.buffer[done:], int64(block)*d.block+done)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return start, mono(), fmt.Errorf("write block %d of the disk: %w", block, err)
		}
		done += int64(n)
	}
	end = mono()
	d.generations[block] = generation
	d.writes++
	d.unsure = -1
	return start, end, nil
}

// release closes the disk, and is idempotent.
func (d *disk) release() {
	if d.fd >= 0 {
		_ = syscall.Close(d.fd) // every write was waited for
		d.fd = -1
	}
	for _, m := range [][]byte{d.buffer, d.table} {
		if m != nil {
			_ = syscall.Munmap(m) // fails only on arguments that Mmap did not give
		}
	}
	d.buffer, d.pages, d.table, d.generations = nil, nil, nil, nil
}

// writeDisk writes blocks at the meter's pace until stop, or until a write fails.
func writeDisk(d *disk, choose func() int, m *meter, watch *diskWatch, stop *atomic.Bool) error {
	p := pacer{meter: m}
	defer func() { watch.flush(mono()) }()
	for !stop.Load() {
		if m.pace != nil && p.due(mono()) == 0 {
			p.wait()
			watch.pass(mono())
			continue
		}
		start, end, err := d.write(choose())
		if err != nil {
			return err
		}
		m.written.Add(d.block)
		m.ops.Add(1)
		watch.wrote(start, end)
	}
	return nil
}

// prepareDisk opens the guest's disk.
func (s *server) prepareDisk(w *agent.Workload) (*part, error) {
	path, err := awaitDisk(diskSerial, patience)
	if err != nil {
		return nil, err
	}
	d, err := openDisk(path, w, syscall.O_DIRECT|syscall.O_DSYNC)
	if err != nil {
		return nil, err
	}
	m := &meter{unit: w.Block}
	if w.Rate > 0 {
		m.pace = constant(w.Rate)
	}
	watch := &diskWatch{say: s.out.reportDisk}
	run := func(stop *atomic.Bool) {
		s.yieldToAgent()
		pattern := *w
		pattern.WriteSize = 0
		if err := writeDisk(d, chooser(&pattern, d.blocks), m, watch, stop); err != nil {
			m.fail(err)
		}
	}
	return &part{meter: m, busy: 1, run: run, keeper: d}, nil
}
