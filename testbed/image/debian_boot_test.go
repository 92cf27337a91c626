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
)

// cachedDebian builds a Debian disk, or skips with the reason. It is kept in the source tree's cache.
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
	o.Agent, o.CacheDir = init, filepath.Join(root, ".cache", "test-images")
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

// A boot is one QEMU with what it said.
type debianBoot struct {
	began   time.Time
	ssh     string // address of its port 22
	mu      sync.Mutex
	console strings.Builder
}

// bootDebian boots a disk through an overlay, so that the image stays as it is.
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
	b := &debianBoot{ssh: l.Addr().String()}
	l.Close()
	cmd := exec.Command(qemu, append([]string{
		"-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-serial", "stdio",
		"-drive", "if=virtio,format=qcow2,file=" + overlay, "-device", "virtio-serial-pci",
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
		if t.Failed() || os.Getenv("VIRTSCOPE_SHOW") != "" {
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

// TestDebianBoots boots a Debian directly, up to its ssh server.
func TestDebianBoots(t *testing.T) {
	d := cachedDebian(t, DebianOptions{})
	b := bootDebian(t, d, "-kernel", d.Kernel, "-initrd", d.Initrd, "-append", d.Append+" "+AddressParam+"=10.0.2.15/24 "+os.Getenv("VIRTSCOPE_APPEND"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	line, err := b.banner(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%q after %.1f s", line, time.Since(b.began).Seconds())
	if s := os.Getenv("VIRTSCOPE_WAIT"); s != "" {
		w, _ := time.ParseDuration(s)
		time.Sleep(w)
	}
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
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			line, err := b.banner(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%q after %.1f s", line, time.Since(b.began).Seconds())
		})
	}
}
