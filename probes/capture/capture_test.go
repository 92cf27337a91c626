package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/results"

	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

// lab is a switch with a bridge and two hosts on it, src (10.0.0.1) and dst (10.0.0.2).
type lab struct{ sw, src, dst namespace }

func newLab(tb testing.TB) lab {
	l := lab{newNamespace(tb), newNamespace(tb), newNamespace(tb)}
	join(tb, l.src, "eth0", l.sw, "p0")
	join(tb, l.dst, "eth0", l.sw, "p1")
	bridge(tb, l.sw, "br0", "p0", "p1")
	address(tb, l.src, "eth0", "10.0.0.1/24")
	address(tb, l.dst, "eth0", "10.0.0.2/24")
	// An address of its own makes the switch take part, which a bridge device would show a second time.
	address(tb, l.sw, "br0", "10.0.0.254/24")
	return l
}

func (l lab) config() Config {
	return Config{
		Name: results.SourceCaptureSwitch, Host: "switch", In: l.sw,
		Exclude: []string{"br0"}, Ports: map[string]string{"p0": "src", "p1": "dst"},
		GuestMAC: guestMAC, Flow: testFlow(), RingBytes: 8 << 20,
	}
}

// observe runs a probe while f runs.
func observe(tb testing.TB, c Config, f func()) *recorder {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	armed, ended := make(chan struct{}), make(chan error, 1)
	var log recorder
	go func() { ended <- New(c).Run(ctx, &log, func() { close(armed) }) }()
	select {
	case <-armed:
	case err := <-ended:
		tb.Fatalf("probe ended before it was armed: %v", err)
	}
	f()
	cancel()
	must(tb, <-ended)
	return &log
}

// transfer sends n bytes from src to port of dst over TCP. It returns when all was received, with the payload
// that the kernel says it sent: n, and more if a busy machine made it send something twice.
func (l lab) transfer(tb testing.TB, port, n int) (sent float64) {
	tb.Helper()
	var listener net.Listener
	must(tb, l.dst.Do(func() (err error) {
		listener, err = net.Listen("tcp", fmt.Sprintf("10.0.0.2:%d", port))
		return err
	}))
	defer listener.Close()
	received := make(chan int64, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			received <- -1
			return
		}
		got, _ := io.Copy(io.Discard, c)
		_ = c.Close()
		received <- got
	}()
	must(tb, l.src.Do(func() error {
		c, err := net.Dial("tcp", fmt.Sprintf("10.0.0.2:%d", port))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err = c.Write(make([]byte, n)); err != nil {
			return err
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
		if got := <-received; got != int64(n) {
			return fmt.Errorf("received %d B of %d", got, n)
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			return err
		}
		var info *unix.TCPInfo
		controlErr := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		if err := errors.Join(controlErr, err); err != nil {
			return err
		}
		sent = float64(info.Bytes_sent)
		return nil
	}))
	return sent
}

func TestProbeCountsWhatWasSent(t *testing.T) {
	l := newLab(t)
	sent, before := 0.0, time.Now().UnixNano()
	log := observe(t, l.config(), func() {
		sent += l.transfer(t, 4444, 3_000_000)
		sent += l.transfer(t, 4445, 500_000) // another connection of the same flow
		l.transfer(t, 9999, 100_000)
	})
	if got := log.sum(results.FlowPayload, "forward"); got != sent || sent < 3_500_000 {
		t.Errorf("payload %v B, the kernel sent %v", got, sent)
	}
	if got := log.sum(results.FlowPayload, "reverse"); got != 0 {
		t.Errorf("reverse payload %v B, want none", got)
	}
	bytes, reverse := log.sum(results.FlowBytes, "forward"), log.sum(results.FlowBytes, "reverse")
	if bytes <= sent || reverse == 0 {
		t.Errorf("bytes %v forward, %v reverse", bytes, reverse)
	}
	for _, r := range log.named(results.FlowBytes) { // TCP's own stamps for pacing are of another clock
		if r.Time < before-1e6 || r.Time > time.Now().UnixNano() || r.Time%1e6 != 0 {
			t.Errorf("a bin begins at %d, the transfer at %d", r.Time, before)
		}
	}
	checkTotals(t, log, 0)
	if longest := log.named(results.CaptureMaxFrame); len(longest) != 1 || longest[0].Value < 1514 {
		t.Errorf("longest frame: %+v, want super-frames of segmentation offload", longest)
	}
}

// checkTotals looks at what a probe says at its end.
func checkTotals(t *testing.T, log *recorder, frames int) {
	t.Helper()
	for name, want := range map[string]float64{
		results.CaptureFrames: float64(frames), results.CaptureDropped: 0, results.ProbeDropped: 0, results.ProbeLate: 0,
		results.ProbeCPU: 0, results.ProbeWall: 0,
	} {
		got := log.named(name)
		if len(got) != 1 {
			t.Errorf("%s: %d records, want 1", name, len(got))
			continue
		}
		r := got[0]
		if r.Host != "switch" || r.Source != results.SourceCaptureSwitch || r.Attrs != nil {
			t.Errorf("got %+v", r)
		}
		switch {
		case name == results.CaptureFrames && frames == 0, name == results.ProbeCPU, name == results.ProbeWall:
			if r.Value <= 0 {
				t.Errorf("%s is %v", name, r.Value)
			}
		case r.Value != want:
			t.Errorf("%s is %v, want %v", name, r.Value, want)
		}
	}
}

