package main

import "virtscope/testbed/guest/agent"

// A bootLog notes how the guest started: ns of CLOCK_MONOTONIC, 0 is not known.
type bootLog struct {
	init, modules, networkBegin, network, agent int64
}

// report adds what the kernel's log says. Where the log cannot be read, why says so, and those times are unknown.
func (b bootLog) report() (boot *agent.Boot, why error) {
	boot = &agent.Boot{Init: known(b.init), Modules: known(b.modules), NetworkBegin: known(b.networkBegin), Network: known(b.network), Agent: known(b.agent)}
	log, err := readKernelLog()
	if err != nil {
		return boot, err
	}
	boot.Kernel, boot.KernelEnd, boot.Line, boot.LogBound = log.first, log.end, log.endLine, log.bound
	return boot, nil
}

func known(t int64) *int64 {
	if t == 0 {
		return nil
	}
	return &t
}
