package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// A region is memory whose every word is known.
type region struct {
	name        string
	seed        uint64
	layout      layout
	memory      []byte // mapped; outside the Go heap
	pages       []page
	generations []uint32 // of each page, mapped too; nil if the region is never rewritten
	table       []byte   // the memory of generations
	rewritten   uint64   // how often rewrite was called: the sum of generations
}

// newRegion maps a region of the given size, rounded up to pages, and fills it. A static one is never
// rewritten.
func newRegion(name string, bytes int64, seed uint64, l layout, static bool) (*region, error) {
	r, err := mapRegion(name, bytes, seed, l, static)
	if err != nil {
		return nil, err
	}
	r.fill()
	return r, nil
}

// mapRegion maps a region that is still to be filled.
func mapRegion(name string, bytes int64, seed uint64, l layout, static bool) (*region, error) {
	pages := (bytes + pageSize - 1) / pageSize
	if pages <= 0 {
		return nil, fmt.Errorf("map %s of %d B: want at least 1", name, bytes)
	}
	r := &region{name: name, seed: seed, layout: l}
	var err error
	r.memory, err = mapMemory(pages * pageSize)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", name, err)
	}
	r.pages = unsafe.Slice((*page)(unsafe.Pointer(&r.memory[0])), pages)
	if !static {
		r.table, err = mapMemory(pages * 4)
		if err != nil {
			r.release()
			return nil, fmt.Errorf("map generations of %s: %w", name, err)
		}
		r.generations = unsafe.Slice((*uint32)(unsafe.Pointer(&r.table[0])), pages)
	}
	return r, nil
}

// fill writes every page's first content.
func (r *region) fill() {
	for i := range r.pages {
		r.layout.write(&r.pages[i], r.content(i, 0))
	}
}

// rewrite gives page i new content.
func (r *region) rewrite(i int) {
	r.generations[i]++
	r.rewritten++
	c := r.content(i, r.generations[i])
	if r.layout.delta > 0 {
		r.layout.patch(&r.pages[i], c)
		return
	}
	r.layout.write(&r.pages[i], c)
}

// content is what page i holds in the given generation.
func (r *region) content(i int, generation uint32) content {
	return r.layout.contentOf(r.seed, i, generation)
}

func (r *region) generation(i int) uint32 {
	if r.generations == nil {
		return 0
	}
	return r.generations[i]
}

// release unmaps the region. It is idempotent.
func (r *region) release() {
	if r == nil {
		return
	}
	for _, m := range [][]byte{r.memory, r.table} {
		if m != nil {
			_ = syscall.Munmap(m) // fails only on arguments that Mmap did not give
		}
	}
	*r = region{name: r.name}
}

// reserveForSystem is left to the kernel and the agent: a guest that runs out of memory dies.
const reserveForSystem = 24 << 20

func mapMemory(bytes int64) ([]byte, error) {
	available, err := memory("MemAvailable")
	if err != nil {
		return nil, err
	}
	if bytes > available-reserveForSystem {
		return nil, fmt.Errorf("%d B wanted, %d B are available and %d B of these must stay free: ask for less or give the guest more memory",
			bytes, available, reserveForSystem)
	}
	m, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("map %d B: %w", bytes, err)
	}
	return m, nil
}

// memory reads a line of /proc/meminfo, in B.
func memory(name string) (int64, error) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("read memory size: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		value, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse %s of /proc/meminfo: %w", name, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("find %s in /proc/meminfo: no such line", name)
}
