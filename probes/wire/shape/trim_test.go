//go:build fixture

package shape

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
)

var (
	trimFrom = flag.String("trim", "", "folder of a recorded migration (cap.pcapng, lan-src.pcap, lan-dst.pcap, events.json, final.json)")
	trimTo   = flag.String("trimmed", "", "fixture to write: its path without .pcapng.zst")
)

// TestTrim makes a fixture (go test -tags fixture -run Trim -trim … -trimmed …): the migration's frames that carry payload, SYN, FIN or RST, with ciphertext, identifications, checksums
// and TCP options zeroed and record headers and handshakes kept, and the guest's own frames, each where it came from.
func TestTrim(t *testing.T) {
	mig := raw(t, filepath.Join(*trimFrom, "cap.pcapng"))
	blank(t, mig)
	all := []source{{"mig", mig}, {"src", raw(t, filepath.Join(*trimFrom, "lan-src.pcap"))}, {"dst", raw(t, filepath.Join(*trimFrom, "lan-dst.pcap"))}}
	writeFixture(t, *trimTo+".pcapng.zst", merge(t, all))
	writeTruth(t, *trimFrom, *trimTo+".json")
}

type source struct {
	name   string
	frames []capture.Frame
}

// raw reads the frames of a file.
func raw(t *testing.T, path string) []capture.Frame {
	t.Helper()
	f, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []capture.Frame
	for {
		x, err := f.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		x.Data = bytes.Clone(x.Data)
		list = append(list, x)
	}
}

// A keeper notes which bytes of a direction are headers of records or handshakes.
type keeper struct {
	head []byte
	body int
	keep [][2]int64
}

func (k *keeper) Data(offset int64, data []byte, _ tcp.Stamp) {
	for len(data) > 0 {
		if k.body > 0 {
			n := min(k.body, len(data))
			if k.head[0] != typeApplication {
				k.note(offset, int64(n))
			}
			k.body -= n
			data, offset = data[n:], offset+int64(n)
			continue
		}
		if len(k.head) == headLength {
			k.head = k.head[:0]
		}
		k.note(offset, 1)
		k.head = append(k.head, data[0])
		data, offset = data[1:], offset+1
		if len(k.head) == headLength {
			k.body = int(k.head[3])<<8 | int(k.head[4])
		}
	}
}

func (k *keeper) note(offset, n int64) {
	if last := len(k.keep) - 1; last >= 0 && k.keep[last][1] == offset {
		k.keep[last][1] += n
		return
	}
	k.keep = append(k.keep, [2]int64{offset, offset + n})
}

func (k *keeper) Gap(int64, int64, tcp.Stamp) {}
func (k *keeper) End(tcp.End, tcp.Stamp)      {}

// blank zeroes the ciphertext.
func blank(t *testing.T, list []capture.Frame) {
	t.Helper()
	type conn struct {
		*tcp.Connection
		keep [2]*keeper
	}
	conns := map[uint16]conn{}
	visit := func(x capture.Frame, f func(c conn, dir tcp.Direction, p *packet.Packet)) {
		var p packet.Packet
		if err := p.Decode(x.Link, x.Data, x.Length); err != nil || p.Kind != packet.TCP {
			return
		}
		dir, port := tcp.Forward, p.Src.Port()
		if port == migrationPort {
			dir, port = tcp.Reverse, p.Dst.Port()
		}
		c, ok := conns[port]
		if !ok {
			c.keep = [2]*keeper{{}, {}}
			c.Connection = tcp.New(c.keep[0], c.keep[1], tcp.Options{})
			conns[port] = c
		}
		f(c, dir, &p)
	}
	for n, x := range list {
		visit(x, func(c conn, dir tcp.Direction, p *packet.Packet) {
			c.Packet(dir, p, 0, tcp.Stamp{Time: x.Time, Packet: int64(n)})
		})
	}
	for _, x := range list {
		visit(x, func(c conn, dir tcp.Direction, p *packet.Packet) {
			scrub(x.Data)
			first := int64(int32(p.Seq - c.Base(dir)))
			if len(p.Payload) > 0 && first < 0 && c.Stats(dir).Bytes > 1<<31 {
				t.Fatal("trim a capture below 2 GiB")
			}
			keep := c.keep[dir].keep
			k, _ := slices.BinarySearchFunc(keep, first, func(s [2]int64, at int64) int { return cmp.Compare(s[1], at+1) })
			for i := range p.Payload {
				for k < len(keep) && keep[k][1] <= first+int64(i) {
					k++
				}
				if k == len(keep) || first+int64(i) < keep[k][0] {
					p.Payload[i] = 0
				}
			}
		})
	}
}

