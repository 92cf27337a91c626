// Package checkpoint keeps saved guests: a catalogue of checkpoints in a folder, sockets that take a guest's state and serve it,
// and a vault that saves a trial's guest and brings it back.
//
// A checkpoint is a folder that appears under its name only when all of it is on disk, and never changes afterwards. What was
// written is known by its SHA-256; nothing is given to a hypervisor before it was read back and found as written.
package checkpoint
