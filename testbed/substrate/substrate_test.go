package substrate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A fakeDriver makes guests that keep what they were told.
type fakeDriver struct {
	guest.Driver
	bootErr, saveErr, resumeErr error
	mute                        bool  // its agents say nothing
	balloonOff                  int64 // by how much the balloon does not follow
	lies                        bool  // its guests say another name than they were given

	made     []*fakeGuest
	options  []guest.RestoreOptions
	restored []guest.Spec
}

func (d *fakeDriver) Name() string { return "fake" }

func (d *fakeDriver) Boot(_ context.Context, _ host.Host, s guest.Spec, _ results.Recorder) (guest.Instance, error) {
	if d.bootErr != nil {
		return nil, d.bootErr
	}
	if s.Start.MemoryFile != "" {
		if err := os.WriteFile(s.Start.MemoryFile, []byte("booted"), 0o600); err != nil {
			return nil, err
		}
	}
	return d.make(s), nil
}

func (d *fakeDriver) Restore(_ context.Context, _ host.Host, s guest.Spec, o guest.RestoreOptions, _ results.Recorder) (guest.Instance, error) {
	d.options, d.restored = append(d.options, o), append(d.restored, s)
	g := d.make(s)
	g.stopped = true
	return g, nil
}

func (d *fakeDriver) make(s guest.Spec) *fakeGuest {
	g := &fakeGuest{d: d, spec: s, memory: s.Memory, vcpus: s.VCPUs, done: make(chan struct{})}
	g.agent = agent.NewClient(func(agent.Message, time.Time, string) {})
	ours, theirs := net.Pipe()
	g.agent.Attach("src", ours)
	go func() {
		if !d.mute { // an agent says hello unasked
			_, _ = theirs.Write([]byte(`{"mono":1,"hello":{"version":` + strconv.Itoa(agent.Version) + "}}\n"))
		}
		g.serve(theirs)
	}()
	d.made = append(d.made, g)
	return g
}

// running is how many of its guests were not closed.
func (d *fakeDriver) running() (n int) {
	for _, g := range d.made {
		select {
		case <-g.done:
		default:
			n++
		}
	}
	return n
}

type fakeGuest struct {
	d     *fakeDriver
	spec  guest.Spec
	agent *agent.Client
	done  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	stopped bool
	memory  int64
	vcpus   int
	told    []string // operations, in order
	saved   guest.SaveOptions
}

func (g *fakeGuest) note(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, what)
}

func (g *fakeGuest) serve(conn net.Conn) {
	for in := bufio.NewScanner(conn); in.Scan(); {
		var r agent.Request
		if json.Unmarshal(in.Bytes(), &r) != nil || g.d.mute {
			continue
		}
		g.note(r.Op)
		m := agent.Message{ID: r.ID}
		switch r.Op {
		case agent.OpHello:
			m.Hello = &agent.Hello{Version: agent.Version}
		case agent.OpForget:
			m.Identity = &agent.Identity{}
		case agent.OpIdentify:
			id := *r.Identity
			if g.d.lies {
				id.Name = "another"
			}
			m.Identity, m.Given = &id, true
		case agent.OpVCPUs:
			m.VCPUs, m.Asked = g.vcpus, g.vcpus
		}
		line, _ := json.Marshal(m) // a message can be written
		if _, err := conn.Write(append(line, '\n')); err != nil {
			return
		}
	}
}

func (g *fakeGuest) Host() host.Host            { return nil }
func (g *fakeGuest) Processes() []guest.Process { return nil }
func (g *fakeGuest) Done() <-chan struct{}      { return g.done }
func (g *fakeGuest) Agent() *agent.Client       { return g.agent }
func (g *fakeGuest) Close() error {
	g.once.Do(func() { close(g.done) })
	return g.agent.Close()
}

func (g *fakeGuest) Pause(context.Context) error { return nil }
func (g *fakeGuest) Resume(context.Context) error {
	g.note("resume")
	return g.d.resumeErr
}

func (g *fakeGuest) SetMemory(_ context.Context, b int64) (int64, error) {
	g.note("memory")
	g.memory = b + g.d.balloonOff
	return g.memory, nil
}

func (g *fakeGuest) AddVCPUs(_ context.Context, n int) error {
	g.note("plug")
	g.vcpus = n
	return nil
}

func (g *fakeGuest) Save(_ context.Context, o guest.SaveOptions) (guest.Saved, error) {
	g.note("save")
	g.saved = o
	if g.d.saveErr != nil {
		return guest.Saved{}, g.d.saveErr
	}
	return guest.Saved{}, errors.Join(os.WriteFile(o.Memory, make([]byte, 8192), 0o600), os.WriteFile(o.State, make([]byte, 10), 0o600))
}

type silent struct{}

func (silent) Record(results.Record) {}

const mib = 1 << 20

func config(t *testing.T, d *fakeDriver) Config {
	t.Helper()
	h, err := host.NewLocal("src")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return Config{
		Driver: d, Host: h, Dir: t.TempDir(), Format: guest.FormatMemoryFile, BootLimit: time.Minute,
		Guest: guest.Spec{Name: "saved", Memory: 256 * mib, VCPUs: 1}, Memory: 96 * mib, VCPUs: 2, Forget: true,
	}
}

