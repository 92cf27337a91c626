package qemu

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/guest/guesttest"
)

// A line has the arrival of its first byte, wherever the reads cut it.
func TestLines(t *testing.T) {
	text := "one\r\n\ntwo \x1b[2J\x1b[1;31mred\x1b[0m\r\n" + strings.Repeat("x", 2*maxText) + "\nlast"
	want := []string{"one", "two red", strings.Repeat("x", maxText), "last"}
	for _, step := range []int{1, 3, 7, len(text)} {
		var l lines
		var got []line
		out := func(x line) { got = append(got, x) }
		for i := 0; i < len(text); i += step {
			l.take([]byte(text[i:min(i+step, len(text))]), time.Unix(int64(i/step), 0), out)
		}
		l.end(out)
		l.end(out)
		if len(got) != len(want) {
			t.Fatalf("in steps of %d: %+v", step, got)
		}
		for i, g := range got {
			begins := strings.Index(text, strings.Fields(want[i])[0])
			if g.number != i || g.text != want[i] || g.began != time.Unix(int64(begins/step), 0) {
				t.Errorf("in steps of %d: line %d is %+v, want %q from byte %d", step, i, g, want[i], begins)
			}
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\n\x1b[2Jb\n"), 3)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		if step < 1 {
			return
		}
		cut := func(step int) (got []line) {
			var l lines
			out := func(x line) { got = append(got, x) }
			for p := range slices.Chunk(text, step) {
				l.take(p, time.Unix(0, 0), out)
			}
			l.end(out)
			return got
		}
		if whole, parts := cut(max(1, len(text))), cut(step); !slices.Equal(whole, parts) {
			t.Errorf("%+v, in steps of %d %+v", whole, step, parts)
		}
	})
}

// Only what is known to be the kernel's first byte is called so.
func TestMarks(t *testing.T) {
	const bios = "SeaBIOS (version 1)\nBooting from ROM...\nBooting from c000:0054\n"
	mark := agent.ConsoleMark + " 12\r\n"
	cases := []struct {
		name, boot, append   string
		firmware, console    string
		kernel, init, handed string // texts; "" is no record
	}{
		{"early", "", earlyConsole, bios, "early console in setup code\r\nx\n" + mark, "early console in setup code", "virtscope-init: 12", "Booting from c000:0054"},
		{"an unknown first word", "", earlyConsole, bios, "Hello\n", "Hello", "", "Booting from c000:0054"},
		{"quiet", "", "quiet", bios, mark + "[    1.0] x\n", "", "virtscope-init: 12", "Booting from c000:0054"},
		{"quiet, and the kernel complains", "", "quiet", bios, "[    0.255237] PCI: Fatal\n" + mark, "[    0.255237] PCI: Fatal", "virtscope-init: 12", "Booting from c000:0054"},
		{"another's init, then a line like the kernel's", "", "quiet", bios, "Welcome\n[    1.255237] late\n", "", "", "Booting from c000:0054"},
		{"silent", "", "", "", "", "", "", ""},
		{"firmware's log without its end", "", "", "SeaBIOS\nsearching", "", "", "", ""},
		{"loader", guest.BootFirmware, "", bios, "GRUB loading.\n[    0.000000] Linux version 6\n", "[    0.000000] Linux version 6", "", "Booting from c000:0054"},
		{"loader, and a quiet kernel", guest.BootFirmware, earlyConsole, "OVMF\n", "GRUB loading.\nlogin: ", "", "", ""},
		{"mark within a line", "", "quiet", "", "x " + mark, "", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			log := new(guesttest.Log)
			m := newStartMarks("src", guest.Spec{Append: c.append, Start: guest.Start{Boot: c.boot}}, log)
			m.firmwareBytes([]byte(c.firmware), time.Unix(1, 0))
			m.consoleBytes([]byte(c.console), time.Unix(2, 0))
			m.end()
			for name, want := range map[string]string{results.BootKernel: c.kernel, results.BootInit: c.init, results.BootFirmwareEnd: c.handed} {
				got := log.Named(name)
				if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].Attrs["text"] != want || got[0].Source != results.SourceConsole) {
					t.Errorf("%s: %+v, want %q", name, got, want)
				}
			}
		})
	}
}

