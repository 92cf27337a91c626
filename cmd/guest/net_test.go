package main

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestAddressOf(t *testing.T) {
	for _, tt := range []struct {
		cmdline, want string
		ok, fails     bool
	}{
		{"console=ttyS0 virtscope.addr=10.77.0.10/24 quiet\n", "10.77.0.10/24", true, false},
		{"virtscope.addr=10.0.0.1/8 virtscope.addr=10.0.0.2/8", "10.0.0.2/8", true, false},
		{"quiet", "", false, false},
		{"virtscope.addr=10.77.0.10", "", false, true},
		{"virtscope.addr=fe80::1/64", "", false, true},
		{"virtscope.addr=", "", false, true},
	} {
		p, ok, err := addressOf(tt.cmdline)
		if ok != tt.ok || (err != nil) != tt.fails || ok && p.String() != tt.want {
			t.Errorf("addressOf(%q) = %v, %v, %v", tt.cmdline, p, ok, err)
		}
	}
}

func TestEcho(t *testing.T) {
	fd, err := echoSocket(0)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	go echo(fd) // until the test's process ends
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 65536)
	for _, size := range []int{1, 64, 1472, 0, 60000} {
		sent := make([]byte, size)
		for i := range sent {
			sent[i] = byte(i * 7)
		}
		if _, err := conn.Write(sent); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := conn.Read(buf)
		if err != nil || string(buf[:n]) != string(sent) {
			t.Errorf("%d B sent, %d B came back: %v", size, n, err)
		}
	}
}

func TestFindPort(t *testing.T) {
	class := t.TempDir()
	if device, err := findPort(class, "wanted"); device != "" || err != nil {
		t.Errorf("findPort in an empty class = %q, %v", device, err)
	}
	for device, name := range map[string]string{"vport1p1": "other\n", "vport2p3": "wanted\n"} {
		dir := filepath.Join(class, device)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "name"), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if device, err := findPort(class, "wanted"); device != "vport2p3" || err != nil {
		t.Errorf("findPort = %q, %v", device, err)
	}
}