// TestMake saves a guest that has forgotten who it is and was made small, in this order, and ends it.
func TestMake(t *testing.T) {
	d := &fakeDriver{}
	c := config(t, d)
	c.Guest.Disk = &guest.Disk{Paths: map[string]string{"src": "/disk"}}
	s, err := Make(t.Context(), c, silent{})
	if err != nil {
		t.Fatal(err)
	}
	g := d.made[0]
	if got, want := strings.Join(g.told, " "), "hello forget memory save"; got != want {
		t.Errorf("the guest was told %q, want %q", got, want)
	}
	if g.memory != 96*mib || !g.spec.Start.Balloon || g.spec.Start.MaxVCPUs != 2 || g.spec.VCPUs != 1 {
		t.Errorf("it was saved with %d B, %+v", g.memory, g.spec)
	}
	if !g.saved.StayStopped || g.saved.Memory != s.Memory() || g.saved.State == "" {
		t.Errorf("it was saved as %+v", g.saved)
	}
	if d.running() != 0 {
		t.Error("the guest that was saved runs on")
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "booted")); !os.IsNotExist(err) {
		t.Errorf("its own memory is left: %v", err)
	}
	if s.Bytes() < 8192 || s.Disk() != "/disk" || s.Took() < s.Booted() {
		t.Errorf("%d B, disk %q, booted in %s of %s", s.Bytes(), s.Disk(), s.Booted(), s.Took())
	}
}

// TestMakeFails leaves nothing that runs, whatever fails.
func TestMakeFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		driver fakeDriver
		limit  time.Duration
		want   string
	}{
		"boot":    {fakeDriver{bootErr: broken}, time.Minute, "boot the guest that is to be saved: broken"},
		"save":    {fakeDriver{saveErr: broken}, time.Minute, "broken"},
		"balloon": {fakeDriver{balloonOff: 5 * mib}, time.Minute, "101 MiB, not 96 MiB"},
		"mute":    {fakeDriver{mute: true}, 50 * time.Millisecond, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			d := c.driver
			conf := config(t, &d)
			conf.BootLimit = c.limit
			_, err := Make(t.Context(), conf, silent{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if d.running() != 0 {
				t.Error("the guest runs on")
			}
		})
	}
}

func made(t *testing.T, d *fakeDriver, change func(*Config)) *Saved {
	t.Helper()
	c := config(t, d)
	if change != nil {
		change(&c)
	}
	s, err := Make(t.Context(), c, silent{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestClone restores guests that are as the saved one was, but for what is their own.
func TestClone(t *testing.T) {
	d := &fakeDriver{}
	s := made(t, d, nil)
	nic := guest.NIC{Tap: "tap7"}
	c, err := s.Clone(t.Context(), nil, guest.Spec{Name: "guest-8", NIC: nic, Memory: mib, VCPUs: 9}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	got := d.restored[0]
	if got.Name != "guest-8" || got.NIC != nic || got.Memory != 256*mib || got.VCPUs != 1 || got.Start.MaxVCPUs != 2 || !got.Start.Balloon {
		t.Errorf("restored %+v", got)
	}
	if c.Spec.Memory != got.Memory || c.Spec.VCPUs != got.VCPUs {
		t.Errorf("the clone says that it is %+v", c.Spec)
	}
	if o := d.options[0]; !o.OnDemand || !o.Paused || o.Memory != s.Memory() {
		t.Errorf("restored by %+v", o)
	}
	if _, err := s.Clone(t.Context(), nil, guest.Spec{Start: guest.Start{MemoryFile: "/own"}}, silent{}); err != nil || d.options[1].OnDemand {
		t.Errorf("a guest whose memory is a file of its own maps the saved one: %v", err)
	}
}

// TestActivate tells a clone who it is when it runs, and holds it to that.
func TestActivate(t *testing.T) {
	me := agent.Identity{Name: "guest-8", Address: "10.77.16.7/16", MAC: "52:54:00:77:10:07"}
	for name, c := range map[string]struct {
		driver fakeDriver
		change func(*Config)
		order  Order
		told   string
		memory int64
		want   string // of the error
	}{
		"whole":    {order: Order{Identity: &me, VCPUs: 2}, told: "resume identify memory plug vcpus", memory: 256 * mib},
		"some":     {order: Order{Identity: &me, Memory: 128 * mib}, told: "resume identify memory", memory: 128 * mib},
		"nobody":   {order: Order{VCPUs: 1}, told: "resume memory", memory: 256 * mib},
		"warm":     {change: func(c *Config) { c.Memory, c.VCPUs = 0, 0 }, order: Order{}, told: "resume", memory: 256 * mib},
		"mistaken": {driver: fakeDriver{lies: true}, order: Order{Identity: &me}, told: "resume identify", memory: 256 * mib, want: "did not take its identity"},
		"stuck":    {driver: fakeDriver{resumeErr: errors.New("stuck")}, order: Order{Identity: &me}, told: "resume", memory: 256 * mib, want: "stuck"},
	} {
		t.Run(name, func(t *testing.T) {
			d := c.driver
			clone, err := made(t, &d, c.change).Clone(t.Context(), nil, guest.Spec{}, silent{})
			if err != nil {
				t.Fatal(err)
			}
			err = clone.Activate(t.Context(), c.order)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			g := d.made[1]
			if got := strings.Join(g.told, " "); got != c.told || g.memory != c.memory {
				t.Errorf("it was told %q and has %d MiB; want %q and %d MiB", got, g.memory/mib, c.told, c.memory/mib)
			}
		})
	}
}
