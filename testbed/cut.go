package testbed

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Cut cuts a host off from a link, LinkName or MigrationLinkName: what it sends on it, and what the switch sends to it, is
// lost without a word. No carrier falls, so nobody's routes or neighbours go, and TCP sees silence, not a reset. What the
// link's queues held is lost too; what the emulator has taken already still arrives, within the link's delay.
//
// Restore mends the link; it is idempotent, and Down calls it. A link that does not exist or is cut already is an error.
func (t *Testbed) Cut(ctx context.Context, link, host string) (restore func(context.Context) error, err error) {
	fail := func(err error) (func(context.Context) error, error) {
		return nil, fmt.Errorf("cut %s of %s: %w", link, host, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	e, err := t.end(link, host)
	if err != nil {
		return fail(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut[e] {
		return fail(errors.New("it is cut already: restore it first"))
	}
	if err := t.onEnds(e, silence); err != nil {
		return fail(errors.Join(err, t.mend(e)))
	}
	t.cut[e] = true
	var mended bool
	restore = func(context.Context) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mended {
			return nil
		}
		if err := t.mend(e); err != nil {
			return fmt.Errorf("mend %s of %s: %w", link, host, err)
		}
		mended = true
		delete(t.cut, e)
		return nil
	}
	t.undo.Push(fmt.Sprintf("mend %s of %s", link, host), restore)
	return restore, nil
}

func (t *Testbed) end(link, host string) (end, error) {
	for _, e := range t.ends() {
		if e.name == link && e.host == host {
			return e, nil
		}
	}
	return end{}, errors.New("there is no such link")
}

// silence makes a device lose what it should send. Its former queue is gone with what it held.
func silence(nl *netlink.Handle, device netlink.Link, _ Link) error {
	q := &netlink.GenericQdisc{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: device.Attrs().Index, Parent: netlink.HANDLE_ROOT},
		QdiscType:  "blackhole", // part of every kernel with queueing disciplines, from 4.20 on
	}
	if err := nl.QdiscReplace(q); err != nil {
		return fmt.Errorf("silence %s: %w", device.Attrs().Name, err)
	}
	return nil
}

// mend gives a link back what shapes it.
func (t *Testbed) mend(e end) error {
	return t.onEnds(e, func(nl *netlink.Handle, device netlink.Link, l Link) error {
		if len(l.qdiscs(0)) > 0 {
			return shape(nl, device, l) // it takes the place of what is there, at once
		}
		root := netlink.QdiscAttrs{LinkIndex: device.Attrs().Index, Parent: netlink.HANDLE_ROOT}
		err := nl.QdiscDel(&netlink.GenericQdisc{QdiscAttrs: root, QdiscType: "blackhole"})
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) { // it was not silenced
			return fmt.Errorf("mend %s: %w", device.Attrs().Name, err)
		}
		return nil
	})
}

// onEnds does something to both devices of a link at once, as far as two threads can.
func (t *Testbed) onEnds(e end, do func(*netlink.Handle, netlink.Link, Link) error) error {
	kernel := t.kernelPart(e.link)
	var hostErr, switchErr error
	var both sync.WaitGroup
	both.Go(func() { hostErr = t.onDevice(e.host, e.device, kernel.up(), do) })
	both.Go(func() { switchErr = t.onDevice(switchName, e.port, kernel.down(), do) })
	both.Wait()
	return errors.Join(hostErr, switchErr)
}

func (t *Testbed) onDevice(node, name string, l Link, do func(*netlink.Handle, netlink.Link, Link) error) error {
	return t.hosts[node].Do(func() error {
		nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink: %w", err)
		}
		defer nl.Close()
		device, err := nl.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		return do(nl, device, l)
	})
}
