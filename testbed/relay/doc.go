// Package relay carries Ethernet frames between two TAP devices with delay, jitter and random loss: a link for kernels
// that have no netem.
//
// It runs in a process of its own, this program again. Its threads then share no garbage collector, no locks and no
// allocator with the controller, whose pauses would otherwise become the link's; they run before all ordinary threads
// (SCHED_FIFO) where the machine allows it; and the process's CPU time is visible as any other's.
//
// What a link loses, and what it could not hold, is counted, and every frame's lateness is measured.
package relay
