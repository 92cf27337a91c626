package ready

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink"
)

// The client's sockets are in its own network: the same address answers there, and nobody here.
func TestInNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a network namespace")
	}
	name := fmt.Sprintf("ready-test-%d", os.Getpid())
	if err := host.CreateNamespace(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.DeleteNamespace(t.Context(), name) })
	h, err := host.NewNetns("client", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	var datagrams *net.UDPConn
	var greeter net.Listener
	err = h.Do(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			return err
		}
		if datagrams, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 3, 3, 3), Port: 7}); err != nil {
			return err
		}
		greeter, err = net.Listen("tcp4", "127.3.3.3:22")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	defer greeter.Close()
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := datagrams.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = datagrams.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	go func() {
		for {
			conn, err := greeter.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			time.AfterFunc(time.Second, func() { _ = conn.Close() })
		}
	}()
	w, log := waiter(t, Config{In: h})
	for _, method := range []string{Echo, SSH} {
		if err := w.Await(t.Context(), Target{Method: method, Addr: netip.MustParseAddr("127.3.3.3")}, log); err != nil {
			t.Error(err)
		}
	}
	if n := len(log.named(results.BootAnswer)); n != 2 {
		t.Errorf("%d answers", n)
	}
}
