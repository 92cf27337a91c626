package shape

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// What QEMU counted is within the bounds of what TLS carried, and a stage's bytes are within the stream's.
func TestVolumes(t *testing.T) {
	for _, name := range fixtures {
		list, q := fixture(t, name)
		l := replay(list, options{encrypted: true})
		r := l.find(results.WirePlaintext, "inferred", "true")
		if r == nil {
			t.Fatalf("%s: no plaintext in %v", name, l)
		}
		least, most := edge(t, r, "least"), edge(t, r, "most")
		// In post-copy QEMU's counter is not that of the stream alone.
		if !q.PostCopy && (q.Transferred < least || q.Transferred > most || r.Value < float64(least) || r.Value > float64(most)) {
			t.Errorf("%s: %v B, %d to %d, QEMU counted %d", name, r.Value, least, most, q.Transferred)
		}
		if most-q.Transferred > 3*100 && !q.PostCopy { // the client's last handshake message, on three channels at most
			t.Errorf("%s: at most %d B, QEMU counted %d", name, most, q.Transferred)
		}
		for _, s := range l {
			if s.Name == results.WireStageBytes {
				if a, b := edge(t, &s, "least"), edge(t, &s, "most"); a > b || s.Value < float64(a) || s.Value > float64(b) {
					t.Errorf("%s %s: %v B of %d to %d", name, s.Attrs["stage"], s.Value, a, b)
				}
			}
		}
		// The stages up to the last are known by sight: what passed before the stop and after must be bounded so.
		var before, after int64
		for _, x := range list {
			if x.port == "mig" && x.p.Dst.Port() == migrationPort {
				if x.at.Time < q.Stop {
					before += int64(x.p.PayloadLength)
				} else {
					after += int64(x.p.PayloadLength)
				}
			}
		}
		pre := l.find(results.WireStageBytes, "stage", results.StagePreCopy)
		if edge(t, pre, "least") > before || before > edge(t, pre, "most")+edge(t, l.find(results.WireStageBytes, "stage", results.StageSetup), "most") {
			t.Errorf("%s: %v B of pre-copy, %d passed before the stop", name, pre, before)
		}
		if stop := l.find(results.WireStageBytes, "stage", results.StageStopCopy); !q.PostCopy && edge(t, stop, "most") < after {
			t.Errorf("%s: %v B of stop-and-copy, %d passed after the stop", name, stop, after)
		}
	}
}

// A limiter's windows are told from other gaps.
func TestLimiter(t *testing.T) {
	for _, name := range fixtures {
		list, _ := fixture(t, name)
		l := replay(list, options{encrypted: true})
		limited := l.find(results.WireMigration, "limited", "true") != nil
		if limited != (name == "limited") {
			t.Errorf("%s: limited %v", name, limited)
		}
		for _, r := range l {
			if r.Name == results.WireGap && (r.Value < .020 || r.Attrs["periodic"] != "" && !limited) {
				t.Errorf("%s: gap %v", name, r)
			}
		}
	}
	list, _ := fixture(t, "limited")
	l := replay(list, options{encrypted: true})
	if r := l.find(results.WireGap, "periodic", "true"); r == nil {
		t.Error("no gap is marked as periodic")
	}
}

func TestVolumeBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, span := range []int64{1e9, 60e9, 7200e9} {
		v := volume{begin: 5e18}
		type drop struct{ at, n int64 }
		var all []drop
		at := v.begin
		for at < v.begin+span {
			n := rng.Int64N(65536)
			v.add(at, n)
			all = append(all, drop{at, n})
			at += rng.Int64N(span / 5000)
		}
		for range 200 {
			when, want := v.begin+rng.Int64N(span), int64(0)
			for _, d := range all {
				if d.at < when {
					want += d.n
				}
			}
			if least, most := v.until(when); want < least || want > most {
				t.Fatalf("span %d: %d B, not %d to %d", span, want, least, most)
			}
		}
		if len(v.bins) > volumeBins {
			t.Errorf("span %d: %d bins", span, len(v.bins))
		}
	}
}

