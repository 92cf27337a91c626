package relay

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

const relayArgument = "frame-relay"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != relayArgument {
		os.Exit(m.Run())
	}
	if err := Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inScratch runs f in a namespace of its own, with a link from a to b there.
func inScratch(t *testing.T, edit func(*Link), f func(l Link) error) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	err := host.InScratchNamespace(func() error {
		here := filepath.Join("/proc", strconv.Itoa(os.Getpid()), "task", strconv.Itoa(unix.Gettid()), "ns/net")
		l := Link{Name: "link", A: Port{here, "a0"}, B: Port{here, "b0"}, MemoryAB: MinMemory, MemoryBA: MinMemory}
		edit(&l)
		return f(l)
	})
	if err != nil {
		t.Error(err)
	}
}

func start(t *testing.T, links ...Link) (*Relay, error) {
	t.Helper()
	machine, err := host.NewLocal("machine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { machine.Close() })
	return Start(t.Context(), machine, []string{os.Args[0], relayArgument}, links)
}

// up sets a device of this thread's namespace up and returns a socket that sends on it.
func up(name string) (int, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return -1, err
	}
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	ifr.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return -1, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: iface.Index})
}

// await asks for the statistics of a to b until they are as wanted.
func await(t *testing.T, r *Relay, what string, ok func(Stats) bool) Stats {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s, err := r.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(s) != 2 {
			t.Fatalf("statistics of %d directions", len(s))
		}
		if ok(s[0]) {
			return s[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v", what, s[0])
		}
	}
}

// More than the memory holds is dropped and counted, and no frame is lost without a count.
func TestMemoryIsBounded(t *testing.T) {
	inScratch(t, func(l *Link) { l.Delay, l.Jitter = time.Second, 100*time.Millisecond }, func(l Link) error {
		r, err := start(t, l)
		if err != nil {
			return err
		}
		defer r.Close(t.Context())
		fd, err := up("a0")
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		other, err := up("b0")
		if err != nil {
			return err
		}
		defer unix.Close(other)
		const frames, size = 3000, 1000
		for i := range frames {
			if _, err := unix.Write(fd, make([]byte, size)); err != nil {
				return err
			}
			if i%50 == 0 {
				time.Sleep(time.Millisecond) // the device holds 500 until they are read
			}
		}
		s := await(t, r, "not all frames came", func(s Stats) bool { return s.Frames >= frames })
		if s.Full == 0 || s.MaxHeld > MinMemory || s.MaxHeld < MinMemory*9/10 {
			t.Errorf("3 MB in 1 MiB: %+v", s)
		}
		s = await(t, r, "frames stay", func(s Stats) bool { return s.Held == 0 })
		if s.Frames != s.Full+s.Sent || s.Lost != 0 || s.Bytes < frames*size { // the kernel adds a few of its own
			t.Errorf("frames that are not accounted for: %+v", s)
		}
		if s.LateMax <= 0 || s.LateP50 > s.LateP99 || s.LateMean > s.LateMax || s.CPU <= 0 {
			t.Errorf("lateness and CPU: %+v", s)
		}
		return nil
	})
}

// What a device that is down does not take is counted.
func TestRefusedFrames(t *testing.T) {
	inScratch(t, func(l *Link) { l.Loss = 0.5 }, func(l Link) error {
		r, err := start(t, l)
		if err != nil {
			return err
		}
		defer r.Close(t.Context())
		fd, err := up("a0")
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for range 100 {
			if _, err := unix.Write(fd, make([]byte, 100)); err != nil {
				return err
			}
		}
		s := await(t, r, "frames stay", func(s Stats) bool { return s.Frames >= 100 && s.Held == 0 })
		if s.Refused == 0 || s.Lost == 0 || s.Frames != s.Refused+s.Lost || s.Sent != 0 {
			t.Errorf("to a device that is down: %+v", s)
		}
		return nil
	})
}

func TestStartFails(t *testing.T) {
	for what, edit := range map[string]func(*Link){
		"no such file": func(l *Link) { l.B.Namespace = "/run/netns/no-such" },
		"b0":           func(l *Link) { l.B.Name = "a0" },
		"memory":       func(l *Link) { l.MemoryBA = 0 },
		"loss":         func(l *Link) { l.Loss = 1.5 },
		"delay":        func(l *Link) { l.Jitter = time.Second },
	} {
		inScratch(t, edit, func(l Link) error {
			r, err := start(t, l)
			if err == nil {
				r.Close(t.Context())
			}
			if what == "b0" {
				what = "make tap a0"
			}
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := net.InterfaceByName("a0"); err == nil {
				t.Errorf("%s: a device is left", what)
			}
			return nil
		})
	}
	if _, err := Start(t.Context(), nil, nil, nil); err == nil {
		t.Error("a relay without a command")
	}
}

// A relay that was killed is an error, at once and for good, and its devices are gone.
func TestKilledRelay(t *testing.T) {
	inScratch(t, func(*Link) {}, func(l Link) error {
		r, err := start(t, l)
		if err != nil {
			return err
		}
		if err := unix.Kill(r.PID(), unix.SIGKILL); err != nil {
			return err
		}
		<-r.Done()
		if _, err := r.Stats(t.Context()); err == nil {
			t.Error("a dead relay has statistics")
		}
		for range 2 {
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := net.InterfaceByName("a0"); err == nil {
			t.Error("a device outlived its relay")
		}
		return nil
	})
}
