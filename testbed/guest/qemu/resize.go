package qemu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

var (
	_ guest.Pausable = (*instance)(nil)
	_ guest.Resizer  = (*instance)(nil)
	_ guest.Killer   = (*instance)(nil)
)

// Pause implements guest.Pausable (QMP stop). QEMU's event STOP is what is recorded.
func (i *instance) Pause(ctx context.Context) error {
	vm := i.running()
	if err := vm.mon.Execute(ctx, "stop", nil, nil); err != nil {
		return fmt.Errorf("pause the guest on %s: %w", vm.host.Name(), err)
	}
	return nil
}

// Resume implements guest.Pausable (QMP cont). QEMU's event RESUME is what is recorded.
func (i *instance) Resume(ctx context.Context) error {
	vm := i.running()
	if err := vm.mon.Execute(ctx, "cont", nil, nil); err != nil {
		return fmt.Errorf("resume the guest on %s: %w", vm.host.Name(), err)
	}
	return nil
}

// Kill implements guest.Killer.
func (i *instance) Kill() error {
	vm := i.running()
	if err := vm.proc.Kill(); err != nil {
		return fmt.Errorf("kill qemu on %s: %w", vm.host.Name(), err)
	}
	return nil
}

// balloonPoll is how often the balloon is asked for its size: QEMU's event BALLOON_CHANGE comes once a second at most.
const balloonPoll = 20 * time.Millisecond

// SetMemory implements guest.Resizer (QMP balloon, query-balloon). The balloon moves once the guest's driver runs, and not before. What it
// takes is given back to the host page by page, from a memory file too, but for memory on huge pages and for a memory file
// that is mapped privately: from the latter nothing may be taken.
func (i *instance) SetMemory(ctx context.Context, b int64) (int64, error) {
	vm := i.running()
	problem := func(err error) error {
		return fmt.Errorf("give the guest on %s %d B of memory: %w", vm.host.Name(), b, err)
	}
	if b <= 0 || b > i.spec.Memory {
		return 0, problem(fmt.Errorf("it can have up to %d B", i.spec.Memory))
	}
	has, err := vm.balloon(ctx)
	if err != nil {
		return 0, problem(err)
	}
	if vm.private && b < has {
		return has, problem(errors.New("its memory is a file that others read, so nothing can be taken: restore it eagerly"))
	}
	if err := vm.mon.Execute(ctx, "balloon", map[string]int64{"value": b}, nil); err != nil {
		return has, problem(err)
	}
	has, err = vm.followed(ctx, b)
	vm.rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: vm.host.Name(), Source: results.SourceQMP, Name: results.GuestMemoryGiven,
		Value: float64(has), Unit: results.Bytes, Attrs: map[string]string{"asked": strconv.FormatInt(b, 10)},
	})
	if err != nil {
		return has, problem(fmt.Errorf("it has %d B: %w: does it have a balloon driver that runs?", has, err))
	}
	return has, nil
}

// followed waits until the guest has b, less than a page apart, and returns what it has then or at the end of ctx.
func (vm *machine) followed(ctx context.Context, b int64) (has int64, err error) {
	const page = 4096
	for {
		has, err = vm.balloon(context.WithoutCancel(ctx))
		if err != nil || has-b < page && b-has < page {
			return has, err
		}
		select {
		case <-ctx.Done():
			return has, ctx.Err()
		case <-vm.proc.Done():
			return has, errEnded
		case <-time.After(balloonPoll):
		}
	}
}

// balloon is QAPI BalloonInfo's actual (qapi/machine.json): B that are left to the guest.
func (vm *machine) balloon(ctx context.Context) (int64, error) {
	var info struct {
		Actual *int64 `json:"actual"`
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	err := vm.mon.Execute(ctx, "query-balloon", nil, &info)
	if err == nil && info.Actual == nil {
		err = errors.New("query-balloon does not say what the guest has")
	}
	if err != nil {
		return 0, err
	}
	return *info.Actual, nil
}

// hotpluggable is the part of QAPI HotpluggableCPU (qapi/machine.json) that virtscope reads.
type hotpluggable struct {
	Type  *string        `json:"type"`
	Count *int           `json:"vcpus-count"`
	Props map[string]any `json:"props"`
	Path  *string        `json:"qom-path"` // of one that is plugged in
}

// AddVCPUs implements guest.Resizer (QMP query-hotpluggable-cpus, device_add). A guest to which vCPUs were added has devices
// that its Spec does not name: it can be neither migrated nor saved, and both are refused from then on.
func (i *instance) AddVCPUs(ctx context.Context, n int) error {
	vm := i.running()
	problem := func(err error) error {
		return fmt.Errorf("give the guest on %s %d vCPUs: %w", vm.host.Name(), n, err)
	}
	if most := max(i.spec.VCPUs, i.spec.Start.MaxVCPUs); n > most {
		return problem(fmt.Errorf("it can have up to %d", most))
	}
	var slots []hotpluggable
	if err := vm.mon.Execute(ctx, "query-hotpluggable-cpus", nil, &slots); err != nil {
		return problem(err)
	}
	slots, there, err := emptySlots(slots)
	if err != nil {
		return problem(err)
	}
	for _, slot := range slots {
		if there >= n {
			break
		}
		vm.grown.Store(true) // before: of a command that fails nobody knows how far it came
		args := map[string]any{"driver": *slot.Type, "id": "vcpu-" + strconv.Itoa(there)}
		for name, v := range slot.Props {
			args[name] = v
		}
		if err := vm.mon.Execute(ctx, "device_add", args, nil); err != nil {
			return problem(err)
		}
		there += *slot.Count
	}
	if there < n {
		return problem(fmt.Errorf("qemu has no place for more than %d", there))
	}
	return nil
}

// unlikeSpec refuses what needs another QEMU to be made by the Spec.
func (vm *machine) unlikeSpec(feature string) error {
	if !vm.grown.Load() {
		return nil
	}
	return &guest.NotSupportedError{
		Feature: feature + " of a guest to which vCPUs were added", Where: "driver " + Name,
		Remedy: "add them after it, or give the guest all vCPUs from the start (guest.vcpus)",
	}
}

// emptySlots returns the places where nothing is plugged in, the lowest first (QEMU lists the highest first), and how many vCPUs
// there are in the others.
func emptySlots(all []hotpluggable) (empty []hotpluggable, there int, err error) {
	for _, s := range slices.Backward(all) {
		if s.Type == nil || s.Count == nil || *s.Count < 1 {
			return nil, 0, errors.New("query-hotpluggable-cpus does not say what goes where")
		}
		if s.Path == nil {
			empty = append(empty, s)
			continue
		}
		there += *s.Count
	}
	return empty, there, nil
}