func TestProbeSeesGuestOncePerFrame(t *testing.T) {
	l := newLab(t)
	src, dst := newSender(t, l.src, "eth0"), newSender(t, l.dst, "eth0")
	ip := [4]byte{10, 0, 0, 9}
	log := observe(t, l.config(), func() {
		for i := range 50 {
			src.send(t, numbered(60+i, i)) // to all: leaves at p1, and the bridge itself takes it
		}
		dst.send(t, arpFrame(t, etherTypeRARP, 3, [4]byte{}, [4]byte{}, broadcast))
		dst.send(t, arpFrame(t, layers.EthernetTypeARP, 1, ip, ip, broadcast))
	})
	frames := log.named(results.GuestFrame)
	if len(frames) != 52 {
		t.Fatalf("%d frames of the guest, want 52", len(frames))
	}
	last := int64(0)
	for i, f := range frames {
		port := "src"
		if i >= 50 {
			port = "dst"
		}
		if f.Attrs["port"] != port || f.Time < last {
			t.Fatalf("frame %d: %+v after %d", i, f, last)
		}
		if i < 50 && f.Value != float64(60+i) {
			t.Fatalf("frame %d: %v B, want %d", i, f.Value, 60+i)
		}
		last = f.Time
	}
	announced := log.named(results.GuestAnnounce)
	if len(announced) != 2 || announced[0].Attrs["kind"] != "rarp" || announced[1].Attrs["kind"] != "garp" || announced[0].Attrs["port"] != "dst" {
		t.Fatalf("announcements: %+v", announced)
	}
	checkTotals(t, log, 52)
}

// What an independent reader finds in the kept file is what the records say.
func TestKeptFileAgreesWithRecords(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark: ", err)
	}
	for _, mode := range []KeepMode{KeepHeaders, KeepWhole} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			l := newLab(t)
			c := l.config()
			c.Keep = &KeepConfig{Path: filepath.Join(t.TempDir(), "switch.pcapng"), Mode: mode}
			log := observe(t, c, func() {
				l.transfer(t, 4444, 2_000_000)
				l.transfer(t, 9999, 10_000)
			})
			checkTotals(t, log, 0)
			fields := func(filter string) (rows [][]string) {
				out, err := exec.Command(tshark, "-n", "-r", c.Keep.Path, "-Y", filter, "-T", "fields", "-E", "separator=,",
					"-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "tcp.len").Output()
				must(t, err)
				for line := range strings.Lines(string(out)) {
					rows = append(rows, strings.Split(strings.TrimSpace(line), ","))
				}
				return rows
			}
			if got, want := len(fields("frame")), int(log.named(results.CaptureFrames)[0].Value); got != want {
				t.Errorf("%d frames in the file, %d counted", got, want)
			}
			for dir, way := range map[string]struct{ filter, port string }{
				"forward": {"tcp.dstport == 4444", "src"}, "reverse": {"tcp.srcport == 4444", "dst"},
			} {
				length, payload := 0, 0
				for _, row := range fields(way.filter) {
					n, capped := atoi(t, row[0]), atoi(t, row[1])
					length += n
					payload += atoi(t, row[4])
					if mode == KeepHeaders && capped != min(n, headerSnap) || mode == KeepWhole && capped != n {
						t.Errorf("frame of %d B has %d in the file", n, capped)
					}
					if row[2] != way.port {
						t.Errorf("%s: interface %s, want %s", dir, row[2], way.port)
					}
					if _, fraction, _ := strings.Cut(row[3], "."); len(fraction) < 9 || strings.HasSuffix(fraction, "000000") {
						t.Errorf("time %s has no nanoseconds", row[3])
					}
				}
				if got := log.sum(results.FlowBytes, dir); got != float64(length) || length == 0 {
					t.Errorf("%s: flow.bytes %v, the file has %d", dir, got, length)
				}
				if got := log.sum(results.FlowPayload, dir); got != float64(payload) {
					t.Errorf("%s: flow.payload %v, the file has %d", dir, got, payload)
				}
			}
		})
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	must(t, err)
	return n
}

func TestProbeFailsClearly(t *testing.T) {
	l := newLab(t)
	missing := l.config()
	missing.Exclude = []string{"br7"}
	unwritable := l.config()
	unwritable.Keep = &KeepConfig{Path: filepath.Join(t.TempDir(), "no", "such", "folder.pcapng")}
	for want, c := range map[string]Config{"br7": missing, "folder.pcapng": unwritable} {
		err := New(c).Run(t.Context(), &recorder{}, func() { t.Error("armed") })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}

func TestProbeEndsWhenDiskIsFull(t *testing.T) {
	l := newLab(t)
	c := l.config()
	c.Keep = &KeepConfig{Path: "/dev/full", Mode: KeepWhole}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	armed, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- New(c).Run(ctx, &recorder{}, func() { close(armed) }) }()
	<-armed
	for range 10 {
		l.transfer(t, 4444, 2_000_000)
	}
	select { // it ends by itself
	case err := <-ended:
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "/dev/full") {
			t.Fatalf("got %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the probe goes on though the disk is full")
	}
}

// A probe that is told to stop before it began still ends, with nothing to report but zeros.
func TestProbeStoppedAtOnce(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cancel()
	c := l.config()
	c.Flow.Src = netip.Addr{}
	var log recorder
	must(t, New(c).Run(ctx, &log, func() {}))
	if got := log.named(results.CaptureMaxFrame); len(got) > 1 {
		t.Fatalf("got %+v", got)
	}
}
