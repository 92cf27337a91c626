package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"virtscope/testbed/host"
	"virtscope/testbed/relay"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// scratchDevice is where frames of the n-th scratch link are sent; scratchPeer is where they come out.
func scratchDevice(n int) string       { return fmt.Sprintf("try%d", n) }
func scratchPeer(device string) string { return device + "peer" }

// A scratch is links between devices of one namespace.
type scratch struct {
	relay *relay.Relay // nil with netem
	end   func() error
}

// makeScratch makes links in the calling thread's namespace, which goes when the caller has ended. They have no rate.
func makeScratch(ctx context.Context, cfg Config, emulator string, links []Link) (s *scratch, err error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	defer nl.Close()
	s = &scratch{end: func() error { return nil }}
	if emulator == EmulatorRelay {
		err = s.startRelay(ctx, cfg.RelayCommand, links)
	}
	for i, l := range links {
		if err == nil && emulator == EmulatorNetem {
			l.Rate, l.Upload = 0, 0
			err = tryLink(nl, scratchDevice(i), l)
		}
		for _, name := range []string{scratchDevice(i), scratchPeer(scratchDevice(i))} {
			if err == nil {
				err = setUp(nl, name)
			}
		}
		if err == nil {
			err = waitUntilUp(ctx, nl, scratchDevice(i))
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// setUp sets a device up that holds a whole train, should nobody read it for a while: what is lost is lost by the emulator.
func setUp(nl *netlink.Handle, name string) error {
	device, err := nl.LinkByName(name)
	if err == nil {
		err = nl.LinkSetTxQLen(device, 2*lossFrames)
	}
	if err == nil {
		err = nl.LinkSetUp(device)
	}
	if err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

func waitUntilUp(ctx context.Context, nl *netlink.Handle, name string) error {
	ctx, cancel := context.WithTimeout(ctx, carrierWait)
	defer cancel()
	for {
		device, err := nl.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		if device.Attrs().RawFlags&operational == operational {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not come up: %w", name, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

func (s *scratch) startRelay(ctx context.Context, command []string, links []Link) error {
	here := filepath.Join("/proc", strconv.Itoa(os.Getpid()), "task", strconv.Itoa(unix.Gettid()), "ns/net")
	var list []relay.Link
	for i, l := range links {
		a, b := relay.Port{Namespace: here, Name: scratchDevice(i)}, relay.Port{Namespace: here, Name: scratchPeer(scratchDevice(i))}
		list = append(list, l.relayLink(a.Name, a, b, uint64(time.Now().UnixNano())))
	}
	machine, err := host.NewLocal("machine")
	if err != nil {
		return err
	}
	r, err := relay.Start(ctx, machine, command, list)
	if err != nil {
		return errors.Join(err, machine.Close())
	}
	s.relay, s.end = r, func() error { return errors.Join(r.Close(ctx), machine.Close()) }
	return nil
}

// urgent is whether the relay's threads run before ordinary ones.
func (s *scratch) urgent(ctx context.Context) (string, error) {
	stats, err := s.relay.Stats(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range stats {
		if !d.Urgent {
			return "no: a machine that is busy makes frames late: run as root on two CPUs or more", nil
		}
	}
	return "yes", nil
}
