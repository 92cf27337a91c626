// Package guesttest holds the scripted driver and the conformance suite that every driver passes.
//
// The scripted driver has no hypervisor. Its guest is a process on the host that opens the guest's tap itself,
// answers ARP and UDP echo, speaks the agent's protocol, and goes silent for exactly the time that a script
// says. When it migrates, its memory is sent to a second process on the destination; the first closes its gate
// at an agreed instant of CLOCK_MONOTONIC, and the second opens its own at another. Both measure what they
// did. While it runs it also sends a beacon every 250 µs, so that its silence on the wire is as long as its gate is closed.
// It is the ground truth of virtscope's instruments.
package guesttest
