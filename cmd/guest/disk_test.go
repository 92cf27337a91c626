package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"virtscope/testbed/guest/agent"
)

const testBlock = 4 * pageSize

// newDiskFile opens a disk that is a file. Past the page cache, where its file system can.
func newDiskFile(t *testing.T, blocks int64, w agent.Workload) (d *disk, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, blocks*testBlock+100); err != nil {
		t.Fatal(err)
	}
	w.Kind, w.Block = kindDisk, testBlock
	d, err := openDisk(path, &w, syscall.O_DIRECT|syscall.O_DSYNC)
	if errors.Is(err, syscall.EINVAL) {
		t.Log("the file system has no O_DIRECT: with the page cache, then")
		d, err = openDisk(path, &w, syscall.O_DSYNC)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.release)
	return d, path
}

func TestDiskIsVerified(t *testing.T) {
	for _, tt := range []struct {
		name    string
		corrupt func(t *testing.T, d *disk, f *os.File)
		pages   int64
		detail  string
	}{
		{"nothing", func(*testing.T, *disk, *os.File) {}, 0, "163840 B in blocks that were written"},
		{"flipped bit", func(t *testing.T, _ *disk, f *os.File) {
			var b [1]byte
			f.ReadAt(b[:], 5*testBlock+pageSize+77)
			f.WriteAt([]byte{b[0] ^ 1}, 5*testBlock+pageSize+77)
		}, 1, "page 1 of block 5, generation 2: 1 of 512 words"},
		{"lost block", func(t *testing.T, _ *disk, f *os.File) {
			f.WriteAt(make([]byte, testBlock), 5*testBlock)
		}, 4, "page 0 of block 5 is zero"},
		{"stale page", func(t *testing.T, d *disk, f *os.File) {
			d.layout.write(&d.pages[0], d.content(5, 2, 1))
			f.WriteAt(d.buffer[:pageSize], 5*testBlock+2*pageSize)
		}, 1, "block 5 is stale: it holds generation 1, not 2"},
		{"cut off", func(t *testing.T, _ *disk, f *os.File) { f.Truncate(9 * testBlock) }, 4, "read block 9"},
		{"never written", func(t *testing.T, _ *disk, f *os.File) { f.WriteAt([]byte("x"), 15*testBlock) }, 0, ""},
		{"lost generation", func(_ *testing.T, d *disk, _ *os.File) { d.generations[3], d.writes = 0, d.writes+1 }, 1, "add up"},
	} {
		d, path := newDiskFile(t, 16, agent.Workload{Seed: 3, Compressibility: 0.5})
		for range 2 {
			for b := range 10 {
				if _, _, err := d.write(b); err != nil {
					t.Fatal(err)
				}
			}
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		tt.corrupt(t, d, f)
		f.Close()
		v := verify(d)
		memory, disk := int64(0), tt.pages
		if tt.name == "lost generation" { // the table of generations is memory
			memory, disk = disk, memory
		}
		if v.Corrupt != memory || v.DiskCorrupt != disk || !strings.Contains(v.Detail, tt.detail) {
			t.Errorf("%s: %+v, want %d pages and %q", tt.name, v, tt.pages, tt.detail)
		}
		if tt.name != "lost generation" && (v.DiskVerified != 10*testBlock || v.Verified != 0) {
			t.Errorf("%s: %d B of the disk and %d B of memory were verified", tt.name, v.DiskVerified, v.Verified)
		}
	}
}

func TestDiskTakesAnArea(t *testing.T) {
	for _, tt := range []struct {
		area   int64
		blocks int
		err    string
	}{{0, 16, ""}, {3 * testBlock, 3, ""}, {3*testBlock + 1, 3, ""}, {17 * testBlock, 0, "take a smaller area"}} {
		path := filepath.Join(t.TempDir(), "disk")
		os.WriteFile(path, make([]byte, 16*testBlock+5), 0o600)
		d, err := openDisk(path, &agent.Workload{Block: testBlock, Area: tt.area}, 0)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("area %d: %v, want %q", tt.area, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if d.blocks != tt.blocks {
			t.Errorf("area %d has %d blocks, want %d", tt.area, d.blocks, tt.blocks)
		}
		d.release()
		d.release()
	}
	if _, err := openDisk("/nonexistent", &agent.Workload{Block: testBlock}, 0); err == nil {
		t.Error("a disk that is not there was opened")
	}
	small := filepath.Join(t.TempDir(), "small")
	os.WriteFile(small, make([]byte, 100), 0o600)
	if _, err := openDisk(small, &agent.Workload{Block: testBlock}, 0); err == nil || !strings.Contains(err.Error(), "less than a block") {
		t.Errorf("a disk smaller than a block: %v", err)
	}
}

func TestDiskIsPaced(t *testing.T) {
	for _, pattern := range []string{"", patternRandom} {
		d, _ := newDiskFile(t, 16, agent.Workload{Seed: 1})
		const rate = 64 * testBlock
		m := &meter{start: mono(), pace: constant(rate), unit: testBlock}
		var (
			stop  atomic.Bool
			times int64
		)
		watch := &diskWatch{say: func(r *report) {
			for _, n := range r.times.counts {
				times += n
			}
		}}
		choose, n := chooser(&agent.Workload{Pattern: pattern}, d.blocks), 0
		if err := writeDisk(d, func() int {
			n++
			stop.Store(n == 30)
			return choose()
		}, m, watch, &stop); err != nil {
			t.Fatal(err)
		}
		if elapsed := mono() - m.start; float64(30*testBlock) > constant(rate).asked(elapsed)+1 {
			t.Errorf("30 blocks in %d ns are faster than asked", elapsed)
		}
		if times != 30 || m.ops.Load() != 30 || m.written.Load() != 30*testBlock {
			t.Errorf("latencies of %d writes, %d writes, %d B, want 30", times, m.ops.Load(), m.written.Load())
		}
		if v := verify(d); v.Corrupt != 0 || v.DiskCorrupt != 0 {
			t.Errorf("%+v", v)
		}
	}
}

// A write that fails ends the workload, and its block is not judged.
func TestDiskFails(t *testing.T) {
	d, path := newDiskFile(t, 4, agent.Workload{})
	for b := range 4 {
		if _, _, err := d.write(b); err != nil {
			t.Fatal(err)
		}
	}
	syscall.Close(d.fd)
	var err error
	if d.fd, err = syscall.Open(path, syscall.O_RDONLY, 0); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	err = writeDisk(d, func() int { return 2 }, &meter{}, &diskWatch{say: func(*report) {}}, &stop)
	if !errors.Is(err, syscall.EBADF) {
		t.Errorf("writeDisk = %v", err)
	}
	if v := verify(d); v.Corrupt != 0 || v.DiskCorrupt != 0 || v.DiskVerified != 3*testBlock || !strings.Contains(v.Detail, "block 2 was not checked") {
		t.Errorf("%+v", v)
	}
}

func TestDiskWatch(t *testing.T) {
	var said []report
	w := &diskWatch{say: func(r *report) { said = append(said, *r) }}
	w.wrote(1000*ms, 1001*ms)
	w.wrote(1001*ms, 1001*ms+500)
	w.wrote(1002*ms, 1002*ms+stallThreshold) // just no stall
	if len(said) != 0 {
		t.Fatalf("said %+v before the bin was over", said)
	}
	w.wrote(1090*ms, 1390*ms)
	w.pass(1390 * ms)
	if len(said) != 2 || said[0].kind != reportTimes || said[0].mono != 1100*ms || said[0].times.max != stallThreshold {
		t.Fatalf("said %+v", said)
	}
	if c := said[0].times.counts; c[0] != 1 || c[10] != 1 || c[16] != 1 { // below 1 µs, 1 ms = 1000 µs < 2^10, 50,000 µs < 2^16
		t.Errorf("counts are %v", c)
	}
	if said[1].kind != reportStall || said[1].stall != (agent.DiskStall{Start: 1090 * ms, End: 1390 * ms}) {
		t.Errorf("said %+v", said[1])
	}
	w.pass(1500 * ms)
	w.pass(2500 * ms)
	if len(said) != 3 || said[2].mono != 1400*ms || said[2].times.max != 300*ms {
		t.Errorf("said %+v", said[2:])
	}
}

func TestFindDisk(t *testing.T) {
	class := t.TempDir()
	for name, serial := range map[string]string{"vda": "other\n", "vdb": diskSerial + "\n", "loop0": ""} {
		os.MkdirAll(filepath.Join(class, name), 0o755)
		if serial != "" {
			os.WriteFile(filepath.Join(class, name, "serial"), []byte(serial), 0o600)
		}
	}
	if got, err := findDisk(class, diskSerial); got != "vdb" || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	if got, err := findDisk(class, rootSerial); got != "" || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	if _, err := awaitDisk("no-such-serial", 1); err == nil {
		t.Error("a disk that is not there was found")
	}
}
