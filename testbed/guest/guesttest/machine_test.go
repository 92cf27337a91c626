package guesttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"

	"github.com/google/go-cmp/cmp"
)

func ms(n int64) int64 { return n * int64(time.Millisecond) }

// A machine's ticker is fed with times: no clock, no network.
func TestTicker(t *testing.T) {
	var misses []agent.TickMiss
	var beats []agent.Heartbeat
	m := &machine{known: true, say: func(m agent.Message) {
		if m.TickMiss != nil {
			misses = append(misses, *m.TickMiss)
		}
		if m.Heartbeat != nil {
			beats = append(beats, *m.Heartbeat)
		}
	}}
	m.state.LastTick, m.nextTick, m.nextBeat = ms(1000), ms(1001), ms(1020)
	for at := ms(1000); at <= ms(1100); at += ms(1) / 4 {
		if at > ms(1041) && at < ms(1053) || at > ms(1070) && at <= ms(1073) {
			continue
		}
		m.tick(at)
	}
	if diff := cmp.Diff([]agent.TickMiss{{Start: ms(1041), End: ms(1053)}, {Start: ms(1070), End: ms(1073) + ms(1)/4}}, misses); diff != "" {
		t.Error(diff)
	}
	want := []agent.Heartbeat{
		{Seq: 1, MaxStep: ms(1)},
		{Seq: 2, MaxStep: ms(1)},
		{Seq: 3, MaxStep: ms(12)},
		{Seq: 4, MaxStep: ms(3) + ms(1)/4},
		{Seq: 5, MaxStep: ms(1)},
	}
	if diff := cmp.Diff(want, beats); diff != "" {
		t.Error(diff)
	}
}

// The step over the outage goes from the source's last tick to the destination's first, whether its past
// comes before it wakes or after.
func TestTakeOver(t *testing.T) {
	past := state{LastTick: ms(500), Beats: 17, MaxStep: ms(2), Started: ms(3)}
	for _, early := range []bool{true, false} {
		var misses []agent.TickMiss
		var beats []int64
		m := &machine{say: func(m agent.Message) {
			if m.TickMiss != nil {
				misses = append(misses, *m.TickMiss)
			}
			if m.Heartbeat != nil {
				beats = append(beats, m.Heartbeat.Seq)
			}
		}}
		if early {
			if err := m.adopt(past); err != nil {
				t.Fatal(err)
			}
			if len(misses) > 0 {
				t.Error("it reports before it woke")
			}
		}
		m.running, m.firstTick = true, ms(540) // what wake does
		m.state.LastTick, m.nextTick = m.firstTick, m.firstTick+ms(1)
		if early {
			m.takeOver(*m.handed)
		} else {
			m.tick(ms(550)) // a step of its own
			if len(misses)+len(beats) > 0 {
				t.Error("it speaks before it knows its past")
			}
			if err := m.adopt(past); err != nil {
				t.Fatal(err)
			}
		}
		want := []agent.TickMiss{{Start: ms(500), End: ms(540)}}
		if !early {
			want = append(want, agent.TickMiss{Start: ms(540), End: ms(550)})
		}
		if diff := cmp.Diff(want, misses); diff != "" {
			t.Errorf("early %v: %s", early, diff)
		}
		if m.state.Started != past.Started || m.state.MaxStep != ms(40) || m.state.LastTick != map[bool]int64{true: ms(540), false: ms(550)}[early] {
			t.Errorf("early %v: state %+v", early, m.state)
		}
		m.nextBeat = 0
		m.tick(ms(600))
		if diff := cmp.Diff([]int64{18}, beats); diff != "" {
			t.Errorf("early %v: %s", early, diff)
		}
		if err := m.adopt(past); err == nil {
			t.Error("it takes over twice")
		}
	}
}

