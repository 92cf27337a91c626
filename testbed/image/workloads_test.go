package image_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/image"
)

// A workbench is a booted guest and what its agent reports.
type workbench struct {
	*agent.Client
	mu       sync.Mutex
	messages []agent.Message
	ports    map[int]int // of this machine, by port of the guest
}

func (b *workbench) take(m agent.Message, _ time.Time, _ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
}

// bootWorkbench boots a guest whose ports are forwarded.
func bootWorkbench(ctx context.Context, t *testing.T, more ...string) *workbench {
	t.Helper()
	qemu, img := buildImage(t)
	b := &workbench{ports: map[int]int{}}
	var forwards []string
	for port, protocol := range map[int]string{
		agent.RequestPort: "tcp", agent.StreamPort: "udp", agent.BulkPort: "tcp", agent.KVPort: "tcp",
	} {
		b.ports[port] = freePort(t)
		forwards = append(forwards, fmt.Sprintf("hostfwd=%s:127.0.0.1:%d-10.0.2.15:%d", protocol, b.ports[port], port))
	}
	conn := boot(ctx, t, qemu, img, strings.Join(forwards, ","), more...)
	b.Client = agent.NewClient(b.take)
	b.Attach("src", conn)
	t.Cleanup(func() { b.Close() })
	if _, err := b.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, m := range b.messages {
			if m.Log != "" {
				t.Logf("the agent says: %s", m.Log)
			}
		}
	})
	return b
}