// scrub zeroes what compresses badly and matters to no one in a frame of IPv4 and TCP.
func scrub(frame []byte) {
	ip := frame[14:]
	clear(ip[4:6])
	clear(ip[10:12])
	segment := ip[int(ip[0]&15)*4:]
	clear(segment[14:20]) // window, checksum, urgent pointer
	clear(segment[20 : int(segment[12]>>4)*4])
}

// matters reports whether a frame of the migration is kept.
func matters(x capture.Frame) bool {
	var p packet.Packet
	err := p.Decode(x.Link, x.Data, x.Length)
	return err != nil || p.Kind != packet.TCP || p.PayloadLength > 0 || p.Flags&(packet.FlagSYN|packet.FlagFIN|packet.FlagRST) != 0
}

type tagged struct {
	capture.Frame
	iface int
}

// merge keeps, of the frames on the guest's network, the guest's own where they entered, and puts all in order.
func merge(t *testing.T, all []source) []tagged {
	t.Helper()
	var list []tagged
	for n, s := range all {
		for _, x := range s.frames {
			if n > 0 && (len(x.Data) < 12 || packet.MAC(x.Data[6:12]) != guestMAC) {
				continue
			}
			if n == 0 && !matters(x) {
				continue
			}
			list = append(list, tagged{x, n})
		}
	}
	slices.SortStableFunc(list, func(a, b tagged) int { return cmp.Compare(a.Time, b.Time) })
	type passing struct {
		time  int64
		iface int
	}
	seen := map[string]passing{} // the switch forwards within 5 ms
	list = slices.DeleteFunc(list, func(x tagged) bool {
		if x.iface == 0 {
			return false
		}
		p, ok := seen[string(x.Data)]
		if ok && p.iface != x.iface && x.Time-p.time < 5e6 {
			return true
		}
		seen[string(x.Data)] = passing{x.Time, x.iface}
		return false
	})
	for i, x := range list {
		if x.iface > 0 && len(x.Data) > 42 && x.Data[12] == 8 { // of the guest's IP packets the head is enough
			list[i].Data = x.Data[:42]
			clear(list[i].Data[18:20])
			clear(list[i].Data[24:26])
			clear(list[i].Data[40:42])
		}
	}
	return list
}

func writeFixture(t *testing.T, path string, list []tagged) {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	face := func(name string) pcapgo.NgInterface {
		return pcapgo.NgInterface{Name: name, LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}
	}
	w, err := pcapgo.NewNgWriterInterface(z, face("mig"), pcapgo.NgWriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"src", "dst"} {
		if _, err := w.AddInterface(face(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range list {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, x.Time), CaptureLength: len(x.Data), Length: x.Length, InterfaceIndex: x.iface}
		if err := w.WritePacket(info, x.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), z.Close(), os.WriteFile(path, out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d frames, %d B", path, len(list), out.Len())
}

// writeTruth keeps what QEMU said.
func writeTruth(t *testing.T, from, path string) {
	t.Helper()
	var events []struct {
		Event, Host string
		Data        struct{ Pass int }
		Timestamp   struct{ Seconds, Microseconds int64 }
	}
	var final struct{ RAM struct{ Transferred int64 } }
	for name, to := range map[string]any{"events.json": &events, "final.json": &final} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, to); err != nil {
			t.Fatal(err)
		}
	}
	args, _ := os.ReadFile(filepath.Join(from, "args.txt"))
	q := truth{Transferred: final.RAM.Transferred, PostCopy: bytes.Contains(args, []byte("postcopy-ram"))}
	for _, e := range events {
		ns := e.Timestamp.Seconds*1e9 + e.Timestamp.Microseconds*1e3
		switch {
		case e.Event == "STOP" && e.Host == "src":
			q.Stop = ns
		case e.Event == "RESUME" && e.Host == "dst":
			q.Resume = ns
		case e.Event == "MIGRATION_PASS" && e.Host == "src" && e.Data.Pass == 1:
			q.Pass1 = ns
		}
	}
	b, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// guestMAC is that of the guest in the captures.
var guestMAC = packet.MAC{0x52, 0x54, 0x00, 0x77, 0x00, 0x10}
