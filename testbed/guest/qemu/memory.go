package qemu

import (
	"fmt"
	"virtscope/testbed/guest"
)

// memoryArguments are the object that is the guest's memory and the machine's option that names it; both are empty for
// ordinary anonymous memory. The object has the name that the machine's own memory has, so that the stream of a migration
// is the same with and without it.
//
// A file that is mapped privately is opened for reading alone (rom=off keeps the guest's memory writable; QEMU 8.2): a
// balloon would otherwise punch holes into it.
func memoryArguments(s guest.Spec, b board, f files, r role) (object []string, machine string) {
	size := fmt.Sprintf(",id=%s,size=%d", b.ram, s.Memory)
	var kind string
	switch start := s.Start; {
	case r.privateMemory != "":
		kind = "memory-backend-file" + size + ",share=off,readonly=on,rom=off,mem-path=" + option(r.privateMemory)
	case start.MemoryFile != "":
		kind = "memory-backend-file" + size + ",share=on,mem-path=" + option(f.memory)
	case start.HugePages > 0:
		kind = fmt.Sprintf("memory-backend-memfd%s,share=off,hugetlb=on,hugetlbsize=%d", size, start.HugePages)
	case start.Prealloc:
		kind = "memory-backend-ram" + size
	default:
		return nil, ""
	}
	if s.Start.Prealloc && !r.restored {
		kind += ",prealloc=on"
	}
	return []string{"-object", kind}, ",memory-backend=" + b.ram
}
