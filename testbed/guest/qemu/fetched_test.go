package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"

	"golang.org/x/sys/unix"
)

// What QEMU 10.0.2 traced of an overlay over a qcow2 image over a raw one, shortened.
const recordedTrace = `2377@1795764664.106856:bdrv_open_common bs 0xa1 filename "/x/overlay" flags 0xa022 format_name "file"
2377@1795764664.123975:bdrv_open_common bs 0xa2 filename "/x/overlay" flags 0x2022 format_name "qcow2"
2377@1795764664.124036:bdrv_co_preadv_part bs 0xa1 offset 0 bytes 112 flags 0x0
2377@1795764664.128693:bdrv_open_common bs 0xb1 filename "/x/middle" flags 0xa020 format_name "file"
2377@1795764664.129918:bdrv_open_common bs 0xb2 filename "/x/middle" flags 0x2020 format_name "qcow2"
2377@1795764664.130000:bdrv_open_common bs 0xc2 filename "/x/base" flags 0x2020 format_name "raw"
2377@1795764664.137552:bdrv_co_preadv_part bs 0xa2 offset 0 bytes 512 flags 0x0
2377@1795764664.137581:bdrv_co_preadv_part bs 0xb2 offset 0 bytes 512 flags 0x0
2377@1795764664.137584:bdrv_co_preadv_part bs 0xc2 offset 0 bytes 512 flags 0x0
qemu-system-x86_64: warning: something
2377@1795764664.427786:bdrv_co_preadv_part bs 0xb2 offset 4096 bytes 1024 flags 0x8
2377@1795764664.500000:bdrv_co_preadv_part bs 0xa2 offset 0 bytes 65536 flags 0x0`

func TestReadTrace(t *testing.T) {
	r := readTrace{overlay: "/x/overlay"}
	for text := range strings.Lines(recordedTrace) {
		r.take(strings.TrimSuffix(text, "\n"))
	}
	if want := time.Unix(1795764664, 427786000); r.bytes != 1536 || !r.at.Equal(want) {
		t.Errorf("%d B until %s, want 1536 B until %s", r.bytes, r.at, want)
	}
	other := readTrace{overlay: "/y"}
	for text := range strings.Lines(recordedTrace) {
		other.take(strings.TrimSuffix(text, "\n"))
	}
	if other.bytes != 0 {
		t.Errorf("%d B of another disk", other.bytes)
	}
}

// What was read takes no more room, and what is written after it is read as before.
func TestReadTraceIsFreed(t *testing.T) {
	log := new(guesttest.Log)
	w, err := watchFetches(files{host: "src", trace: filepath.Join(t.TempDir(), "trace")}, guest.Spec{Disk: &guest.Disk{Paths: map[string]string{"src": "/x/overlay"}}}, log)
	if err != nil {
		t.Fatal(err)
	}
	qemu, err := os.OpenFile(w.file.Name(), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer qemu.Close()
	const times = 3000
	for n := range times {
		if _, err := qemu.WriteString(recordedTrace + "\n"); err != nil {
			t.Fatal(err)
		}
		if n%1000 == 999 {
			time.Sleep(2 * fetchedPoll)
		}
	}
	stat := func() (size, taken int64) {
		var at unix.Stat_t
		if err := unix.Fstat(int(qemu.Fd()), &at); err != nil {
			t.Fatal(err)
		}
		return at.Size, at.Blocks * 512
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	size, taken := stat()
	if size < 2*freeStep {
		t.Fatalf("%d B were written", size)
	}
	if taken > freeStep+64<<10 {
		if w.kept {
			t.Skip("this file system has no holes")
		}
		t.Errorf("%d B are taken of %d", taken, size)
	}
	if got := log.Named(results.ImageFetched); len(got) == 0 || got[len(got)-1].Value != times*1536 {
		t.Errorf("%+v", got)
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add(recordedTrace)
	f.Fuzz(func(t *testing.T, text string) {
		r := readTrace{overlay: "/x/overlay"}
		for part := range strings.Lines(text) {
			before := r.bytes
			r.take(strings.TrimSuffix(part, "\n"))
			if r.bytes < before {
				t.Fatalf("%q takes %d B back", part, before-r.bytes)
			}
		}
	})
}