func TestMemorySurvivesTheWire(t *testing.T) {
	var src, dst memory
	if err := src.reserve(agent.Memory{Bytes: 5*memPage - 1, Seed: 9}); err != nil {
		t.Fatal(err)
	}
	if v := src.verify(); v != (agent.Verdict{Verified: 5 * memPage}) {
		t.Errorf("%+v", v)
	}
	near, far := net.Pipe()
	got := make(chan error, 1)
	go func() { got <- dst.receive(far) }()
	n, err := src.send(near)
	if err := errors.Join(err, <-got); err != nil {
		t.Fatal(err)
	}
	if n <= 5*memPage {
		t.Errorf("%d B sent", n)
	}
	if v := dst.verify(); v != (agent.Verdict{Verified: 5 * memPage}) {
		t.Errorf("%+v", v)
	}
	// The check must be able to fail.
	dst.region[3*memPage+100] ^= 1
	dst.region[4*memPage] ^= 0x80
	if v := dst.verify(); v != (agent.Verdict{Verified: 5 * memPage, Corrupt: 2, First: 3}) {
		t.Errorf("%+v", v)
	}
	copy(src.page(0), src.page(1)) // a page in another's place is wrong too
	if v := src.verify(); v.Corrupt != 1 || v.First != 0 {
		t.Errorf("%+v", v)
	}
	for _, bytes := range []int64{0, -1, maxReserve + 1} {
		if err := src.reserve(agent.Memory{Bytes: bytes}); err == nil {
			t.Errorf("%d B are reserved", bytes)
		}
	}
}

type half struct {
	net.Conn
	r io.Reader
	w bytes.Buffer
}

func (h *half) Read(p []byte) (int, error)  { return h.r.Read(p) }
func (h *half) Write(p []byte) (int, error) { return h.w.Write(p) }

func FuzzReceive(f *testing.F) {
	f.Add([]byte("{\"seed\":1,\"bytes\":0}\n"))
	f.Add([]byte("{\"seed\":1,\"bytes\":4096}\nshort"))
	f.Add([]byte("{\"bytes\":-4096}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if head, _, _ := bytes.Cut(b, []byte{'\n'}); bytes.Count(head, []byte("0")) > 6 {
			return // gigabytes
		}
		var m memory
		if err := m.receive(&half{r: bytes.NewReader(b)}); err == nil && len(m.region)%memPage != 0 {
			t.Errorf("%d B", len(m.region))
		}
	})
}

func TestArguments(t *testing.T) {
	want := arguments{tap: "tap0", card: guestCard, agent: "/run/x/agent1", incoming: "10.78.0.2:49152"}
	got, err := parseArguments(want.list())
	if err != nil || got.tap != want.tap || got.agent != want.agent || got.incoming != want.incoming ||
		got.card.ip != want.card.ip || !bytes.Equal(got.card.mac, want.card.mac) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, args := range [][]string{{"-mac", "x", "-ip", "10.0.0.1"}, {"-mac", "52:54:00:12:34:56", "-ip", "::1"}, {"-no"}} {
		var out bytes.Buffer
		if err := RunGuest(t.Context(), args, strings.NewReader(""), &out); err == nil {
			t.Errorf("%q runs", args)
		}
		if !strings.Contains(out.String(), `"error"`) {
			t.Errorf("%q: the driver is told %q", args, out.String())
		}
	}
}

// far is a host on another machine: no Doer.
type far struct{ host.Host }

func (far) Name() string { return "far" }

func TestRefusals(t *testing.T) {
	d := newDriver(t)
	spec := guest.Spec{NIC: nic, Dir: t.TempDir()}
	var missing *guest.NotSupportedError
	if _, err := d.Fingerprint(t.Context(), far{}, spec); !errors.As(err, &missing) {
		t.Errorf("a host on another machine: %v", err)
	}
	here, err := host.NewLocal("here")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	discard := results.RecorderFunc(func(results.Record) {})
	for name, edit := range map[string]func(*guest.Spec){
		"no address": func(s *guest.Spec) { s.NIC.Address = "" },
		"no MAC":     func(s *guest.Spec) { s.NIC.MAC = "" },
		"no folder":  func(s *guest.Spec) { s.Dir = "/no/such/folder" },
		"long path":  func(s *guest.Spec) { s.Dir = longFolder(t) },
	} {
		s := spec
		edit(&s)
		if _, err := d.Boot(t.Context(), here, s, discard); err == nil {
			t.Errorf("%s: it boots", name)
		}
	}
	if _, err := New(Config{}).Boot(t.Context(), here, spec, discard); err == nil {
		t.Error("without a command, it boots")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Boot(ctx, here, spec, discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, o := range map[string]guest.MigrateOptions{
		"algorithm": {Algorithm: "postcopy"},
		"bandwidth": {MaxBandwidth: 1},
		"outage":    {Outage: -1},
		"timeout":   {Outage: time.Second, Timeout: time.Second},
	} {
		if err := checkOptions(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func longFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() + "/" + strings.Repeat("long", 30)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
