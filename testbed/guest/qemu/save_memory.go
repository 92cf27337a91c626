package qemu

import (
	"fmt"
	"strings"
	"virtscope/testbed/guest"
)

// memoryID is the name of the guest's memory in QEMU's streams (default-ram-id of query-machines): a guest whose memory is a file takes
// the same, so that its stream fits one without.
func memoryID(s guest.Spec) string {
	if strings.HasPrefix(s.Machine, "microvm") {
		return "microvm.ram"
	}
	return "pc.ram"
}

// memoryArguments let the memory lie in a file; nothing where it is anonymous.
func memoryArguments(s guest.Spec, r role) []string {
	path, share := s.Start.MemoryFile, "on"
	if r.privateMemory != "" {
		path, share = r.privateMemory, "off"
	}
	if path == "" {
		return nil
	}
	return []string{
		"-object", fmt.Sprintf("memory-backend-file,id=%s,mem-path=%s,size=%dk,share=%s", memoryID(s), option(path), s.Memory/1024, share),
		"-machine", "memory-backend=" + memoryID(s),
	}
}

// sharedMemory is the file that a QEMU shares its guest's memory with; "" is none.
func sharedMemory(s guest.Spec, r role) string {
	if r.privateMemory != "" {
		return ""
	}
	return s.Start.MemoryFile
}