// The firmware's last line is the one before the kernel's, though the kernel's is known later.
func TestFirmwareAfterTheKernel(t *testing.T) {
	log := new(guesttest.Log)
	m := newStartMarks("src", guest.Spec{}, log)
	m.firmwareBytes([]byte("first\nlast"), time.Unix(1, 0))
	m.consoleBytes([]byte("[    0.000000] Li"), time.Unix(2, 0))
	m.firmwareBytes([]byte(" one\nof the kernel's calls\n"), time.Unix(3, 0))
	m.consoleBytes([]byte("nux\n"), time.Unix(4, 0))
	m.end()
	if got := log.Named(results.BootFirmwareEnd); len(got) != 1 || got[0].Attrs["text"] != "last" || got[0].Time != 1e9 {
		t.Errorf("%+v", got)
	}
	if got := log.Named(results.BootKernel); len(got) != 1 || got[0].Time != 2e9 {
		t.Errorf("%+v", got)
	}
}

// No byte is lost, the writer is never held up, the firmware's end is known at the kernel's first byte, and only so many lines are records.
func TestConsoleReader(t *testing.T) {
	s := guesttest.NewSpec(t)
	s.Append = earlyConsole
	log := new(guesttest.Log)
	f := filesFor(s, "src", 1)
	c, err := listenConsole(f, newStartMarks("src", s, log))
	if err != nil {
		t.Fatal(err)
	}
	go c.run()
	begin := time.Now()
	var wrote bytes.Buffer
	serial, firmware := dial(t, f.serial), dial(t, f.firmware)
	fmt.Fprint(firmware, "SeaBIOS\nlast words\n")
	for i := range 3 * maxConsoleLines {
		fmt.Fprintf(&wrote, "line %d %s\r\n", i, strings.Repeat(".", 100))
	}
	wrote.WriteString("login: ")
	if _, err := serial.Write(wrote.Bytes()); err != nil {
		t.Fatal(err)
	}
	serial.Close()
	firmware.Close()
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(f.console)
	if err != nil || !bytes.Equal(got, wrote.Bytes()) {
		t.Errorf("%d B of %d, %v", len(got), wrote.Len(), err)
	}
	if n := len(log.Named(results.BootConsole)); n != maxConsoleLines {
		t.Errorf("%d lines", n)
	}
	end, kernel := log.Named(results.BootFirmwareEnd), log.Named(results.BootKernel)
	if len(end) != 1 || end[0].Attrs["text"] != "last words" || len(kernel) != 1 || kernel[0].Time < begin.UnixNano() || end[0].Time < begin.UnixNano() {
		t.Errorf("firmware's end %+v, kernel %+v", end, kernel)
	}
	if _, err := os.Lstat(f.serial); err == nil {
		t.Error("a socket is left")
	}
}

// A QEMU that ends before it connects leaves nobody waiting.
func TestConsoleReaderOfNobody(t *testing.T) {
	s := guesttest.NewSpec(t)
	c, err := listenConsole(filesFor(s, "src", 1), newStartMarks("src", s, new(guesttest.Log)))
	if err != nil {
		t.Fatal(err)
	}
	go c.run()
	if err := c.close(); err != nil {
		t.Error(err)
	}
	s.Dir += strings.Repeat("x", 200)
	if _, err := listenConsole(filesFor(s, "src", 1), nil); err == nil {
		t.Error("a socket's path that is too long is no error")
	}
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// What was read in one go with the kernel's first byte, and stamped behind it, was there before it.
func TestFirmwareReadWithTheKernel(t *testing.T) {
	log := new(guesttest.Log)
	m := newStartMarks("src", guest.Spec{}, log)
	m.firmwareBytes([]byte("SeaBIOS\nBooting from ROM..\n"), time.Unix(5, 9))
	m.consoleBytes([]byte("[    0.000000] Linux version\n"), time.Unix(5, 0))
	end, kernel := log.Named(results.BootFirmwareEnd), log.Named(results.BootKernel)
	if len(end) != 1 || len(kernel) != 1 || end[0].Time != time.Unix(5, 0).UnixNano() || kernel[0].Time != end[0].Time {
		t.Errorf("%+v, %+v", end, kernel)
	}
}
