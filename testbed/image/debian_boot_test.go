package image

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

// cachedDebian builds a Debian disk, or skips with the reason. It is kept in the source tree's cache, where the end-to-end tests
// of cmd/virtscope find the same.
func cachedDebian(t *testing.T, o DebianOptions) Debian {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a Debian: left out by -short")
	}
	if err := CheckDebian(o); err != nil {
		t.Skip("needs root and tools:", err)
	}
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	init, err := FindInit(filepath.Join(root, "bin", "virtscope"))
	if err != nil {
		t.Skip("needs the agent:", err)
	}
	o.Agent, o.CacheDir = init, filepath.Join(root, ".cache", "home", "virtscope", "roots")
	forget(t, o.CacheDir)
	began := time.Now()
	d, err := BuildDebian(t.Context(), o)
	if err != nil {
		if strings.Contains(err.Error(), "run mmdebstrap") && !canReachMirrors(err) {
			t.Skip("needs a mirror of Debian:", err)
		}
		t.Fatal(err)
	}
	t.Logf("built or found in %.1f s: Linux %s, %d packages", time.Since(began).Seconds(), d.Release, len(d.Packages))
	return d
}

// forget removes disks that earlier tests made, days ago, with agents that are no more.
func forget(t *testing.T, cache string) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(cache, "debian-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 3*24*time.Hour {
			os.RemoveAll(dir)
		}
	}
}

// A debianBoot is one QEMU with what it said.
type debianBoot struct {
	began   time.Time
	ssh     string // address of its port 22
	mu      sync.Mutex
	console strings.Builder
	agent   string // path of the socket of its agent's port
}

// bootDebian boots a disk through an overlay, so that the image stays as it is. QEMU ends with the test.
func bootDebian(t *testing.T, d Debian, args ...string) *debianBoot {
	t.Helper()
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("needs QEMU:", err)
	}
	dir := t.TempDir()
	overlay := filepath.Join(dir, "overlay.qcow2")
	if err := runImg(t.Context(), "create", "-q", "-f", QCOW2, "-b", d.Disk, "-F", d.Format, overlay); err != nil {
		t.Skip("needs qemu-img:", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "boot") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	b := &debianBoot{ssh: l.Addr().String(), agent: filepath.Join(short, "agent")}
	l.Close()
	cmd := exec.Command(qemu, append([]string{
		"-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-serial", "stdio",
		"-drive", "if=virtio,format=qcow2,file=" + overlay, "-device", "virtio-serial-pci",
		"-chardev", "socket,id=agent,path=" + b.agent + ",server=on,wait=off", "-device", "virtserialport,chardev=agent,name=" + agent.Port,
		"-netdev", "user,id=net,hostfwd=tcp:" + b.ssh + "-10.0.2.15:22", "-device", "virtio-net-pci,netdev=net,romfile=",
	}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.began = time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			b.mu.Lock()
			fmt.Fprintf(&b.console, "%.2f %s\n", time.Since(b.began).Seconds(), lines.Text())
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
		cmd.Wait()
		if t.Failed() {
			t.Logf("console:\n%s", b.console.String())
		}
	})
	return b
}

// banner waits for the ssh server's greeting.
func (b *debianBoot) banner(ctx context.Context) (string, error) {
	for {
		line, err := greeting(b.ssh)
		if err == nil {
			return line, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no greeting of ssh: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func greeting(address string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	return bufio.NewReader(conn).ReadString('\n')
}

// hello waits for the agent's.
func (b *debianBoot) hello(ctx context.Context, t *testing.T) (agent.Hello, error) {
	t.Helper()
	for {
		conn, err := net.Dial("unix", b.agent)
		if err == nil {
			c := agent.NewClient(func(agent.Message, time.Time, string) {})
			c.Attach("here", conn)
			defer c.Close()
			return c.Hello(ctx)
		}
		if ctx.Err() != nil {
			return agent.Hello{}, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestDebianBoots boots a Debian directly, up to its agent and to its ssh server.
func TestDebianBoots(t *testing.T) {
	d := cachedDebian(t, DebianOptions{})
	b := bootDebian(t, d, "-kernel", d.Kernel, "-initrd", d.Initrd, "-append", d.Append+" "+AddressParam+"=10.0.2.15/24")
	b.answers(t, d)
}

// answers waits for the agent and for the ssh server.
func (b *debianBoot) answers(t *testing.T, d Debian) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	hello, err := b.hello(ctx, t)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Since(b.began).Seconds()
	if hello.Kernel != d.Release {
		t.Errorf("hello is %+v, want Linux %s", hello, d.Release)
	}
	line, err := b.banner(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(line, "SSH-2.0-") {
		t.Errorf("the greeting of ssh is %q", line)
	}
	t.Logf("hello of the agent after %.1f s, greeting of ssh after %.1f s", at, time.Since(b.began).Seconds())
}

// TestDebianBootsByFirmware boots a Debian from its disk alone, and gives it its address by the SMBIOS.
func TestDebianBootsByFirmware(t *testing.T) {
	firmware := map[string][]string{"bios": nil, "uefi": {"-bios", "/usr/share/ovmf/OVMF.fd"}}
	for name, args := range firmware {
		t.Run(name, func(t *testing.T) {
			if name == "uefi" {
				if _, err := os.Stat(args[1]); err != nil {
					t.Skip("needs firmware (apt-get install ovmf):", err)
				}
			}
			d := cachedDebian(t, DebianOptions{Loader: true})
			b := bootDebian(t, d, append(args, "-smbios", "type=11,value="+AddressParam+"=10.0.2.15/24")...)
			b.answers(t, d)
		})
	}
}
