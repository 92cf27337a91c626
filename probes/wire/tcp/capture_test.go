package tcp

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"
	"testing"
	"virtscope/probes/capture/packet"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
)

// sent is the SHA-256 of the file that was transferred.
const sent = "fad8d855eec31d1189c26be453c7d1de010ea9fc2b5a925ef1b3d4a2773011d4"

// A captured is a packet of a file.
type captured struct {
	packet.Packet
	vantage int
	time    int64
}

// read takes a capture apart with gopacket, not with our own decoder.
func read(tb testing.TB, path string, vantage int) (all []captured) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	r, err := pcapgo.NewReader(z)
	if err != nil {
		tb.Fatal(err)
	}
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, captured{decode(tb, data), vantage, info.Timestamp.UnixNano()})
	}
}

func decode(tb testing.TB, frame []byte) packet.Packet {
	tb.Helper()
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	ip, ok := p.NetworkLayer().(*layers.IPv4)
	if !ok {
		tb.Fatal("not IPv4")
	}
	t, ok := p.TransportLayer().(*layers.TCP)
	if !ok {
		tb.Fatal("not TCP")
	}
	src, _ := netip.AddrFromSlice(ip.SrcIP)
	dst, _ := netip.AddrFromSlice(ip.DstIP)
	out := packet.Packet{
		Kind: packet.TCP, Seq: t.Seq, Ack: t.Ack, Window: t.Window, Payload: t.Payload, PayloadLength: len(t.Payload),
		Src: netip.AddrPortFrom(src, uint16(t.SrcPort)), Dst: netip.AddrPortFrom(dst, uint16(t.DstPort)),
	}
	for flag, set := range map[packet.Flags]bool{fin: t.FIN, syn: t.SYN, rst: t.RST, ack: t.ACK} {
		if set {
			out.Flags |= flag
		}
	}
	return out
}

// replay gives packets in order of time; forward goes to port 4444.
func replay(tb testing.TB, packets []captured) *wire {
	tb.Helper()
	slices.SortStableFunc(packets, func(a, b captured) int { return cmp.Compare(a.time, b.time) })
	w := newWire(tb, Options{})
	w.got[0].keep = true
	var at Stamp
	for i := range packets {
		p := &packets[i]
		dir := Reverse
		if p.Dst.Port() == 4444 {
			dir = Forward
		}
		at = Stamp{p.time, int64(i + 1)}
		if w.Packet(dir, &p.Packet, p.vantage, at) {
			tb.Fatalf("packet %d begins another connection", i+1)
		}
	}
	w.End(at)
	return w
}

func checkSent(tb testing.TB, content []byte) {
	tb.Helper()
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != sent {
		tb.Errorf("%d B with SHA-256 %x, want %s", len(content), sum, sent)
	}
}

// At the sender's side bytes sent again are tshark's. At the receiver's side nothing passed twice: what tshark calls a
// retransmission there is, to us, a segment behind a later one. The counts are the same; of the 54 segments sent again, 21
// came behind none.
func TestRealCapture(t *testing.T) {
	sender, receiver := read(t, "testdata/sender.pcap.zst", 0), read(t, "testdata/receiver.pcap.zst", 1)
	for _, c := range []struct {
		name    string
		packets []captured
		want    Stats
	}{
		{"sender", sender, Stats{Segments: 408, Bytes: 512000, Resent: 78192}},
		{"receiver", receiver, Stats{Segments: 354, Bytes: 512000, Reordered: 33}},
		{"both", slices.Concat(sender, receiver), Stats{Segments: 408, Bytes: 512000, Resent: 78192, Reordered: 33}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := replay(t, c.packets)
			checkSent(t, w.got[0].content)
			s := w.Stats(Forward)
			if !s.SYN || !s.FIN || !w.Closed() {
				t.Errorf("SYN %v, FIN %v, closed %v", s.SYN, s.FIN, w.Closed())
			}
			s.SYN, s.FIN, s.First, s.Last, s.LastData = false, false, Stamp{}, Stamp{}, Stamp{}
			if diff := gocmp.Diff(c.want, s); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
			if _, _, ok := w.RoundTrip(); !ok {
				t.Error("no round trip")
			}
		})
	}
}

// A capture that missed packets has gaps where they were, and another vantage fills them.
func TestRealCaptureWithLoss(t *testing.T) {
	sender, receiver := read(t, "testdata/sender.pcap.zst", 0), read(t, "testdata/receiver.pcap.zst", 1)
	thin := func(all []captured, phase int) (kept []captured) {
		n := 0
		for _, p := range all {
			if p.PayloadLength > 0 {
				n++
			}
			if p.PayloadLength > 0 && n%20 == phase {
				continue
			}
			kept = append(kept, p)
		}
		return kept
	}
	thinned := thin(sender, 3)
	content := replay(t, slices.Clone(sender)).got[0].content
	var passed spans
	base := sender[0].Seq + 1
	for _, p := range thinned {
		if p.Dst.Port() == 4444 && p.PayloadLength > 0 {
			passed.add(int64(p.Seq-base), int64(p.Seq-base)+int64(p.PayloadLength))
		}
	}
	want, end := []hole(nil), int64(0)
	for _, s := range append(passed, span{lo: int64(len(content))}) {
		if s.lo > end {
			want = append(want, hole{end, s.lo - end})
			clear(content[end:s.lo])
		}
		end = s.hi
	}
	w := replay(t, thinned)
	if diff := gocmp.Diff(want, w.got[0].gaps, gocmp.AllowUnexported(hole{})); diff != "" || len(want) < 10 {
		t.Errorf("%d gaps (-want +got):\n%s", len(want), diff)
	}
	if !bytes.Equal(content, w.got[0].content) {
		t.Error("wrong content")
	}
	both := replay(t, slices.Concat(thinned, receiver))
	checkSent(t, both.got[0].content)
	if s := both.Stats(Forward); s.Missing != 0 {
		t.Errorf("%d B missing at both", s.Missing)
	}
}
