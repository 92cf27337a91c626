package nbd

import (
	"math"
	"testing"
	"virtscope/results"
)

const mib = 1 << 20

// A truth is what QEMU's block job, or the tool that made a capture, says.
type truth struct {
	file                string
	handshake, replies  string
	size                float64
	writes, writeBytes  float64
	zeroes, zeroBytes   float64
	again, againWritten float64
	other               map[string]float64
	how                 string
}

// The disk of the mirrors is 16 MiB. 8 MiB in three extents were written by 64 KiB, and 10 B of each block behind an
// extent: 131 blocks of 64 KiB are not zero. The source's job zeroes the export, then sends every block. Then the source's
// guest wrote 64 KiB, 128 KiB, zeros of 64 KiB, and 4 KiB: query-block-jobs said offset 17104896, or 17043456 where writes were
// passed on at once (copy-mode write-blocking).
func mirrors() []truth {
	const nonZero = 131 * 65536
	common := truth{
		handshake: "fixed", size: 16 * mib, writeBytes: nonZero + 4*65536, zeroes: 5, zeroBytes: 16*mib + 16*mib - nonZero + 65536,
		again: 17104896, againWritten: 4 * 65536, other: map[string]float64{"flush": 1}, how: "cut", writes: 15,
	}
	q10 := common
	q10.file, q10.replies = "mirror-qemu10", "extended"
	q7 := common
	q7.file, q7.replies, q7.how = "mirror-qemu7", "simple", "disconnect"
	q7.other = map[string]float64{"flush": 3, "disconnect": 1}
	simple := common
	simple.file, simple.replies = "mirror-simple", "simple"
	active := q7
	active.file, active.replies = "mirror-active", "extended"
	active.writes, active.again = 14, 17043456
	active.writeBytes, active.againWritten = nonZero+3*65536+4096, 3*65536+4096
	return []truth{q10, q7, simple, active}
}

func reads() []truth {
	return []truth{
		{file: "read-structured", handshake: "fixed", replies: "structured", size: 16 * mib, how: "disconnect", other: map[string]float64{"read": 35, "block-status": 1, "disconnect": 1}},
		{file: "read-simple", handshake: "fixed", replies: "simple", size: 16 * mib, how: "cut", other: map[string]float64{"read": 64}},
	}
}

func (w truth) check(t *testing.T, l log) {
	t.Helper()
	same := func(want float64, name string, attrs ...string) {
		t.Helper()
		got, n := l.value(name, attrs...)
		if got != want || n > 1 {
			t.Errorf("%s %v: %v in %d records, want %v", name, attrs, got, n, want)
		}
	}
	if _, n := l.value(results.WireMirror, "handshake", w.handshake, "replies", w.replies, "how", w.how, "start", "header"); n != 1 {
		t.Errorf("no connection as expected in %v", l[0])
	}
	same(w.size, results.WireMirrorSize)
	same(w.writes, results.WireMirrorWrites, "command", "write")
	same(w.writeBytes, results.WireMirrorBytes, "command", "write")
	same(w.zeroes, results.WireMirrorWrites, "command", "write-zeroes")
	same(w.zeroBytes, results.WireMirrorBytes, "command", "write-zeroes")
	same(w.againWritten, results.WireMirrorAgain, "after", "write")
	if w.writes > 0 {
		same(16*mib, results.WireMirrorDistinct)
		same(w.again, results.WireMirrorAgain, "after", "")
		same(w.writes, results.WireMirrorLatency, "command", "write", "stat", "count")
	}
	for c, n := range w.other {
		same(n, results.WireMirrorOther, "command", c)
	}
	same(0, results.WireDamage)
	same(0, results.WireMirrorErrors)
	for _, r := range l {
		if r.Attrs["stream"] != "1" || r.Host != "sw" || r.Source != results.SourceWire || r.Time == 0 || r.Attrs["atleast"] != "" {
			t.Errorf("record %+v", r)
		}
	}
}

func TestRealConnections(t *testing.T) {
	for _, w := range append(mirrors(), reads()...) {
		t.Run(w.file, func(t *testing.T) {
			for _, list := range pieces(t, w.file+".pcap.zst") {
				s, l := decode(list)
				w.check(t, l)
				if a, b := s.Undecoded(); a != 0 || b != 0 {
					t.Errorf("not understood: %d B, %d B", a, b)
				}
			}
		})
	}
}

// Latencies of a real mirror are between the shortest and the longest time that its packets can have taken.
func TestLatencies(t *testing.T) {
	list := pieces(t, "mirror-qemu10.pcap.zst")[0]
	_, l := decode(list)
	span := float64(list[len(list)-1].at.Time-list[0].at.Time) / 1e9
	last := 0.0
	for _, stat := range []string{"min", "p50", "p90", "p99", "max"} {
		v, n := l.value(results.WireMirrorLatency, "command", "write", "stat", stat)
		if n != 1 || v <= 0 || v < last || v > span {
			t.Errorf("%s is %v s of %v", stat, v, span)
		}
		last = v
	}
}

// This old-style server refuses all: nothing that it refused may look like an answer.
func TestOldstyleErrors(t *testing.T) {
	_, l := decode(pieces(t, "oldstyle.pcap.zst")[0])
	if _, n := l.value(results.WireMirror, "handshake", "oldstyle", "replies", "simple", "start", "header"); n != 1 {
		t.Errorf("no connection in %v", l)
	}
	for c, want := range map[string]float64{"flush": 2, "write-zeroes": 1} {
		if got, _ := l.value(results.WireMirrorErrors, "command", c, "error", "EINVAL"); got != want {
			t.Errorf("%v refusals of %s, want %v", got, c, want)
		}
	}
}

func TestEncryptedTellsNoCounts(t *testing.T) {
	s, l := decode(pieces(t, "mirror-tls.pcap.zst")[0])
	if _, n := l.value(results.WireMirrorEncrypted); n != 1 || !s.Encrypted() {
		t.Errorf("encryption was not told: %v", l)
	}
	for _, r := range l {
		if r.Value != 0 || r.Name == results.WireDamage {
			t.Errorf("record %+v", r)
		}
	}
}

// A snap length that cut headers costs exactness, and it is said.
func TestSnapLength(t *testing.T) {
	_, l := decode(pieces(t, "mirror-snap128.pcap.zst")[0])
	got, _ := l.value(results.WireMirrorWrites, "command", "write", "atleast", "true")
	if got == 0 || got > 15 {
		t.Errorf("%v writes, want at least 1 and at most 15", got)
	}
	if _, n := l.value(results.WireDamage); n == 0 {
		t.Error("no damage was told")
	}
	if again, _ := l.value(results.WireMirrorAgain, "after", "", "atleast", "true"); again > 17104896 || math.IsNaN(again) {
		t.Errorf("%v B again", again)
	}
}
