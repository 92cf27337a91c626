package main

import (
	"errors"
	"virtscope/testbed/guest/agent"
)

// builtIn is the built-in guest, whose init process this is.
type builtIn struct{}

func (builtIn) prepare(b *bootLog) error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"file systems", mountAll},
		{"huge pages off", disableHugePages},
		{"modules", loadModules},
	} {
		if err := step.do(); err != nil {
			return err
		}
		console("%s: done", step.name)
	}
	b.modules = mono()
	return nil
}

// network gives the card the address on the command line, if there is one.
func (builtIn) network(out *outbox, b *bootLog) (string, error) {
	address, ok, err := givenAddress()
	if err != nil {
		return "", err
	}
	if !ok {
		out.log("no network: the command line has no %s", addressParam)
		return "", nil
	}
	link, begun, err := networkUp(address, patience)
	if err != nil {
		return "", err
	}
	b.networkBegin, b.network = begun, mono()
	console("network: %s is up as %s", link, address)
	return address.Addr().String(), nil
}

func (builtIn) boot(b bootLog) (*agent.Boot, error) { return b.report() }

func (builtIn) units() (*agent.Units, error) {
	return nil, errors.New("read units: the built-in guest has no systemd: take an image that has")
}

func (builtIn) runs(string) error { return nil }
