package qemu

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

type capability struct {
	Name  string `json:"capability"`
	State bool   `json:"state"`
}

// setCapabilities sets them in one command, since some need others.
func setCapabilities(ctx context.Context, m *Monitor, states map[string]bool) error {
	list := make([]capability, 0, len(states))
	for _, name := range slices.Sorted(maps.Keys(states)) {
		list = append(list, capability{name, states[name]})
	}
	return m.Execute(ctx, "migrate-set-capabilities", map[string]any{"capabilities": list}, nil)
}

// configure sets what is in to, and takes back what an earlier migration set: a guest that goes back is sent by the QEMU that
// received it.
func (vm *machine) configure(ctx context.Context, to side) error {
	states := maps.Clone(to.capabilities)
	var now []capability
	if err := vm.mon.Execute(ctx, "query-migrate-capabilities", nil, &now); err != nil {
		return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
	}
	for _, c := range now {
		if _, wanted := states[c.Name]; c.State && !wanted {
			states[c.Name] = false
		}
	}
	if err := setCapabilities(ctx, vm.mon, states); err != nil {
		return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
	}
	if vm.defaults == nil {
		if err := vm.mon.Execute(ctx, "query-migrate-parameters", nil, &vm.defaults); err != nil {
			return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
		}
	}
	values, err := typedParameters(to.parameters, vm.defaults)
	if err != nil {
		return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
	}
	for name, v := range vm.defaults {
		if _, wanted := values[name]; !wanted && vm.told[name] {
			values[name] = v
		}
	}
	if err := vm.mon.Execute(ctx, "migrate-set-parameters", values, nil); err != nil {
		return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
	}
	if vm.told == nil {
		vm.told = map[string]bool{}
	}
	for name := range values {
		vm.told[name] = true
	}
	return nil
}
