package checkpoint

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// TestSaveRestore brings a guest's memory back byte by byte, whatever way it went.
func TestSaveRestore(t *testing.T) {
	memory := append(randomBytes(5<<20, 1), make([]byte, 7<<20+123)...)
	for _, c := range []struct {
		name  string
		o     Options
		other bool // restored on the other host
	}{
		{"stream", Options{Format: guest.FormatStream, To: ToDisk}, false},
		{"stream to memory", Options{Format: guest.FormatStream, To: ToMemory}, false},
		{"stream, compressed", Options{Format: guest.FormatStream, To: ToDisk, Compression: CompressionZstd}, false},
		{"stream, restored elsewhere", Options{Format: guest.FormatStream, To: ToDisk, Compression: CompressionZstd}, true},
		{"stream to the other host", Options{Format: guest.FormatStream, To: ToOther}, true},
		{"stream to the other host and back", Options{Format: guest.FormatStream, To: ToOther}, false},
		{"mapped-ram", Options{Format: guest.FormatMappedRAM, To: ToDisk}, false},
		{"mapped-ram to the other host", Options{Format: guest.FormatMappedRAM, To: ToOther}, true},
		{"memory-file", Options{Format: guest.FormatMemoryFile, To: ToMemory, Load: "on-demand"}, false},
		{"memory-file, restored elsewhere", Options{Format: guest.FormatMemoryFile, To: ToMemory}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, c.o, false)
			g, rec := l.guest(memory), &log{}
			thawed := 0
			id, err := l.vault.Save(t.Context(), g, 1, func() { thawed++ }, rec)
			if err != nil || thawed != 1 {
				t.Fatalf("%v, thawed %d times", err, thawed)
			}
			h := l.src
			if c.other {
				h = l.dst
			}
			back, err := l.vault.Restore(t.Context(), id, h, rec)
			if err != nil {
				t.Fatal(err)
			}
			got := back.(*fakeGuest)
			if !bytes.Equal(got.memory, memory) {
				t.Errorf("got %d B back, not the %d B that were saved", len(got.memory), len(memory))
			}
			if c.o.Format == guest.FormatMemoryFile && string(got.state) != "state" {
				t.Errorf("devices' state: %q", got.state)
			}
			if o := l.driver.options[0]; o.OnDemand != (c.o.Load == "on-demand") {
				t.Errorf("asked for %+v", o)
			}
			want := []string{results.CheckpointBegin, results.CheckpointWritten, results.CheckpointSynced, results.CheckpointEnd, results.CheckpointVerified}
			if got := rec.names(); !slices.Equal(got, want) {
				t.Errorf("records %v", got)
			}
			for _, r := range rec.list {
				if r.Attrs["checkpoint"] != id {
					t.Errorf("%s names checkpoint %q", r.Name, r.Attrs["checkpoint"])
				}
			}
			checkWritten(t, rec, c.o, int64(len(memory)))
			_ = back.Close()
		})
	}
}

// checkWritten holds what was recorded against what was saved.
func checkWritten(t *testing.T, rec *log, o Options, memory int64) {
	t.Helper()
	raw := memory
	if o.Format == guest.FormatMemoryFile {
		raw += int64(len("state"))
	}
	w := rec.only(t, results.CheckpointWritten).Attrs
	if w["raw"] != bytesAttr(raw) {
		t.Errorf("raw is %s B, want %d", w["raw"], raw)
	}
	verified := bytesAttr(int64(rec.only(t, results.CheckpointVerified).Value))
	if w["bytes"] != verified || (w["bytes"] == w["raw"]) != (o.Compression != CompressionZstd) {
		t.Errorf("%s B written, %s B verified, %s B raw", w["bytes"], verified, w["raw"])
	}
}

// TestSaveFails leaves nothing of a checkpoint that failed, and no guest waits for it.
func TestSaveFails(t *testing.T) {
	for _, to := range []string{ToDisk, ToOther} {
		l := newLab(t, Options{Format: guest.FormatStream, To: to}, false)
		g, rec := l.guest(randomBytes(1<<20, 1)), &log{}
		g.fail = &guest.OutcomeError{Reason: "the hypervisor died"}
		_, err := l.vault.Save(t.Context(), g, 1, func() { t.Error("thawed") }, rec)
		var outcome *guest.OutcomeError
		if !errors.As(err, &outcome) {
			t.Fatalf("got %v", err)
		}
		if end := rec.only(t, results.CheckpointEnd); !strings.Contains(end.Attrs["error"], "the hypervisor died") {
			t.Errorf("recorded %v", end)
		}
		left, _ := filepath.Glob(filepath.Join(l.dir, "*", "*", "*"))
		hidden, _ := filepath.Glob(filepath.Join(l.dir, "*", "*", ".*"))
		if len(left)+len(hidden) > 0 {
			t.Errorf("left %v %v", left, hidden)
		}
	}
}

