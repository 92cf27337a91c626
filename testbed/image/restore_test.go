package image_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

// A monitor is a QEMU's, as much as the test needs.
type monitor struct {
	conn net.Conn
	in   *bufio.Scanner
}

func dialMonitor(ctx context.Context, t *testing.T, socket string) *monitor {
	t.Helper()
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			m := &monitor{conn, bufio.NewScanner(conn)}
			m.in.Scan() // its greeting
			m.do(t, `{"execute":"qmp_capabilities"}`)
			return m
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (m *monitor) do(t *testing.T, command string) string {
	t.Helper()
	if _, err := m.conn.Write([]byte(command + "\n")); err != nil {
		t.Fatal(err)
	}
	for m.in.Scan() {
		var reply struct {
			Return json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(m.in.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Error != nil {
			t.Fatalf("%s: %s", command, reply.Error)
		}
		if reply.Return != nil {
			return string(reply.Return)
		}
	}
	t.Fatalf("%s: no reply", command)
	return ""
}

// await asks until the reply holds text.
func (m *monitor) await(ctx context.Context, t *testing.T, command, text string) {
	t.Helper()
	for !strings.Contains(m.do(t, command), text) {
		if ctx.Err() != nil {
			t.Fatalf("%s: %s was not seen", command, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestGuestRestored saves a guest in the middle of a job and makes another from it, which speaks to another client: at once, of
// the job's end, and under another identity. A vCPU is plugged into it.
func TestGuestRestored(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest: left out by -short")
	}
	qemu, img := buildImage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir, port := t.TempDir(), freePort(t)
	saved := filepath.Join(dir, "state")
	options := func(name string, more ...string) []string {
		return append([]string{"-smp", "1,maxcpus=2", "-device", "virtio-balloon-pci", "-qmp", "unix:" + filepath.Join(dir, name) + ",server=on,wait=off"}, more...)
	}
	forward := fmt.Sprintf("hostfwd=udp:127.0.0.1:%d-10.0.2.77:7", port)

	first := agent.NewClient(nil)
	defer first.Close()
	first.Attach("first", boot(ctx, t, qemu, img, forward, options("qmp1")...))
	if _, err := first.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	job := agent.Job{ID: 8, Work: int64(3 * time.Second), Memory: 8 << 20}
	if _, err := first.Job(ctx, job); err != nil {
		t.Fatal(err)
	}
	if err := first.Forget(ctx); err != nil {
		t.Fatal(err)
	}
	m := dialMonitor(ctx, t, filepath.Join(dir, "qmp1"))
	m.do(t, `{"execute":"stop"}`)
	m.do(t, fmt.Sprintf(`{"execute":"migrate","arguments":{"uri":"exec:cat>%s"}}`, saved))
	m.await(ctx, t, `{"execute":"query-migrate"}`, `"completed"`)
	m.do(t, `{"execute":"quit"}`)

	type heard struct {
		m  agent.Message
		at time.Time
	}
	spoke := make(chan heard, 1)
	second := agent.NewClient(func(m agent.Message, at time.Time, _ string) {
		select {
		case spoke <- heard{m, at}:
		default:
		}
	})
	defer second.Close()
	second.Attach("second", boot(ctx, t, qemu, img, forward, options("qmp2", "-S", "-incoming", "exec:cat "+saved)...))
	m = dialMonitor(ctx, t, filepath.Join(dir, "qmp2"))
	m.await(ctx, t, `{"execute":"query-status"}`, `"paused"`)
	if len(spoke) > 0 {
		t.Errorf("a guest that stands still says %+v", (<-spoke).m)
	}
	resumed := time.Now()
	m.do(t, `{"execute":"cont"}`)
	select {
	case h := <-spoke:
		t.Logf("it spoke %v after it went on: %+v", h.at.Sub(resumed), h.m)
		if h.m.Hello != nil || h.m.Mono == 0 {
			t.Errorf("it says %+v first, want what it says all the time", h.m)
		}
	case <-ctx.Done():
		t.Fatal("the restored guest says nothing")
	}
	if _, err := second.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	want := agent.Identity{Name: "clone-7", Address: "10.0.2.77/24", MAC: "52:54:00:77:77:77"}
	want.Seed = 7
	asked := time.Now()
	got, err := second.Identify(ctx, want)
	t.Logf("it took its identity in %v", time.Since(asked))
	want.Seed = 0
	want.BootID = got.BootID
	if err != nil || got != want {
		t.Errorf("identified as %+v, %v, want %+v", got, err, want)
	}
	echoes(ctx, t, port)
	m.do(t, `{"execute":"device_add","arguments":{"driver":"max-x86_64-cpu","id":"cpu1","socket-id":0,"die-id":0,"core-id":1,"thread-id":0}}`)
	if n, err := second.VCPUs(ctx, 2); err != nil || n != 2 {
		t.Errorf("VCPUs = %d, %v, want 2", n, err)
	}
	if h, err := second.Hello(ctx); err != nil || h.CPUs != 2 {
		t.Errorf("hello is %+v, %v, want 2 CPUs", h, err)
	}
	done, err := second.Job(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case d := <-done:
		if d.ID != 8 || d.Worked < job.Work || d.Bad != 0 {
			t.Errorf("the job that was saved in the middle is done with %+v", d)
		}
	case <-ctx.Done():
		t.Error("the job that was saved in the middle did not end")
	}
	if n := second.Garbage(); n != 0 {
		t.Errorf("%d lines were no message", n)
	}
}
