package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"syscall"
	"unsafe"
	"virtscope/testbed/guest/agent"
)

// A store holds values of keys 0 to n−1, each in a place of its own, outside the Go heap. The check sum and the number of
// writes of each lie elsewhere than it, so that a page of either that is stale or damaged is found. One thread uses it.
type store struct {
	size   int    // B of the longest value, and of its place
	values []byte // mapped
	table  []byte // mapped: the memory of slots
	slots  []valueSlot
	live   int64  // keys that have a value
	writes uint64 // the sum of the slots' writes
}

type valueSlot struct {
	length int32 // B; absent without a value
	sum    uint32
	writes uint32
}

const absent = -1

// castagnoli has an instruction on amd64.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newStore maps a store and gives every key its first value.
func newStore(keys int, size int64) (*store, error) {
	s := &store{size: int(size)}
	var err error
	if s.values, err = mapMemory(int64(keys) * size); err != nil {
		return nil, fmt.Errorf("map values: %w", err)
	}
	if s.table, err = mapMemory(int64(keys) * int64(unsafe.Sizeof(valueSlot{}))); err != nil {
		s.release()
		return nil, fmt.Errorf("map table of values: %w", err)
	}
	s.slots = unsafe.Slice((*valueSlot)(unsafe.Pointer(&s.table[0])), keys)
	for i := range s.slots {
		place := s.place(i)
		agent.FillValue(place, uint64(i), 0)
		s.slots[i] = valueSlot{length: int32(size), sum: crc32.Checksum(place, castagnoli)}
	}
	s.live = int64(keys)
	return s, nil
}

func (s *store) place(key int) []byte { return s.values[key*s.size : (key+1)*s.size] }

// key parses a key's name, "key:" and its number; ok is false if there is no such key.
func (s *store) key(name []byte) (key int, ok bool) {
	digits, found := bytes.CutPrefix(name, []byte("key:"))
	key, ok = parseDigits(digits)
	return key, found && ok && key < len(s.slots)
}

// get returns a key's value, which is valid until the next write; ok is false if it has none.
func (s *store) get(key int) (value []byte, ok bool) {
	n := s.slots[key].length
	if n == absent {
		return nil, false
	}
	return s.place(key)[:n], true
}

// set stores a value that is not too long.
func (s *store) set(key int, value []byte) {
	if s.slots[key].length == absent {
		s.live++
	}
	s.write(key, value, int32(len(value)))
}

// drop deletes a key and reports whether it had a value.
func (s *store) drop(key int) bool {
	if s.slots[key].length == absent {
		return false
	}
	s.live--
	s.write(key, nil, absent)
	return true
}

func (s *store) write(key int, value []byte, length int32) {
	place := s.place(key)
	clear(place[copy(place, value):])
	s.slots[key] = valueSlot{length: length, sum: crc32.Checksum(place, castagnoli), writes: s.slots[key].writes + 1}
	s.writes++
}

// verify checks every place against its check sum. No request may be under way.
func (s *store) verify(f *findings) {
	if s.values == nil {
		return
	}
	f.checked(int64(len(s.values)))
	var (
		pages, keys   int64
		first, broken = int64(-1), -1
		last          = int64(-1) // page that was counted
		writes        uint64
	)
	for i := range s.slots {
		writes += uint64(s.slots[i].writes)
		if crc32.Checksum(s.place(i), castagnoli) == s.slots[i].sum {
			continue
		}
		from, to := int64(i*s.size/pageSize), int64(((i+1)*s.size-1)/pageSize)
		if keys == 0 {
			first, broken = from, i
		}
		keys++
		pages += to - max(from, last+1) + 1
		last = to
	}
	if keys > 0 {
		f.corrupt(pages, first, "values: %d of %d are wrong, on as many as %d pages; the first is key:%d", keys, len(s.slots), pages, broken)
	}
	if writes != s.writes {
		f.corrupt(1, 0, "values: their writes add up to %d after %d", writes, s.writes)
	}
}

func (s *store) release() {
	for _, m := range [][]byte{s.values, s.table} {
		if m != nil {
			_ = syscall.Munmap(m) // fails only on arguments that Mmap did not give
		}
	}
	s.values, s.table, s.slots = nil, nil, nil
}
