package qemu

import (
	"regexp"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// maxConsoleLines is for how many lines BootConsole is recorded.
const maxConsoleLines = 2000

// kernelWords begin what a Linux kernel says: a line of its log, or what it and its loader's code say without one.
var kernelWords = regexp.MustCompile(`^(\[ *\d+\.\d{6}\] |early console in |Linux version |Decompressing Linux|(Physical|Memory|Poking|Virtual) KASLR using |KASLR disabled|Probing EDD)`)

// handOver is SeaBIOS's last line before it jumps: to a boot sector, or to the ROM that holds a kernel (src/boot.c, call_boot_entry).
var handOver = regexp.MustCompile(`^Booting from [0-9a-f]{4}:[0-9a-f]{4}$`)

// earlyConsole is the word of a kernel's command line by which the kernel's own bytes are the first.
const earlyConsole = "earlyprintk=ttyS0"

// A startMarks makes records of the bytes that a starting guest writes to its console, and its firmware to its log.
type startMarks struct {
	host string
	rec  results.Recorder
	// direct: nothing but the kernel, and what it starts, writes to the console. Early: and the kernel does so first.
	direct, early bool

	console, firmware lines
	kernel, init      bool  // were seen
	begun             bool  // the firmware's log has
	last, before      *line // the firmware's last line, and that when the console's line began that is being read
}

func newStartMarks(host string, s guest.Spec, rec results.Recorder) *startMarks {
	direct := s.Start.Boot != guest.BootFirmware
	m := &startMarks{host: host, rec: rec, direct: direct, early: direct && strings.Contains(s.Append, earlyConsole)}
	m.console.opens = func() { m.before = m.lastFirmware() }
	return m
}

func (m *startMarks) record(name string, at time.Time, text string) {
	m.rec.Record(results.Record{
		Time: at.UnixNano(), Host: m.host, Source: results.SourceConsole, Name: name, Attrs: map[string]string{"text": text},
	})
}

func (m *startMarks) consoleBytes(p []byte, at time.Time)  { m.console.take(p, at, m.consoleLine) }
func (m *startMarks) firmwareBytes(p []byte, at time.Time) { m.firmware.take(p, at, m.firmwareLine) }

func (m *startMarks) consoleLine(l line) {
	if !m.kernel && m.isKernel(l) {
		m.kernel = true
		m.firmwareEnds(m.before, l.began)
		m.record(results.BootKernel, l.began, l.text)
	}
	if !m.init && strings.HasPrefix(l.text, agent.ConsoleMark) {
		m.init = true
		m.record(results.BootInit, l.began, l.text)
	}
	if l.number < maxConsoleLines {
		m.record(results.BootConsole, l.began, l.text)
	}
}

// isKernel reports whether the line's first byte is the kernel's first. A kernel that says nothing before PID 1 does has none, and
// a loader's words are not the kernel's.
func (m *startMarks) isKernel(l line) bool {
	if m.init || strings.HasPrefix(l.text, agent.ConsoleMark) {
		return false
	}
	if m.early && l.number == 0 {
		return true
	}
	return kernelWords.MatchString(l.text) && (l.number == 0 || !m.direct)
}

func (m *startMarks) firmwareLine(l line) {
	if !m.begun {
		m.begun = true
		m.record(results.BootFirmware, l.began, l.text)
	}
	m.last = &l
}

// lastFirmware is the firmware's last line so far, ended or not; nil without one.
func (m *startMarks) lastFirmware() *line {
	if f := &m.firmware; f.open {
		return &line{began: f.began, text: printable(f.text)}
	}
	return m.last
}

// firmwareEnds records the firmware's last line before the kernel, which began at a time: where both were read in one go, the line's stamp may
// be the later one, and the line was there when the kernel's first byte was.
func (m *startMarks) firmwareEnds(l *line, kernel time.Time) {
	if l == nil {
		return
	}
	at := l.began
	if kernel.Before(at) {
		at = kernel
	}
	m.record(results.BootFirmwareEnd, at, l.text)
}

// end is called when both streams have ended. Where the kernel said nothing, the firmware's last line counts if it is one
// by which it hands over.
func (m *startMarks) end() {
	m.firmware.end(m.firmwareLine)
	m.console.end(m.consoleLine)
	if !m.kernel && m.last != nil && handOver.MatchString(m.last.text) {
		m.firmwareEnds(m.last, m.last.began)
	}
}
