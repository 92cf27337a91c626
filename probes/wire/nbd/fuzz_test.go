package nbd

import (
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// run gives data to both directions. The script says of each piece how long it is, whose, and whether it is lost.
func run(script, data []byte, first bool) *Session {
	s := New(Config{}, results.RecorderFunc(func(r results.Record) {
		if r.Value < 0 {
			panic("negative " + r.Name)
		}
	}))
	offset := map[bool]int64{}
	for i := 0; len(data) > 0; i++ {
		n, op := 1+i%7, byte(0)
		if len(script) > 0 {
			op = script[i%len(script)]
			n = 1 + int(op)
		}
		n = min(n, len(data))
		toServer := first != (op%5 == 1)
		to := s.Client()
		if !toServer {
			to = s.Server()
		}
		at := tcp.Stamp{Time: int64(i), Packet: int64(i)}
		if op%11 == 3 {
			to.Gap(offset[toServer], int64(n), at)
		} else {
			to.Data(offset[toServer], data[:n], at)
		}
		offset[toServer] += int64(n)
		data = data[n:]
	}
	s.Client().End(tcp.Cut, tcp.Stamp{})
	s.Server().End(tcp.Cut, tcp.Stamp{})
	s.End(tcp.Stamp{})
	a, b := s.Undecoded()
	if a < 0 || b < 0 || a > offset[true] || b > offset[false] {
		panic("more was not understood than there was")
	}
	return s
}

func seed(f *testing.F, toServer bool) {
	for _, name := range []string{"mirror-qemu10", "mirror-simple", "read-structured", "oldstyle", "mirror-tls"} {
		var b []byte
		for _, p := range pieces(f, name+".pcap.zst")[0] {
			if p.toServer == toServer && len(b) < 4096 {
				b = append(b, p.data[:min(len(p.data), 256)]...)
			}
		}
		f.Add([]byte{63, 7, 2}, b)
		f.Add([]byte{1, 3, 200}, b)
	}
}

func FuzzClient(f *testing.F) {
	seed(f, true)
	f.Fuzz(func(_ *testing.T, script, data []byte) { run(script, data, true) })
}

func FuzzServer(f *testing.F) {
	seed(f, false)
	f.Fuzz(func(_ *testing.T, script, data []byte) { run(script, data, false) })
}
