package shape

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// migrationPort is where the destination of the captures listens.
const migrationPort = 4444

// A truth is what QEMU itself said, in ns since the epoch.
type truth struct {
	Stop, Resume, Pass1 int64
	PostCopy            bool
	Transferred         int64 // B, query-migrate ram.transferred
}

// A log keeps records.
type log []results.Record

func (l *log) Record(r results.Record) { *l = append(*l, r) }

func (l log) find(name, attr, value string) *results.Record {
	for i := range l {
		if l[i].Name == name && l[i].Attrs[attr] == value {
			return &l[i]
		}
	}
	return nil
}

func (l log) stage(name string) *results.Record { return l.find(results.WireStage, "stage", name) }

func edge(t testing.TB, r *results.Record, attr string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(r.Attrs[attr], 10, 64)
	if err != nil {
		t.Fatalf("%s of %v: %v", attr, r.Attrs, err)
	}
	return v
}

// A frame of a fixture.
type frame struct {
	port string
	at   tcp.Stamp
	p    packet.Packet
}

// frames reads a capture with interfaces mig, src and dst.
func frames(t testing.TB, path string) []frame {
	t.Helper()
	f, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []frame
	for n := int64(1); ; n++ {
		raw, err := f.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		x := frame{port: f.Interfaces()[raw.Interface].Name, at: tcp.Stamp{Time: raw.Time, Packet: n}}
		raw.Data = append([]byte(nil), raw.Data...)
		if err := x.p.Decode(raw.Link, raw.Data, raw.Length); err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
}

func fixture(t testing.TB, name string) ([]frame, truth) {
	t.Helper()
	var q truth
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	if loaded[name] == nil {
		loaded[name] = frames(t, filepath.Join("testdata", name+".pcapng.zst"))
	}
	return slices.Clone(loaded[name]), q
}

// loaded are the fixtures that were read.
var loaded = map[string][]frame{}

// options change how a fixture is replayed.
type options struct {
	encrypted bool
	ports     func(string) string // renames a port; "-" leaves its frames out
	drop      func(n int64) bool  // packets that were not captured
	until     int64               // when the capture ends, ns; 0: with the last frame
}

// replay gives a capture to an Inference: all its connections are of one migration.
func replay(list []frame, o options) log {
	var l log
	i := New(Config{Stream: "1", Host: "sw", Encrypted: o.encrypted}, &l)
	type key struct{ port uint16 }
	conns := map[key]*tcp.Connection{}
	var order []*tcp.Connection
	var at tcp.Stamp
	for _, x := range list {
		if o.until != 0 && x.at.Time > o.until {
			break
		}
		at = x.at
		if o.drop != nil && o.drop(x.at.Packet) {
			continue
		}
		if x.port != "mig" {
			port := x.port
			if o.ports != nil {
				port = o.ports(port)
			}
			if port != "-" {
				i.Guest(kindOf(&x.p), port, x.at)
			}
			continue
		}
		dir, k := tcp.Forward, key{x.p.Src.Port()}
		if k.port == migrationPort {
			dir, k = tcp.Reverse, key{x.p.Dst.Port()}
		}
		c, ok := conns[k]
		if !ok {
			c = tcp.New(i.Forward(), i.Reverse(), tcp.Options{})
			conns[k] = c
			order = append(order, c)
		}
		c.Packet(dir, &x.p, 0, x.at)
	}
	for _, c := range order {
		c.End(at)
	}
	i.End(at)
	return l
}

func kindOf(p *packet.Packet) string {
	switch {
	case p.Kind == packet.ARP && p.Reverse:
		return "rarp"
	case p.Kind == packet.ARP && p.SenderIP == p.TargetIP:
		return "garp"
	}
	return "frame"
}
