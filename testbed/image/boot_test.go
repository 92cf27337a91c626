package image_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/image"
)

// TestGuestBoots boots the real image in QEMU and asks the agent for everything it can do.
func TestGuestBoots(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest: left out by -short")
	}
	qemu, img := buildImage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	port := freePort(t)
	conn := boot(ctx, t, qemu, img, fmt.Sprintf("hostfwd=udp:127.0.0.1:%d-10.0.2.15:7", port))

	var beats beats
	c := agent.NewClient(beats.take)
	c.Attach("src", conn)
	defer c.Close()
	hello, err := c.Hello(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if hello.Kernel != img.Release || hello.CPUs != 1 || hello.MemoryTotal < 128<<20 {
		t.Errorf("hello is %+v, want Linux %s, 1 CPU and most of 256 MiB", hello, img.Release)
	}
	echoes(ctx, t, port)

	if err := c.Reserve(ctx, agent.Memory{Bytes: 4 << 20, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx, agent.Workload{Kind: "dirty", Rate: 8 << 20, WorkingSet: 4 << 20, Pattern: "random", Compressibility: 0.5}); err != nil {
		t.Fatal(err)
	}
	beats.await(ctx, t, 20)
	progress, err := c.Stop(ctx)
	if err != nil || progress.Dirtied == 0 {
		t.Errorf("progress is %+v, %v", progress, err)
	}
	if verdict, err := c.Verify(ctx); err != nil || verdict != (agent.Verdict{Verified: 8 << 20}) {
		t.Errorf("verdict is %+v, %v, want 8 MiB intact", verdict, err)
	}
	if c.Garbage() != 0 {
		t.Errorf("%d lines were no message", c.Garbage())
	}
}

// buildImage finds QEMU and builds the real image.
func buildImage(t *testing.T) (qemu string, img image.Image) {
	t.Helper()
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("needs QEMU:", err)
	}
	kernel, err := image.FindKernel("")
	if err != nil {
		t.Skip("needs a guest kernel:", err)
	}
	init, err := image.FindInit(filepath.Join(t.TempDir(), "virtscope"))
	if err != nil {
		t.Skip("needs the guest's init:", err)
	}
	img, err = image.Build(t.Context(), image.Options{Kernel: kernel, Init: init, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return qemu, img
}

// boot starts the guest and connects to its agent's port. The guest ends with the test.
func boot(ctx context.Context, t *testing.T, qemu string, img image.Image, forward string, more ...string) net.Conn {
	t.Helper()
	devices := append([]string{
		"-machine", "q35", "-device", "virtio-serial-pci",
		"-netdev", "user,id=net," + forward, "-device", "virtio-net-pci,netdev=net,romfile=",
	}, more...)
	return start(ctx, t, qemu, img, devices)
}

// bootOn starts the guest on a kind of machine: microvm has no PCI, and no clock by which an emulated TSC could be calibrated.
func bootOn(ctx context.Context, t *testing.T, machine, qemu string, img image.Image) net.Conn {
	t.Helper()
	devices := func(bus string) []string {
		return []string{"-machine", machine, "-device", "virtio-serial-" + bus, "-netdev", "user,id=net", "-device", "virtio-net-" + bus + ",netdev=net"}
	}
	if machine != "microvm" {
		return start(ctx, t, qemu, img, devices("pci"))
	}
	// As testbed/guest/qemu starts one: without the old interrupt controller, and with room for the ACPI tables after the initramfs.
	machine += ",pic=off"
	img.Initrd = padded(t, img.Initrd)
	return start(ctx, t, qemu, img, append(devices("device"), "-append", commandLine+fmt.Sprintf(" tsc_early_khz=%.0f", processorKHz(t))))
}

// padded is a copy of the initramfs that takes but one byte of its last page.
func padded(t *testing.T, initrd string) string {
	t.Helper()
	const page = 4096
	data, err := os.ReadFile(initrd)
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, make([]byte, (len(data)+page-2)/page*page+1-len(data))...)
	path := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const commandLine = image.Append + " " + image.AddressParam + "=10.0.2.15/24"

// processorKHz is the TSC's frequency, nearly.
func processorKHz(t *testing.T) float64 {
	t.Helper()
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		mhz, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if strings.TrimSpace(name) == "cpu MHz" && err == nil {
			return mhz * 1000
		}
	}
	t.Skip("needs the processor's frequency in /proc/cpuinfo")
	return 0
}

// start starts the guest with a bus for the agent's port and whatever else, and connects to the port.
func start(ctx context.Context, t *testing.T, qemu string, img image.Image, devices []string) net.Conn {
	t.Helper()
	dir, err := os.MkdirTemp("", "boot") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "agent")
	args := append([]string{
		"-nodefaults", "-no-reboot", "-display", "none",
		"-accel", "tcg,thread=multi", "-cpu", "max", "-m", "256", "-serial", "stdio",
		"-kernel", img.Kernel, "-initrd", img.Initrd, "-append", commandLine,
		"-chardev", "socket,id=agent,path=" + socket + ",server=on,wait=off",
	}, devices...)
	args = append(args, "-device", "virtserialport,chardev=agent,name="+agent.Port)
	cmd := exec.Command(qemu, args...)
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("console:\n%s", console.String())
		}
	})
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// echoes sends datagrams until one comes back as it was.
func echoes(ctx context.Context, t *testing.T, port int) {
	t.Helper()
	conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent, buf := strings.Repeat("echo", 200), make([]byte, 2048)
	for ctx.Err() == nil {
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil || string(buf[:n]) != sent {
			t.Errorf("echo is %q, %v", buf[:n], err)
		}
		return
	}
	t.Error("no datagram was echoed")
}

// Beats checks that heartbeats come in sequence and in order of the guest's clock.
type beats struct {
	mu        sync.Mutex
	n         int
	last      agent.Message
	disorders []agent.Message
}

func (b *beats) take(m agent.Message, _ time.Time, _ string) {
	if m.Heartbeat == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n > 0 && (m.Heartbeat.Seq != b.last.Heartbeat.Seq+1 || m.Mono <= b.last.Mono) {
		b.disorders = append(b.disorders, b.last, m)
	}
	b.n++
	b.last = m
}

func (b *beats) await(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	count := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.n
	}
	for want := count() + more; count() < want; time.Sleep(5 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("%d heartbeats came, want %d", count(), want)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.disorders) > 0 {
		t.Errorf("heartbeats out of order: %+v", b.disorders)
	}
}
