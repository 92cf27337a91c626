package qemu

import "virtscope/testbed/guest"

// A role is how a QEMU begins. The zero value boots the guest.
type role struct {
	incoming bool // it waits for a stream, on -incoming defer
	// restored says that the stream is a saved guest's, and no migration's: the guest's own binary runs, as the source.
	restored bool
	// privateMemory is the path of a memory file that is mapped privately: it is read, and never written. "" is Spec.Start.MemoryFile.
	privateMemory string
}

// name is guest.Process.Role.
func (r role) name() string {
	if r.incoming && !r.restored {
		return "destination"
	}
	return "source"
}

func (r role) binary(s guest.Spec) string {
	if r.incoming && !r.restored {
		return destinationBinaryOf(s)
	}
	return binaryOf(s)
}
