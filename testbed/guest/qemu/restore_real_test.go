package qemu

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// TestRestoreOfDamagedIsRefused restores what was cut short or changed: QEMU says why, and nothing is left running.
func TestRestoreOfDamagedIsRefused(t *testing.T) {
	st := newSavedTrip(t, nil)
	st.writes(4e6)
	for _, format := range []string{guest.FormatStream, guest.FormatMappedRAM, guest.FormatMemoryFile} {
		if _, err := st.save(guest.SaveOptions{Format: format}); err != nil {
			t.Fatal(err)
		}
		for name, from := range map[string]string{"stream": "stream", "mapped": "memory", "devices": "state"} {
			if (format == guest.FormatStream) == (name == "stream") && (format == guest.FormatMemoryFile) == (name == "devices") {
				if err := os.Rename(st.dir+"/"+from, st.dir+"/whole-"+name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := st.guest.Close(); err != nil {
		t.Fatal(err)
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			if at < 0 {
				at += len(b)
			}
			b[at] ^= 0x10
			return b
		}
	}
	st.spec.Start.MemoryFile = "" // the files are read in place
	for _, c := range []struct {
		name, format, whole string
		change              func([]byte) []byte
		either              bool // QEMU may not notice: the catalogue's hash does
	}{
		{"stream, half", guest.FormatStream, "stream", half, false},
		{"stream, nothing", guest.FormatStream, "stream", func([]byte) []byte { return nil }, false},
		{"stream, all but the end", guest.FormatStream, "stream", func(b []byte) []byte { return b[:len(b)-20_000] }, false},
		{"stream, foreign", guest.FormatStream, "stream", func(b []byte) []byte { return make([]byte, 1<<20) }, false},
		{"stream, magic", guest.FormatStream, "stream", flip(0), false},
		{"stream, machine", guest.FormatStream, "stream", flip(12), false},
		{"stream, a section's name", guest.FormatStream, "stream", flip(40), false},
		{"mapped, half", guest.FormatMappedRAM, "mapped", half, false},
		{"mapped, header", guest.FormatMappedRAM, "mapped", flip(0), false},
		{"devices, half", guest.FormatMemoryFile, "devices", half, false},
		{"devices, magic", guest.FormatMemoryFile, "devices", flip(1), false},
		{"devices, in the middle", guest.FormatMemoryFile, "devices", func(b []byte) []byte {
			for i := len(b) / 3; i < len(b)/3+2000; i++ {
				b[i] ^= 0x55
			}
			return b
		}, true},
		{"devices, another place", guest.FormatMemoryFile, "devices", flip(100), true},
		{"devices, the last section", guest.FormatMemoryFile, "devices", flip(-60_000), true},
		{"mapped, sizes", guest.FormatMappedRAM, "mapped", flip(90), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole, err := os.ReadFile(st.dir + "/whole-" + c.whole)
			if err != nil {
				t.Fatal(err)
			}
			o := guest.RestoreOptions{Format: c.format, Memory: st.dir + "/memory", State: st.dir + "/state"}
			path := st.dir + "/stream"
			switch c.whole {
			case "mapped":
				path = st.dir + "/mapped"
				o.Memory = path
			case "devices":
				path = st.dir + "/state"
				o.OnDemand = true
			}
			if err := os.WriteFile(path, c.change(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.format == guest.FormatStream {
				o.Stream = serveStream(t, path)
			}
			began := time.Now()
			i, err := New().Restore(st.within(), st.bed.Source(), st.spec, o, st.log)
			if err == nil {
				_ = i.Close()
			}
			t.Logf("%s: %v", time.Since(began).Round(time.Millisecond), err)
			var outcome *guest.OutcomeError
			if !errors.As(err, &outcome) && (err != nil || !c.either) {
				t.Errorf("error %v", err)
			}
			if left, err := st.bed.Processes(); err != nil || len(left) > 0 {
				t.Errorf("processes left: %v, %v", left, err)
			}
		})
	}
}

// TestRestoredGuestIsAnnounced looks on the tap for what a switch learns from.
func TestRestoredGuestIsAnnounced(t *testing.T) {
	for _, paused := range []bool{false, true} {
		st := newSavedTrip(t, nil)
		if _, err := st.save(guest.SaveOptions{Format: guest.FormatStream, StayStopped: true}); err != nil {
			t.Fatal(err)
		}
		if err := st.guest.Close(); err != nil {
			t.Fatal(err)
		}
		on := st.bed.Destination()
		st.spec.Start.MemoryFile = ""
		frames := framesOf(t, on, st.spec.NIC.Tap)
		o := guest.RestoreOptions{Format: guest.FormatStream, Stream: serveStream(t, st.dir+"/stream"), Paused: paused}
		i, err := New().Restore(st.within(), on, st.spec, o, st.log)
		if err != nil {
			t.Fatal(err)
		}
		if paused {
			time.Sleep(2 * time.Second) // longer than QEMU announces it
			if n := len(st.log.Named(results.VMResume)); n != 0 {
				t.Errorf("%d times resumed", n)
			}
			if err := i.(*instance).running().mon.Execute(st.within(), "cont", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := i.(guest.Agented).Agent().Hello(st.within()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		mac, err := net.ParseMAC(st.spec.NIC.MAC)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uint16]int{}
		for _, f := range frames() {
			if string(f[6:12]) == string(mac) {
				seen[uint16(f[12])<<8|uint16(f[13])]++
			}
		}
		t.Logf("paused %v: %v", paused, seen)
		if seen[unix.ETH_P_RARP]+seen[unix.ETH_P_ARP] == 0 {
			t.Errorf("paused %v: the guest is not announced: %v", paused, seen)
		}
	}
}

// framesOf keeps the frames that come out of a tap.
func framesOf(t *testing.T, h host.Doer, tap string) (frames func() [][]byte) {
	t.Helper()
	fd := -1
	err := h.Do(func() (err error) {
		link, err := net.InterfaceByName(tap)
		if err != nil {
			return err
		}
		all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() (list [][]byte) {
		defer unix.Close(fd)
		for {
			b := make([]byte, 2048)
			n, err := unix.Read(fd, b)
			if err != nil {
				return list
			}
			if n >= 14 {
				list = append(list, b[:n])
			}
		}
	}
}