func TestServerHello(t *testing.T) {
	for _, c := range []struct {
		name, hello string
		version     uint16
		suite       uint16
		least, most int64
	}{
		{"1.3, ChaCha20", "0200009d030336ff0703390934390b9f9742d5015e20ed11f2f562f1588766f8e243e3b677c320fd14d69ed3280cf45ed5dd785e3e19e3a26df8a38f7b20c44fcbc57c9bde789f1303000055003300450017004104" + strings.Repeat("00", 64) + "002b00020304002900020000", 0x0304, 0x1303, 17, 17},
		{"1.2, ChaCha20", "0200005d03036ee9917a2e849ee01ea34e1dddb026631aa4b7b39cbdafd435c7409d043bc356209e0139cd62471150ccbc1f35853aa738c3bc2e66cbe58b1d50135b1aae416436ccac000015000b0002010000170000ff01000100", 0x0303, 0xccac, 16, 16},
		{"1.2, CBC", "020000610303c7af9c6fb57ad258e384c80ed13b749d9bfaea72706be75aadec5c61252f2332201da06a0cf7563a9e7a636b9be8985bb69e5e66e8d188627e7693a5bb244f65dcc035000019000b000201000016000000170000ff01000100", 0x0303, 0xc035, 0, 320},
	} {
		b, err := hex.DecodeString(c.hello)
		if err != nil {
			t.Fatal(err)
		}
		h := &hello{}
		h.add(b)
		h.read()
		least, most := h.overhead()
		if h.version != c.version || h.suite != c.suite || least != c.least || most != c.most {
			t.Errorf("%s: version %04x, suite %04x, overhead %d to %d", c.name, h.version, h.suite, least, most)
		}
	}
}

func TestSniff(t *testing.T) {
	for s, want := range map[string]bool{
		"\x16\x03\x01\x01\x8a\x01": true, "\x16\x03\x03": true, "\x16\x03\x05\x00\x00\x01": false, "\x16\x03\x01\x01\x8a\x02": false,
		"QEVM\x00\x00\x00\x03": false, "": false, "\x17\x03\x03\x00\x20\x01": false,
	} {
		if Sniff([]byte(s)) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestDataPathAllocatesNothing(t *testing.T) {
	i := New(Config{Encrypted: true}, results.RecorderFunc(func(results.Record) {}))
	f := i.Forward()
	record := append([]byte{typeApplication, 3, 3, 16, 17}, make([]byte, 4113)...)
	offset, n := int64(0), int64(0)
	send := func() {
		n++
		f.Data(offset, record, tcp.Stamp{Time: 1e18 + n%1000*1000, Packet: n})
		offset += int64(len(record))
	}
	send()
	if allocated := testing.AllocsPerRun(5000, send); allocated > 0 {
		t.Errorf("%v allocations a record", allocated)
	}
}

// The records of a stream do not depend on how it is cut.
func TestAnyCutsGiveTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var stream []byte
	for range 300 {
		n := rng.IntN(5000)
		stream = append(stream, typeApplication, 3, 3, byte(n>>8), byte(n))
		stream = append(stream, make([]byte, n)...)
	}
	at := tcp.Stamp{Time: 1e18, Packet: 1}
	var want string
	for _, size := range []int{1 << 20, 1, 2, 7, 4096} {
		i := New(Config{Encrypted: true}, results.RecorderFunc(func(results.Record) {}))
		f := i.Forward()
		for from := 0; from < len(stream); from += size {
			f.Data(int64(from), stream[from:min(from+size, len(stream))], at)
		}
		r := &i.forward[0].records
		got := strconv.FormatInt(r.count, 10) + " " + strconv.FormatInt(r.bytes, 10)
		if want == "" {
			want = got
		}
		if got != want || r.count != 300 || r.missed {
			t.Errorf("pieces of %d: %s, want %s", size, got, want)
		}
	}
}
