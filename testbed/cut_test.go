package testbed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A TCP connection that a cut silences for two seconds goes on afterwards, without a byte lost.
func TestCut(t *testing.T) {
	shaped := fullConfig(t)
	shaped.Link, shaped.MigrationLink = Link{Rate: 12.5e6}, &Link{Rate: 12.5e6, Upload: 6e6}
	open := fullConfig(t)
	open.Link, open.MigrationLink = Link{}, &Link{}
	relayed := relayedConfig(t, Link{Rate: 12.5e6, Delay: 5 * time.Millisecond})
	for _, tt := range []struct {
		name, link, host string
		cfg              Config
	}{
		{"shaped", MigrationLinkName, Source, shaped},
		{"as fast as the machine", LinkName, Destination, open},
		{"relayed", LinkName, Source, relayed},
	} {
		t.Run(tt.name, func(t *testing.T) { testCut(t, tt.cfg, tt.link, tt.host) })
	}
}

func testCut(t *testing.T, cfg Config, link, host string) {
	tb := bringUp(t, cfg)
	addr := tb.LanAddr(Destination)
	if link == MigrationLinkName {
		addr = tb.MigrationAddr(Destination)
	}
	received, ended := count(t, tb, addr.String())
	before := state(t, tb, host)

	restore, err := tb.Cut(t.Context(), link, host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.Cut(t.Context(), link, host); err == nil {
		t.Error("a link was cut twice")
	}
	const down = 2 * time.Second
	time.Sleep(500 * time.Millisecond) // what was under way arrives
	atCut := received.Load()
	time.Sleep(down)
	if n := received.Load(); n != atCut {
		t.Errorf("%d B came through a cut link", n-atCut)
	}
	if during := state(t, tb, host); !slices.Equal(before, during) {
		t.Errorf("the cut changed the host:\n%s\n%s", strings.Join(before, "\n"), strings.Join(during, "\n"))
	}
	for range 2 {
		if err := restore(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); received.Load() < atCut+1e6; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the connection does not go on: %d B since the cut", received.Load()-atCut)
		}
	}
	if err := ended(); err != nil {
		t.Error(err)
	}
	if after := state(t, tb, host); !slices.Equal(before, after) {
		t.Errorf("the cut left a change:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if got, want := qdiscsOf(t, tb, host), fmt.Sprint(qdiscsOf(t, bringUp(t, again(t, cfg)), host)); fmt.Sprint(got) != want {
		t.Errorf("a mended link has %v, a new one %v", got, want)
	}
	if _, err := tb.Cut(t.Context(), link, host); err != nil {
		t.Errorf("cut a mended link: %v", err)
	}
}

// again is the same testbed under another name.
func again(t *testing.T, cfg Config) Config {
	cfg.RunID = newRunID(t)
	return cfg
}

// count sends a numbered stream from source to destination and returns how much has come in order; ended ends it, and
// tells of a broken connection or stream.
func count(t *testing.T, tb *Testbed, addr string) (received *atomic.Int64, ended func() error) {
	t.Helper()
	var l net.Listener
	err := tb.Destination().Do(func() (err error) {
		l, err = net.Listen("tcp4", net.JoinHostPort(addr, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := tb.Source().Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	received = new(atomic.Int64)
	failed := make(chan error, 2)
	var stop atomic.Bool
	go func() {
		b := make([]byte, 8<<10)
		for n := uint64(0); !stop.Load(); {
			for i := 0; i < len(b); i += 8 {
				binary.NativeEndian.PutUint64(b[i:], n)
				n++
			}
			if _, err := out.Write(b); err != nil {
				failed <- err
				return
			}
		}
		failed <- out.Close()
	}()
	go func() {
		defer in.Close()
		b := make([]byte, 8<<10)
		for want := uint64(0); ; {
			if _, err := io.ReadFull(in, b); err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				failed <- err
				return
			}
			for i := 0; i < len(b); i += 8 {
				if got := binary.NativeEndian.Uint64(b[i:]); got != want {
					failed <- fmt.Errorf("number %d came, %d was due", got, want)
					return
				}
				want++
			}
			received.Add(int64(len(b)))
		}
	}()
	for deadline := time.Now().Add(30 * time.Second); received.Load() < 1e6; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %d B came before the cut", received.Load())
		}
	}
	return received, func() error {
		stop.Store(true)
		return errors.Join(<-failed, <-failed)
	}
}

// state is what a cut must not change at a host: its links' carriers, addresses, routes and neighbours.
func state(t *testing.T, tb *Testbed, name string) (list []string) {
	t.Helper()
	h, err := tb.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	within(t, h, func(nl *netlink.Handle) error {
		links, err := nl.LinkList()
		for _, l := range links {
			list = append(list, fmt.Sprintf("link %s %#x %v", l.Attrs().Name, l.Attrs().RawFlags, l.Attrs().OperState))
		}
		addrs, addrErr := nl.AddrList(nil, unix.AF_INET)
		for _, a := range addrs {
			list = append(list, "address "+a.String())
		}
		routes, routeErr := nl.RouteList(nil, unix.AF_INET)
		for _, r := range routes {
			list = append(list, "route "+r.String())
		}
		neighbours, neighbourErr := nl.NeighList(0, unix.AF_INET)
		for _, n := range neighbours {
			list = append(list, fmt.Sprintf("neighbour %s %v", n.String(), n.State))
		}
		return errors.Join(err, addrErr, routeErr, neighbourErr)
	})
	slices.Sort(list)
	return list
}

func qdiscsOf(t *testing.T, tb *Testbed, name string) (list []string) {
	t.Helper()
	h, err := tb.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	within(t, h, func(nl *netlink.Handle) error {
		for _, device := range []string{uplinkName, migName} {
			l, err := nl.LinkByName(device)
			if err != nil {
				continue // without a migration link
			}
			qdiscs, err := nl.QdiscList(l)
			if err != nil {
				return err
			}
			for _, q := range qdiscs {
				list = append(list, device+" "+q.Type())
				if tbf, ok := q.(*netlink.Tbf); ok {
					list = append(list, fmt.Sprintf("rate %d limit %d buffer %d", tbf.Rate, tbf.Limit, tbf.Buffer))
				}
			}
		}
		return nil
	})
	return list
}

func TestCutOfNothing(t *testing.T) {
	cfg := fullConfig(t)
	cfg.MigrationLink = nil
	tb := bringUp(t, cfg)
	for _, tt := range []struct{ link, host string }{
		{MigrationLinkName, Source}, {LinkName, "sw"}, {"cable", Source}, {LinkName, ""},
	} {
		if _, err := tb.Cut(t.Context(), tt.link, tt.host); err == nil {
			t.Errorf("cut %s of %q", tt.link, tt.host)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tb.Cut(ctx, LinkName, Source); !errors.Is(err, context.Canceled) {
		t.Errorf("cut after the end of its context: %v", err)
	}
}

// A host that is cut off does not hear the others either.
func TestCutIsBothWays(t *testing.T) {
	tb := bringUp(t, fullConfig(t))
	restore, err := tb.Cut(t.Context(), LinkName, Client)
	if err != nil {
		t.Fatal(err)
	}
	listen := func(tb *Testbed) net.PacketConn {
		var conn net.PacketConn
		err := tb.Client().Do(func() (err error) {
			conn, err = net.ListenPacket("udp4", net.JoinHostPort(tb.LanAddr(Client).String(), "0"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	in := listen(tb)
	defer in.Close()
	out, err := tb.Source().Dial(t.Context(), "udp", in.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	heard := func(long time.Duration) bool {
		if _, err := out.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_ = in.SetReadDeadline(time.Now().Add(long))
		_, _, err := in.ReadFrom(make([]byte, 10))
		return err == nil
	}
	if heard(200 * time.Millisecond) {
		t.Error("a host that is cut off hears")
	}
	if err := restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !heard(10 * time.Second) {
		t.Error("a host that was mended does not hear")
	}
}
