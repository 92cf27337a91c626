package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/probes"

	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// disk is a file that can be slow or full.
type disk struct {
	mu   sync.Mutex
	data bytes.Buffer
	gate chan struct{} // nil: not slow
	err  error
}

func (d *disk) Write(p []byte) (int, error) {
	if d.gate != nil {
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return 0, d.err
	}
	return d.data.Write(p)
}

func (d *disk) Close() error { return nil }

func testKeeper(d *disk, mode KeepMode) *keeper {
	p := &ports{map[int]*port{1: newPort("src"), 2: newPort("dst")}}
	return startKeeper(KeepConfig{Path: "switch.pcapng", Mode: mode}, d, p, probes.NewMeter("switch", "capture/switch"))
}

// read returns the numbers of the frames in a file.
func read(t *testing.T, d *disk) (n int, last pcapgo.NgInterfaceStatistics) {
	t.Helper()
	r, err := pcapgo.NewNgReader(&d.data, pcapgo.NgReaderOptions{})
	must(t, err)
	for {
		_, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			i, err := r.Interface(0)
			must(t, err)
			return n, i.Statistics
		}
		must(t, err)
		if ci.Length != 1000 {
			t.Fatalf("frame %d: length %d, want 1000", n, ci.Length)
		}
		n++
	}
}

func TestKeeperNeverWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{})} // hangs
	k := testKeeper(d, KeepWhole)
	const frames = 80_000 // 80 MB, more than may wait
	for i := range frames {
		must(t, k.add(Frame{Data: make([]byte, 1000), Length: 1000, Time: int64(i), Interface: 1 + i%2}))
	}
	if k.lost == 0 || k.kept == 0 || k.lost+k.kept != frames {
		t.Fatalf("kept %d, lost %d of %d", k.kept, k.lost, frames)
	}
	close(d.gate)
	must(t, k.close())
	n, stats := read(t, d)
	if int64(n) != k.kept {
		t.Fatalf("%d frames in the file, %d kept", n, k.kept)
	}
	if stats.PacketsDropped != uint64(k.lost) || stats.PacketsReceived != frames {
		t.Fatalf("file says %+v, lost were %d of %d", stats, k.lost, frames)
	}
}

func TestKeeperTellsOfFullDisk(t *testing.T) {
	t.Parallel()
	d := &disk{err: unix.ENOSPC}
	k := testKeeper(d, KeepHeaders)
	var err error
	for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); {
		err = k.add(Frame{Data: make([]byte, 1000), Length: 1000, Interface: 1})
	}
	for _, err := range []error{err, k.close()} {
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "switch.pcapng") || !strings.Contains(err.Error(), "free space") {
			t.Fatalf("got %v", err)
		}
	}
}

func TestKeeperWithoutFrames(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/empty.pcapng"
	k, err := newKeeper(KeepConfig{Path: path}, &ports{map[int]*port{3: newPort("src")}}, probes.NewMeter("switch", "x"))
	must(t, err)
	must(t, k.close())
	data, err := os.ReadFile(path)
	must(t, err)
	r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatalf("a file without frames cannot be read: %v", err)
	}
	if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, want io.EOF", err)
	}
}
