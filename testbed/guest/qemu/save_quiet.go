package qemu

import (
	"context"
	"net"
	"sync"
	"time"
)

// A speech is the way to the guest's agent, which can be held: QEMU puts what is said into a stopped guest's memory, and a memory
// that is copied after the devices' state was written would not fit it any more.
type speech struct {
	net.Conn
	hold *sync.Mutex
}

// Write waits while a save holds it.
func (s speech) Write(p []byte) (int, error) {
	s.hold.Lock()
	defer s.hold.Unlock()
	return s.Conn.Write(p)
}

// quietLimit bounds the wait for somebody who is speaking to a guest that does not listen: it has nowhere to put it.
const quietLimit = time.Second

// quiet holds the agent's channel until release is called.
func (vm *machine) quiet(ctx context.Context) (release func()) {
	for until := time.Now().Add(quietLimit); ctx.Err() == nil && time.Now().Before(until); sleep(ctx, time.Millisecond) {
		if vm.saves.speech.TryLock() {
			return vm.saves.speech.Unlock
		}
	}
	return func() {}
}