// TestRefused wants what is damaged to be refused before a hypervisor sees any of it, with the place where it is damaged.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, l *lab, id string)
		says   string
	}{
		{"truncated", func(t *testing.T, l *lab, id string) {
			if err := l.vault.Damage(t.Context(), id, DamageTruncate, &log{}); err != nil {
				t.Fatal(err)
			}
		}, "memory: it has 4718592 B, 9437184 B were written"},
		{"flipped", func(t *testing.T, l *lab, id string) {
			if err := l.vault.Damage(t.Context(), id, DamageFlip, &log{}); err != nil {
				t.Fatal(err)
			}
		}, "memory: chunk 1, B 4194304 to 8388607, does not hold what was written"},
		{"gone", func(_ *testing.T, l *lab, id string) {
			_ = os.Remove(filepath.Join(l.dir, "src", "disk", id, "memory"))
		}, "the file is missing"},
		{"no manifest", func(_ *testing.T, l *lab, id string) {
			_ = os.Remove(filepath.Join(l.dir, "src", "disk", id, manifestName))
		}, "virtscope checkpoint list"},
		{"another guest", func(_ *testing.T, l *lab, _ string) {
			l.vault.conf.Spec = func(h host.Host) guest.Spec {
				s := l.spec(h)
				s.Memory *= 2
				return s
			}
		}, "memory 1048576, now 2097152"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, Options{Format: guest.FormatStream, To: ToDisk}, false)
			rec := &log{}
			id, err := l.vault.Save(t.Context(), l.guest(randomBytes(9<<20, 1)), 1, nil, rec)
			if err != nil {
				t.Fatal(err)
			}
			c.damage(t, l, id)
			_, err = l.vault.Restore(t.Context(), id, l.src, rec)
			var outcome *guest.OutcomeError
			if !errors.As(err, &outcome) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if got := rec.only(t, results.CheckpointRefused).Attrs["error"]; !strings.Contains(got, c.says) {
				t.Errorf("recorded %q", got)
			}
			if len(l.driver.restored) > 0 {
				t.Error("a hypervisor was given it")
			}
		})
	}
}

// TestDiskChain restores each checkpoint of a chain to the disk as it was then, writes to none of them, and begins anew after
// a failure and with each instance.
func TestDiskChain(t *testing.T) {
	needs(t, "qemu-img", "qemu-io")
	for _, to := range []string{ToDisk, ToOther} {
		l := newLab(t, Options{Format: guest.FormatStream, To: to, Disk: "incremental", Keep: 10}, true)
		g := l.guest(randomBytes(100, 1))
		g.disk = filepath.Join(t.TempDir(), "guest.img")
		if err := os.WriteFile(g.disk, randomBytes(diskBytes, 2), 0o600); err != nil {
			t.Fatal(err)
		}
		var ids []string
		var was [][]byte
		rec := &log{}
		for n := range 5 {
			g.write(t, int64(n)*64<<10, byte(n+1))
			g.write(t, 15*64<<10, byte(n+1))
			g.fail = nil
			if n == 2 {
				g.fail = errors.New("no")
			}
			id, err := l.vault.Save(t.Context(), g, n+1, nil, rec)
			if (err != nil) != (n == 2) {
				t.Fatal(err)
			}
			if err == nil {
				now, _ := os.ReadFile(g.disk)
				ids, was = append(ids, id), append(was, now)
			}
		}
		var incremental []bool
		for _, o := range g.asked {
			incremental = append(incremental, o.Incremental)
		}
		if want := []bool{false, true, true, false, true}; !slices.Equal(incremental, want) {
			t.Errorf("asked for increments: %v, want %v", incremental, want)
		}
		for i, id := range ids {
			back, err := l.vault.Restore(t.Context(), id, l.src, rec)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(back.(*fakeGuest).disk)
			if err != nil || !bytes.Equal(got, was[i]) {
				t.Errorf("to %s: checkpoint %d is not the disk of then (%v)", to, i, err)
			}
			if err := l.vault.Verify(t.Context(), id, rec); err != nil {
				t.Errorf("after its restore: %v", err)
			}
		}
		// What the second goes on from is damaged: it is refused, too.
		at, _ := l.vault.find(ids[0])
		if err := damage(at.c.Path(ids[0], diskFile), DamageFlip, 100000); err != nil {
			t.Fatal(err)
		}
		if _, err := l.vault.Restore(t.Context(), ids[1], l.src, rec); err == nil || !strings.Contains(err.Error(), ids[0]) {
			t.Errorf("got %v", err)
		}
	}
}

// TestRetention keeps what was asked for, and what a guest runs from.
func TestRetention(t *testing.T) {
	l := newLab(t, Options{Format: guest.FormatMemoryFile, To: ToMemory, Load: "on-demand", Keep: 2}, false)
	g, rec := l.guest(randomBytes(1000, 1)), &log{}
	var ids []string
	save := func() {
		id, err := l.vault.Save(t.Context(), g, len(ids)+1, nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	save()
	back, err := l.vault.Restore(t.Context(), ids[0], l.src, rec)
	if err != nil {
		t.Fatal(err)
	}
	save()
	save()
	save()
	if _, err := os.Stat(l.driver.options[0].Memory); err != nil {
		t.Error("the memory of a running guest is gone: ", err)
	}
	if err := l.vault.Verify(t.Context(), ids[1], rec); err == nil {
		t.Error("the second is still there")
	}
	_ = back.Close()
	for range 100 { // the hold ends soon after the guest
		save()
		if _, err := os.Stat(l.driver.options[0].Memory); err != nil {
			return
		}
	}
	t.Error("the first stays for ever")
}

// TestHostDied loses what was in a host's memory.
func TestHostDied(t *testing.T) {
	l := newLab(t, Options{Format: guest.FormatStream, To: ToMemory}, false)
	id, err := l.vault.Save(t.Context(), l.guest(randomBytes(1000, 1)), 1, nil, &log{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.vault.HostDied(l.dst), l.vault.Verify(t.Context(), id, &log{})); err != nil {
		t.Fatal(err)
	}
	if err := l.vault.HostDied(l.src); err != nil {
		t.Fatal(err)
	}
	if _, err := l.vault.Restore(t.Context(), id, l.src, &log{}); err == nil {
		t.Error("it was restored from a memory that is gone")
	}
}