// run runs a workload while work runs, and returns what the agent reported of it, what it did, and whether it verifies.
func (b *workbench) run(ctx context.Context, t *testing.T, w agent.Workload, work func()) (said []agent.Message, p agent.Progress, v agent.Verdict) {
	t.Helper()
	b.mu.Lock()
	b.messages = nil
	b.mu.Unlock()
	if err := b.Start(ctx, w); err != nil {
		t.Fatal(err)
	}
	work()
	p, err := b.Stop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = b.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	if v.Corrupt != 0 {
		t.Errorf("%s: the verdict is %+v", w.Kind, v)
	}
	for _, part := range p.Parts {
		if part.Error != "" {
			t.Errorf("%s: %s ended: %s", w.Kind, part.Kind, part.Error)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.Logf("%s: %+v, %d messages, %+v", w.Kind, p, len(b.messages), v)
	return append(said, b.messages...), p, v
}

func (b *workbench) dial(t *testing.T, network string, port int) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, fmt.Sprintf("127.0.0.1:%d", b.ports[port]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// progress returns the reports of progress.
func progress(said []agent.Message) (all []*agent.Progress) {
	for _, m := range said {
		if m.Progress != nil && m.ID == 0 {
			all = append(all, m.Progress)
		}
	}
	return all
}

// For so long a workload runs that no client asks.
const awhile = 2 * time.Second

func sleep() { time.Sleep(awhile) }

// TestWorkloads starts each workload in a real guest.
func TestWorkloads(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest: left out by -short")
	}
	disk := filepath.Join(t.TempDir(), "disk.raw")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const diskSize = 64 << 20
	if err := os.Truncate(disk, diskSize); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	b := bootWorkbench(ctx, t, "-drive", "if=none,id=disk,format=raw,file="+disk, "-device", "virtio-blk-pci,drive=disk,serial=virtscope-disk")

	const rate, set = 4 << 20, 16 << 20
	half := 0.5
	for _, w := range []agent.Workload{
		{Pattern: "zipf"},
		{Pattern: "hot-spot", HotShare: 0.2, HotWrites: &half, WriteSize: 16 << 10},
		{Pattern: "sequential", DeltaSize: 64, Compressibility: 0.5},
	} {
		w.Kind, w.Rate, w.WorkingSet = "dirty", rate, set
		t.Run("dirty "+w.Pattern, func(t *testing.T) {
			said, p, v := b.run(ctx, t, w, sleep)
			if p.Dirtied == 0 || p.Asked < p.Dirtied || v.Verified != set || len(progress(said)) < 5 {
				t.Errorf("progress is %+v, in %d reports; %+v", p, len(progress(said)), v)
			}
		})
	}
	t.Run("replay", func(t *testing.T) {
		w := agent.Workload{Kind: "replay", WorkingSet: set, Pattern: "random", Trace: []agent.TracePoint{{Rate: 2 * rate}, {At: 3e8}, {At: 6e8}}}
		_, p, v := b.run(ctx, t, w, sleep)
		if p.Dirtied == 0 || p.Asked < p.Dirtied || p.Asked > p.Elapsed*rate*12/10/1e9+rate/2 || v.Verified != set {
			t.Errorf("progress is %+v; %+v", p, v)
		}
	})
	t.Run("cpu", func(t *testing.T) {
		if _, p, _ := b.run(ctx, t, agent.Workload{Kind: "cpu", Load: 0.5}, sleep); len(p.Parts) != 1 || p.Parts[0].Ops == 0 {
			t.Errorf("progress is %+v", p)
		}
	})
	t.Run("disk", func(t *testing.T) { testDisk(ctx, t, b) })
	t.Run("net", func(t *testing.T) { testNet(ctx, t, b) })
	t.Run("kv", func(t *testing.T) { testKV(ctx, t, b) })
	t.Run("mix", func(t *testing.T) {
		w := agent.Workload{Kind: "mix", Parts: []agent.Workload{
			{Kind: "dirty", Rate: rate, WorkingSet: set},
			{Kind: "disk", Rate: 1 << 20, Block: 64 << 10},
			{Kind: "kv", Keys: 1000, ValueSize: 1024},
			{Kind: "net", ResponseSize: 100},
			{Kind: "cpu", Load: 0.1},
		}}
		_, p, v := b.run(ctx, t, w, func() {
			sleep()
			talk(t, b.dial(t, "tcp4", agent.KVPort), "PING\r\n", "+PONG\r\n")
		})
		if p.Dirtied == 0 || len(p.Parts) != 4 || v.Verified != set+1000*1024 || v.DiskVerified == 0 {
			t.Errorf("progress is %+v; %+v", p, v)
		}
		for _, part := range p.Parts {
			if part.Ops == 0 && part.Kind != "net" {
				t.Errorf("%s did nothing", part.Kind)
			}
		}
	})
	if b.Garbage() != 0 {
		t.Errorf("%d lines were no message", b.Garbage())
	}
}

func testDisk(ctx context.Context, t *testing.T, b *workbench) {
	said, p, v := b.run(ctx, t, agent.Workload{Kind: "disk", Rate: 2 << 20, Block: 64 << 10, Pattern: "random", Area: 32 << 20}, sleep)
	if len(p.Parts) != 1 || p.Parts[0].Ops == 0 || p.Parts[0].Bytes != p.Parts[0].Ops*64<<10 {
		t.Fatalf("progress is %+v", p)
	}
	if v.Verified != 0 || v.DiskVerified == 0 || v.DiskVerified > p.Parts[0].Bytes || !strings.Contains(v.Detail, "disk") {
		t.Errorf("the verdict is %+v", v)
	}
	timed := int64(0)
	for _, m := range said {
		if m.Disk == nil {
			continue
		}
		for _, n := range m.Disk.Counts {
			timed += n
		}
		if m.Disk.Max <= 0 {
			t.Errorf("latencies are %+v", m.Disk)
		}
	}
	if timed != p.Parts[0].Ops {
		t.Errorf("latencies of %d writes were reported, of %d", timed, p.Parts[0].Ops)
	}
}

func testNet(ctx context.Context, t *testing.T, b *workbench) {
	const response, asks = 2000, 50
	_, p, _ := b.run(ctx, t, agent.Workload{Kind: "net", ResponseSize: response}, func() {
		conn := b.dial(t, "tcp4", agent.RequestPort)
		answer := make([]byte, 4+response)
		for range asks {
			conn.Write(append(binary.BigEndian.AppendUint32(nil, 100), make([]byte, 100)...))
			if _, err := io.ReadFull(conn, answer); err != nil || binary.BigEndian.Uint32(answer) != response {
				t.Fatalf("answer of %d B, %v", binary.BigEndian.Uint32(answer), err)
			}
		}
		bulk := b.dial(t, "tcp4", agent.BulkPort)
		if _, err := io.CopyN(io.Discard, bulk, 1<<20); err != nil {
			t.Error(err)
		}
		bulk.Close()
		stream := b.dial(t, "udp4", agent.StreamPort)
		io.WriteString(stream, "60000 B/s") // 50 datagrams a second, for two seconds
		var (
			buf  [2000]byte
			last uint64
			due  int64
		)
		for n := range 20 {
			size, err := stream.Read(buf[:])
			if err != nil || size != 1200 {
				t.Fatalf("datagram %d has %d B: %v", n, size, err)
			}
			number, at := binary.BigEndian.Uint64(buf[:]), int64(binary.BigEndian.Uint64(buf[8:]))
			if n > 0 && at-due != int64(number-last)*20e6 {
				t.Errorf("datagram %d was due at %d ns, %d at %d ns", number, at, last, due)
			}
			last, due = number, at
		}
	})
	if len(p.Parts) != 1 || p.Parts[0].Ops != asks || p.Parts[0].Bytes < asks*response+1<<20+20*1200 {
		t.Errorf("progress is %+v", p)
	}
}

// talk sends text and expects an answer.
func talk(t *testing.T, conn io.ReadWriter, send, want string) {
	t.Helper()
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("to %q came %q, %v, want %q", send, got[:n], err, want)
	}
}

func testKV(ctx context.Context, t *testing.T, b *workbench) {
	const keys, size = 10_000, 1024
	_, p, v := b.run(ctx, t, agent.Workload{Kind: "kv", Keys: keys, ValueSize: size}, func() {
		conn := b.dial(t, "tcp4", agent.KVPort)
		first := make([]byte, size)
		agent.FillValue(first, 42, 0)
		bulk := func(v []byte) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(v), v) }
		talk(t, conn, "*1\r\n$6\r\nDBSIZE\r\n", fmt.Sprintf(":%d\r\n", keys))
		talk(t, conn, "*2\r\n$3\r\nGET\r\n$6\r\nkey:42\r\n", bulk(first))
		second := bytes.Repeat([]byte("new\n"), size/4)
		talk(t, conn, "*3\r\n$3\r\nSET\r\n$6\r\nkey:42\r\n"+bulk(second), "+OK\r\n")
		talk(t, conn, "*2\r\n$3\r\nGET\r\n$6\r\nkey:42\r\n", bulk(second))
		rate(t, conn, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n", len(bulk(second)))
	})
	if len(p.Parts) != 1 || p.Parts[0].Ops < 4 || v.Verified != keys*size {
		t.Errorf("progress is %+v; %+v", p, v)
	}
}

