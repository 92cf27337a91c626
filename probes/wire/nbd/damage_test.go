package nbd

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// cut cuts pieces into smaller ones, of n B or of random sizes up to -n.
func cut(list []piece, n int, rng *rand.Rand) []piece {
	var out []piece
	for _, p := range list {
		if p.gap > 0 || p.how != "" {
			out = append(out, p)
			continue
		}
		for len(p.data) > 0 {
			k := min(n, len(p.data))
			if n < 0 {
				k = min(1+rng.IntN(-n), len(p.data))
			}
			q := p
			q.data = p.data[:k]
			out = append(out, q)
			p.data, p.offset = p.data[k:], p.offset+int64(k)
		}
	}
	return out
}

func TestAnyCutsGiveTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, name := range []string{"mirror-qemu10", "read-structured", "oldstyle", "mirror-snap128", "mirror-tls", "head"} {
		head := name == "head"
		if head {
			name = "mirror-qemu10"
		}
		list := pieces(t, name+".pcap.zst")[0]
		if head { // with the first writes
			list = list[:60]
		}
		_, want := decode(list)
		sizes := []int{-700, -70000}
		if length(list, true) < 1<<20 && length(list, false) < 1<<20 {
			sizes = append(sizes, 1, 3, 29)
		}
		for _, n := range sizes {
			if _, got := decode(cut(list, n, rng)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s cut by %d:\n%v\nwant\n%v", name, n, got, want)
			}
		}
	}
}

// lose replaces n bytes of the client's or the server's stream with a gap.
func lose(list []piece, toServer bool, from, n int64) []piece {
	var out []piece
	for _, p := range list {
		end := p.offset + int64(len(p.data))
		if p.toServer != toServer || len(p.data) == 0 || end <= from || p.offset >= from+n {
			out = append(out, p)
			continue
		}
		a, b := max(from, p.offset)-p.offset, min(from+n, end)-p.offset
		head, hole, tail := p, p, p
		head.data = p.data[:a]
		hole.offset, hole.data, hole.gap = p.offset+a, nil, b-a
		tail.offset, tail.data = p.offset+b, p.data[b:]
		if a > 0 {
			out = append(out, head)
		}
		out = append(out, hole)
		if len(tail.data) > 0 {
			out = append(out, tail)
		}
	}
	return out
}

func length(list []piece, toServer bool) (n int64) {
	for _, p := range list {
		if p.toServer == toServer {
			n = max(n, p.offset+int64(len(p.data))+p.gap)
		}
	}
	return n
}

// However bytes are lost, nothing is made up: every sum is that of the whole connection, or less and marked.
func TestLostBytesMakeNothingUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, name := range []string{"mirror-qemu10", "mirror-simple", "mirror-qemu7"} {
		list := pieces(t, name+".pcap.zst")[0]
		_, whole := decode(list)
		resumed := 0
		for range 100 {
			toServer := rng.IntN(3) > 0
			from := rng.Int64N(length(list, toServer))
			s, l := decode(lose(list, toServer, from, 1+rng.Int64N(200_000)))
			_, damaged := l.value(results.WireDamage)
			_, resynced := l.value(results.WireResync)
			resumed += resynced
			for _, r := range l {
				attrs := []string{"command", r.Attrs["command"], "stat", r.Attrs["stat"], "after", r.Attrs["after"]}
				if r.Unit == results.Event || r.Unit == results.Seconds {
					continue
				}
				want, _ := whole.value(r.Name, attrs...)
				switch {
				case r.Name == results.WireMirrorSize:
				case r.Name == results.WireMirrorLatency && r.Value <= want: // a lost reply, or the end of a request, is not measured
				case r.Value > want:
					t.Fatalf("%s lost from %d: %s %v is %v, of %v", name, from, r.Name, attrs, r.Value, want)
				case r.Value < want && (r.Attrs["atleast"] != "true" || damaged == 0):
					t.Fatalf("%s lost from %d: %s %v is %v, of %v, and it is not said", name, from, r.Name, attrs, r.Value, want)
				}
			}
			if a, b := s.Undecoded(); damaged > 0 && a+b == 0 {
				t.Fatalf("%s lost from %d: damaged, and all was understood", name, from)
			}
		}
		if resumed == 0 {
			t.Errorf("%s: decoding never went on", name)
		}
	}
}

