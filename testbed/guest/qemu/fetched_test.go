package qemu

import (
	"strings"
	"testing"
	"time"
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