// rate logs how many requests a second are answered, many at once. How many is no matter of pass or fail.
func rate(t *testing.T, conn net.Conn, request string, answer int) {
	t.Helper()
	const rounds, depth = 100, 16
	in, begin := bufio.NewReader(conn), time.Now()
	for range rounds {
		io.WriteString(conn, strings.Repeat(request, depth))
		if _, err := io.CopyN(io.Discard, in, int64(depth*answer)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%.0f requests a second, %d at once", rounds*depth/time.Since(begin).Seconds(), depth)
}

// TestRedis runs the real redis-server in a guest, and its own benchmark against it where there is one.
func TestRedis(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest: left out by -short")
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		t.Skip("needs mmdebstrap for the root image:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	// Where the end-to-end tests of cmd/virtscope find it.
	root, err := image.BuildRoot(ctx, image.RootOptions{Packages: []string{"redis-server"}, CacheDir: "../../.cache/home/virtscope/roots"})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(root.Path)
	if err != nil || info.Size() >= 200<<20 {
		t.Errorf("the root image has %d B, %v", info.Size(), err)
	}
	b := bootWorkbench(ctx, t, "-drive", "if=none,id=root,format=raw,readonly=on,file="+root.Path,
		"-device", "virtio-blk-pci,drive=root,serial=virtscope-root")
	for range 2 { // it starts anew
		_, p, _ := b.run(ctx, t, agent.Workload{Kind: "redis"}, func() {
			conn := b.dial(t, "tcp4", agent.KVPort)
			talk(t, conn, "*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$2\r\nab\r\n", "+OK\r\n")
			talk(t, conn, "*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n", "$2\r\nab\r\n")
			rate(t, conn, "*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n", len("$2\r\nab\r\n"))
		})
		if len(p.Parts) != 1 || p.Parts[0].Ops != 1602 {
			t.Errorf("progress is %+v, want 1602 commands", p)
		}
	}
	// A redis that dies ends its workload, and says so.
	if err := b.Start(ctx, agent.Workload{Kind: "redis"}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(b.dial(t, "tcp4", agent.KVPort), "SHUTDOWN NOSAVE\r\n")
	for ctx.Err() == nil && !b.hasFault() {
		time.Sleep(20 * time.Millisecond)
	}
	p, err := b.Stop(ctx)
	if err != nil || len(p.Parts) != 1 || !strings.Contains(p.Parts[0].Error, "redis-server ended") {
		t.Errorf("after its end the progress is %+v, %v", p, err)
	}
}

// hasFault reports whether the agent said that a workload ended by itself.
func (b *workbench) hasFault() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range progress(b.messages) {
		for _, part := range p.Parts {
			if part.Error != "" {
				return true
			}
		}
	}
	return false
}
