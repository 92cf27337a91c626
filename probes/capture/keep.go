package capture

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
	"virtscope/probes"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// KeepMode says how much of each frame is kept.
type KeepMode int

// Whole frames, or their first 128 B with the length that passed.
const (
	KeepHeaders KeepMode = iota
	KeepWhole
)

const (
	headerSnap = 128
	wholeSnap  = 256 << 10 // what Wireshark's readers take at most; Linux makes larger frames only when told to
	keepChunks = 64        // 64 MiB wait for the disk at most
	overhead   = 8 << 10   // B: what pcapgo holds back (4 KiB), a block's head, a new interface
)

// KeepConfig asks for a pcapng file of the captured frames. If the disk cannot keep up, frames are left out of
// it: they count as ProbeDropped, and the file's interface statistics say how many; the records miss none.
type KeepConfig struct {
	Path string // created, or truncated
	Mode KeepMode
}

// A keeper writes a pcapng file: nanoseconds, one interface block per port, named as the port. VLAN tags
// that the kernel took off a frame are not in it.
type keeper struct {
	conf  KeepConfig
	file  io.WriteCloser
	queue *queue
	ng    *pcapgo.NgWriter
	ids   map[int]int // interface index → id in the file
	ports *ports
	kept  int64
	lost  int64 // frames for which there was no room
}

// newKeeper creates the file and starts to write. The meter counts the writing thread.
func newKeeper(c KeepConfig, p *ports, m *probes.Meter) (*keeper, error) {
	f, err := os.Create(c.Path)
	if err != nil {
		return nil, fmt.Errorf("create capture file: %w", err)
	}
	k := startKeeper(c, f, p, m)
	for _, index := range slices.Sorted(maps.Keys(p.known)) {
		if _, err := k.id(index); err != nil {
			return nil, errors.Join(k.explain(err), k.close())
		}
	}
	return k, nil
}

func startKeeper(c KeepConfig, file io.WriteCloser, p *ports, m *probes.Meter) *keeper {
	k := &keeper{conf: c, file: file, queue: newQueue(keepChunks), ids: map[int]int{}, ports: p}
	go func() {
		defer close(k.queue.ended)
		defer m.Thread()()
		k.queue.run(file)
	}()
	return k
}

// snap is how much of a frame is kept.
func (c KeepConfig) snap() int {
	if c.Mode == KeepWhole {
		return wholeSnap
	}
	return headerSnap
}

// add keeps a frame. It never waits for the disk. An error ends the file.
func (k *keeper) add(f Frame) error {
	if err := k.queue.err(); err != nil {
		return k.explain(err)
	}
	data := f.Data[:min(len(f.Data), k.conf.snap())]
	if !k.queue.room(len(data) + overhead) {
		k.lost++
		return nil
	}
	id, err := k.id(f.Interface)
	if err != nil {
		return k.explain(err)
	}
	err = k.ng.WritePacket(gopacket.CaptureInfo{
		Timestamp: time.Unix(0, f.Time), CaptureLength: len(data), Length: f.Length, InterfaceIndex: id,
	}, data)
	if err != nil {
		return k.explain(err)
	}
	k.kept++
	return nil
}

// id is the file's id of an interface. One that is not in the file yet is added.
func (k *keeper) id(index int) (int, error) {
	if id, ok := k.ids[index]; ok {
		return id, nil
	}
	block := pcapgo.NgInterface{
		Name: k.ports.of(index).name, LinkType: layers.LinkTypeEthernet, SnapLength: uint32(k.conf.snap()), OS: "linux",
	}
	if k.ng == nil {
		options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{OS: "linux", Application: "virtscope"}}
		ng, err := pcapgo.NewNgWriterInterface(k.queue, block, options)
		if err != nil {
			return 0, err
		}
		k.ng, k.ids[index] = ng, 0
		return 0, nil
	}
	id, err := k.ng.AddInterface(block)
	if err != nil {
		return 0, err
	}
	k.ids[index] = id
	return id, nil
}

// close writes the rest and closes the file.
func (k *keeper) close() error {
	var errs []error
	if k.lost > 0 {
		k.queue.await()
		errs = append(errs, k.ng.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{
			LastUpdate: time.Now(), PacketsReceived: uint64(k.kept + k.lost), PacketsDropped: uint64(k.lost),
		}))
	}
	if k.ng != nil {
		errs = append(errs, k.ng.Flush())
	}
	errs = append(errs, k.queue.close(), k.file.Close())
	if err := errors.Join(errs...); err != nil {
		return k.explain(err)
	}
	return nil
}

func (k *keeper) explain(err error) error {
	return fmt.Errorf("write capture file %s: %w: free space, or set probes.capture.keep to headers or none", k.conf.Path, err)
}
