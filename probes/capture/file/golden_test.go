package file

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/probes/capture/packet"
)

var update = flag.Bool("update", false, "write the golden files anew with tshark")

// fixtures are captures that tcpdump and dumpcap made between two network namespaces, and what editcap and mergecap made
// of them.
func fixtures(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.pcap*")
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, ".golden") })
	if err != nil || len(paths) < 10 {
		tb.Fatalf("fixtures: %v, %v", paths, err)
	}
	return paths
}

// line is a frame as tshark prints the fields that sharkFields names.
func line(f *File, number int, p *packet.Packet) (string, error) {
	frame, err := f.Next()
	if err != nil {
		return "", err
	}
	if err := p.Decode(frame.Link, frame.Data, frame.Length); err != nil {
		return "", fmt.Errorf("frame %d: %w", number, err)
	}
	name := f.Interfaces()[frame.Interface].Name
	s := fmt.Sprintf("%d,%d.%09d,%d,%d,%s", number, frame.Time/1e9, frame.Time%1e9, frame.Length, len(frame.Data), name)
	switch p.Kind {
	case packet.TCP:
		s += fmt.Sprintf(",%v,%v,%d,%d,%d,%d,%d,0x%02x,%d,,", p.Src.Addr(), p.Dst.Addr(), p.Src.Port(), p.Dst.Port(), p.PayloadLength, p.Seq, p.Ack, uint8(p.Flags), p.Window)
	case packet.UDP:
		s += fmt.Sprintf(",%v,%v,,,,,,,,%d,", p.Src.Addr(), p.Dst.Addr(), p.PayloadLength+8)
	case packet.ARP:
		s += fmt.Sprintf(",,,,,,,,,,,%d", p.Operation)
	default:
		s += ",,,,,,,,,,,"
	}
	vlan := ""
	if p.VLAN != 0 {
		vlan = fmt.Sprint(p.VLAN)
	}
	return s + "," + vlan, nil
}

var sharkFields = []string{
	"frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"tcp.srcport", "tcp.dstport", "tcp.len", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "udp.length", "arp.opcode", "vlan.id",
	"ieee8021ad.id", "eth.type", "icmp.type",
}

// shark is what tshark says of a capture, in the form of line.
func shark(tb testing.TB, path string) string {
	tb.Helper()
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "separator=,", "-E", "occurrence=f"}
	for _, f := range sharkFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for l := range strings.Lines(string(out)) {
		v := strings.Split(strings.TrimSuffix(l, "\n"), ",")
		outer, etherType, icmp := v[19], v[20], v[21]
		if etherType == "0x88a8" {
			v[18] = outer
		}
		v = v[:19]
		if icmp != "" { // what follows is of the packet in it
			v[16] = ""
		}
		if v[7] != "" {
			v[5], v[6] = v[7], v[8] // IPv6
		}
		v = append(v[:7], v[9:]...)
		if v[7] == "" && v[14] == "" { // neither TCP nor UDP: the decoder does not keep addresses
			v[5], v[6] = "", ""
		}
		if v[12] != "" { // tcp.flags is printed with 16 bit, of which the lower 8 count here
			v[12] = "0x" + v[12][len(v[12])-2:]
		}
		if v[16] == "0" { // a tag for priority alone
			v[16] = ""
		}
		fmt.Fprintln(&b, strings.Join(v, ","))
	}
	return b.String()
}

// Each frame of each fixture is what tshark says.
func TestGolden(t *testing.T) {
	for _, path := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(shark(t, path)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var p packet.Packet
			number := 0
			for expected := range strings.Lines(string(want)) {
				number++
				got, err := line(f, number, &p)
				if err != nil {
					t.Fatal(err)
				}
				// pcap has no names of interfaces, and tshark prints its own name for them.
				expected = strings.ReplaceAll(strings.TrimSuffix(expected, "\n"), ",unknown,", ",,")
				if got != expected {
					t.Fatalf("got\n%s, want\n%s", got, expected)
				}
			}
			if _, err := f.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("after the last frame: %v", err)
			}
			if n, cut := f.Truncated(); cut {
				t.Fatalf("truncated at %d B", n)
			}
		})
	}
}
