package qemu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

var (
	_ guest.Instance = (*instance)(nil)
	_ guest.Agented  = (*instance)(nil)
	_ guest.Migrator = (*instance)(nil)
)

// An instance is a guest, in one QEMU after the other.
type instance struct {
	spec  guest.Spec
	accel string
	rec   results.Recorder
	agent *agent.Client

	mu       sync.Mutex
	current  *machine
	all      []*machine // every QEMU that this guest started, to be closed
	spawned  int
	closing  bool
	done     chan struct{}
	doneOnce sync.Once
}

// spawn starts a QEMU for this guest and attaches its agent's channel. It is closed with the instance.
func (i *instance) spawn(ctx context.Context, h host.Host, r role) (*machine, error) {
	f, err := i.claim(h, r)
	if err != nil {
		return nil, err
	}
	vm, err := spawnMachine(ctx, h, i.spec, i.accel, f, r, i.rec)
	if err != nil {
		return nil, err
	}
	conn, err := vm.dialUnix(ctx, f.agent)
	if err != nil {
		err = fmt.Errorf("connect to the agent of qemu on %s: %w", h.Name(), vm.explain(err, f.stderr))
		return nil, errors.Join(err, vm.close())
	}
	vm.closers = append(vm.closers, conn)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closing {
		return nil, errors.Join(fmt.Errorf("start qemu on %s: the guest was closed", h.Name()), vm.close())
	}
	i.agent.Attach(h.Name(), speech{conn, &vm.saves.speech})
	i.all = append(i.all, vm)
	return vm, nil
}

// moveTo says that the guest runs in vm from now on.
func (i *instance) moveTo(vm *machine) {
	i.mu.Lock()
	i.current = vm
	i.mu.Unlock()
	go func() {
		<-vm.proc.Done()
		i.mu.Lock()
		gone := i.current == vm
		i.mu.Unlock()
		if gone {
			i.doneOnce.Do(func() { close(i.done) })
		}
	}()
}

func (i *instance) running() *machine {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current
}

func (i *instance) Host() host.Host       { return i.running().host }
func (i *instance) Agent() *agent.Client  { return i.agent }
func (i *instance) Done() <-chan struct{} { return i.done }

// Processes implements guest.Instance: every QEMU of the guest that still runs.
func (i *instance) Processes() []guest.Process {
	i.mu.Lock()
	defer i.mu.Unlock()
	var list []guest.Process
	for _, vm := range i.all {
		select {
		case <-vm.proc.Done():
		default:
			list = append(list, guest.Process{Host: vm.host.Name(), Role: vm.role, PID: vm.proc.PID()})
		}
	}
	return list
}

// Close implements guest.Instance. It ends every QEMU of the guest at once.
func (i *instance) Close() error {
	i.mu.Lock()
	i.closing = true
	all := i.all
	i.mu.Unlock()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, vm := range all {
		wg.Go(func() { errs[n] = vm.close() })
	}
	wg.Wait()
	i.doneOnce.Do(func() { close(i.done) })
	return errors.Join(append(errs, i.agent.Close())...)
}

// drop ends the QEMUs of this guest on h in which it does not run: a tap serves one process.
func (i *instance) drop(h host.Host) error {
	i.mu.Lock()
	var old []*machine
	for _, vm := range i.all {
		if vm != i.current && vm.host.Name() == h.Name() {
			old = append(old, vm)
		}
	}
	i.mu.Unlock()
	var errs []error
	for _, vm := range old {
		errs = append(errs, vm.close())
	}
	return errors.Join(errs...)
}
