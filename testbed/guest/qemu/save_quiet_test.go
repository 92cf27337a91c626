package qemu

import (
	"net"
	"testing"
	"time"
)

func TestNothingIsSaidToAGuestThatIsSaved(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	vm := new(machine)
	said := speech{ours, &vm.saves.speech}
	release := vm.quiet(t.Context())
	heard := make(chan struct{})
	go func() { // it speaks while the guest is saved
		_, _ = said.Write([]byte("x"))
	}()
	go func() {
		_, _ = theirs.Read(make([]byte, 1))
		close(heard)
	}()
	select {
	case <-heard:
		t.Error("the guest was spoken to")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	select {
	case <-heard:
	case <-time.After(10 * time.Second):
		t.Error("what was said is lost")
	}
	go func() { _, _ = said.Write([]byte("y")) }() // nobody listens
	for vm.saves.speech.TryLock() {
		vm.saves.speech.Unlock()
		time.Sleep(time.Millisecond)
	}
	vm.quiet(t.Context())() // it goes on all the same
}