// What is lost in the content of blocks is of no consequence.
func TestLostContentIsNoDamage(t *testing.T) {
	list := pieces(t, "mirror-qemu10.pcap.zst")[0]
	_, whole := decode(list)
	want, _ := whole.value(results.WireMirrorBytes, "command", "write")
	from := int64(2 << 20)
	_, l := decode(lose(list, true, from, 1000))
	got, _ := l.value(results.WireMirrorBytes, "command", "write", "atleast", "")
	if _, n := l.value(results.WireDamage); n != 0 || got != want {
		t.Errorf("%d damages, %v B of %v", n, got, want)
	}
}

func TestDamageSaysWhere(t *testing.T) {
	list := pieces(t, "mirror-qemu10.pcap.zst")[0]
	// The second request begins behind the options, 98 B, and a header of 32 B.
	_, l := decode(lose(list, true, 130, 8))
	for _, r := range l {
		if r.Name == results.WireDamage {
			if r.Attrs["offset"] != "130" || r.Attrs["dir"] != "forward" || r.Attrs["packet"] == "" || r.Attrs["detail"] != "8 B are missing" {
				t.Errorf("damage %v", r.Attrs)
			}
			return
		}
	}
	t.Error("no damage was told")
}

func TestCaptureBeganLater(t *testing.T) {
	list := pieces(t, "mirror-qemu10.pcap.zst")[0]
	_, whole := decode(list)
	all, _ := whole.value(results.WireMirrorWrites, "command", "write")
	for _, begin := range []int{60, 100, 150} {
		_, l := decode(list[begin:])
		got, _ := l.value(results.WireMirrorWrites, "command", "write", "atleast", "true")
		if got <= 0 || got >= all {
			t.Errorf("from piece %d: %v writes of %v", begin, got, all)
		}
		if _, n := l.value(results.WireMirror, "start", "middle"); n != 1 {
			t.Errorf("from piece %d: %v", begin, l)
		}
		if _, n := l.value(results.WireDamage); n != 0 {
			t.Errorf("from piece %d: %d damages", begin, n)
		}
	}
}

func TestSniff(t *testing.T) {
	list := pieces(t, "mirror-qemu10.pcap.zst")[0]
	greeting, replies := true, 0
	for _, p := range list {
		switch {
		case len(p.data) == 0:
		case !p.toServer && Sniff(p.data):
			replies++
		case !p.toServer && greeting:
			t.Errorf("greeting % x is not known", p.data)
		case p.toServer && Sniff(p.data):
			t.Errorf("the client's % x passes for a server's", p.data[:min(16, len(p.data))])
		}
		greeting = greeting && p.toServer
	}
	if replies < 10 {
		t.Errorf("%d replies are known", replies)
	}
	for _, b := range []string{"", "NBD", "HTTP/1.1 200 OK\r\n", "\x67\x44\x66\x98"} {
		if Sniff([]byte(b)) || SniffClient([]byte(b)) {
			t.Errorf("%q passes", b)
		}
	}
}

func TestDataPathAllocatesNothing(t *testing.T) {
	s := New(Config{}, results.RecorderFunc(func(results.Record) {}))
	write := make([]byte, requestLength+65536)
	binary.BigEndian.PutUint32(write, requestMagic)
	binary.BigEndian.PutUint16(write[6:], uint16(cmdWrite))
	binary.BigEndian.PutUint32(write[24:], 65536)
	answer := make([]byte, simpleLength)
	binary.BigEndian.PutUint32(answer, simpleMagic)
	var there, back int64
	n := uint64(0)
	round := func() {
		n++
		binary.BigEndian.PutUint64(write[8:], n)
		binary.BigEndian.PutUint64(write[16:], n%256*65536) // 16 MiB, again and again
		binary.BigEndian.PutUint64(answer[8:], n)
		at := tcp.Stamp{Time: int64(n), Packet: int64(n)}
		for part := range slices.Chunk(write, 9000) {
			s.Client().Data(there, part, at)
			there += int64(len(part))
		}
		s.Server().Data(back, answer, at)
		back += int64(len(answer))
	}
	for range 300 {
		round()
	}
	if allocated := testing.AllocsPerRun(2000, round); allocated > 0 {
		t.Errorf("%v allocations a request", allocated)
	}
	if s.ledger.requests[cmdWrite] != int64(n) || s.ledger.distinct != 16*mib/sectorSize || s.replies.times[cmdWrite].Count() != int64(n) {
		t.Errorf("%d writes, %d sectors", s.ledger.requests[cmdWrite], s.ledger.distinct)
	}
}
