package provision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
)

const (
	templateSize = 16 << 20
	templateData = 8 << 20 // B from its begin that are random; the rest is a hole
)

// newTemplate makes a template of random data and a hole.
func newTemplate(t *testing.T, format string) Template {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t."+format)
	if err := image.MakeDisk(t.Context(), path, templateSize, 0.5, format, 7); err != nil {
		t.Fatal(err)
	}
	return Template{Path: path, Format: format, Size: templateSize}
}

// prepared makes a provisioner that is ready, and closes it with the test.
func prepared(t *testing.T, c Config, disks ...Disk) *Provisioner {
	t.Helper()
	p, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Prepare(t.Context(), disks); err != nil {
		t.Fatal(err)
	}
	return p
}

// sameContent compares a disk with the template, as a guest on h would see it.
func sameContent(t *testing.T, h host.Host, path, format string, template Template) {
	t.Helper()
	if said, err := run(t.Context(), h, nil, imgTool, "compare", "-f", format, "-F", template.Format, path, template.Path); err != nil {
		t.Errorf("the disk is another than the template: %v: %s", err, said)
	}
}

// TestMethods brings a disk by each method, and holds its content against the template's.
func TestMethods(t *testing.T) {
	store, hosts := newHosts(t, 2)
	for _, format := range []string{raw, qcow2} {
		template := newTemplate(t, format)
		for _, c := range []Config{
			{Method: Present},
			{Method: Copy, From: FromHost},
			{Method: Copy},
			{Method: Overlay},
			{Method: NBD},
			{Method: Tree, Fanout: 1},
			{Method: Tree},
		} {
			t.Run(strings.TrimSuffix(c.Method+"-"+c.From, "-")+"-"+format+"-"+strconv.Itoa(c.Fanout), func(t *testing.T) {
				var rec records
				c.Template, c.Store, c.Hosts, c.Recorder = template, store, hosts, &rec
				h, path := hosts[1].Host, filepath.Join(t.TempDir(), "disk")
				p := prepared(t, c, Disk{"g1", h, path})
				if err := p.Provide(t.Context(), "g1", h, path, &rec); err != nil {
					t.Fatal(err)
				}
				sameContent(t, h, path, p.Format(), template)
				checkRecords(t, &rec, c, path)
				if err := p.Provide(t.Context(), "g2", h, path, &rec); err == nil {
					t.Error("a disk that is there already was taken or overwritten")
				}
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
				for _, at := range hosts {
					if left, err := os.ReadDir(at.Dir); err != nil || len(left) > 0 {
						t.Errorf("Close left %v, %v", left, err)
					}
				}
				if moved := rec.served("store", FromStore); c.Method == NBD || c.Method == Tree || c.Method == Copy && c.From != FromHost {
					if moved < templateData || moved > templateData*5/4 {
						t.Errorf("the store sent %.0f B, want some more than the %d B of data that were read", moved, templateData)
					}
				}
			})
		}
	}
}

// checkRecords looks at what Provide recorded.
func checkRecords(t *testing.T, rec *records, c Config, path string) {
	t.Helper()
	begin, end := rec.named(results.ProvisionBegin), rec.named(results.ProvisionEnd)
	if len(begin) != 1 || len(end) != 1 || begin[0].Time > end[0].Time || begin[0].Host != "h1" || begin[0].Attrs["method"] != c.Method {
		t.Fatalf("records are %+v, %+v", begin, end)
	}
	n, err := strconv.ParseInt(end[0].Attrs["bytes"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	low, high := int64(templateData), int64(templateData*5/4)
	switch c.Method {
	case Present:
		low, high = 0, 0
	case Overlay, NBD, Tree:
		low, high = 1, 1<<20
	}
	if n < low || n > high {
		t.Errorf("%s says %d B, want %d to %d", path, n, low, high)
	}
}

// readDisk reads a part of a disk on a host, as a guest would, and compares it with the template's.
func readDisk(t *testing.T, h host.Host, path string, template Template, offset, length int64) {
	t.Helper()
	want, err := os.ReadFile(template.Path)
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "part")
	_, err = run(t.Context(), h, nil, imgTool, "dd", "-f", qcow2, "-O", raw, "bs=65536", "skip="+strconv.FormatInt(offset/65536, 10),
		"count="+strconv.FormatInt((offset+length)/65536, 10), "if="+path, "of="+dump)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dump)
	if err != nil || !bytes.Equal(got, want[offset:offset+length]) {
		t.Errorf("%d B at %d are not the template's: %d B, %v", length, offset, len(got), err)
	}
}

// TestNBDReadsOnDemand reads a part of two guests' disks on one host: each part crosses the link once a guest.
func TestNBDReadsOnDemand(t *testing.T) {
	store, hosts := newHosts(t, 1)
	template := newTemplate(t, raw)
	var rec records
	p := prepared(t, Config{Method: NBD, Template: template, Store: store, Hosts: hosts, Recorder: &rec})
	for i := range 2 {
		path := filepath.Join(t.TempDir(), "disk")
		if err := p.Provide(t.Context(), fmt.Sprint("g", i), hosts[0].Host, path, &rec); err != nil {
			t.Fatal(err)
		}
		readDisk(t, hosts[0].Host, path, template, 1<<20, 1<<20)
	}
	p.Close(t.Context())
	if moved := rec.served("store", FromStore); moved < 2<<20 || moved > 2<<20+256<<10 {
		t.Errorf("the store sent %.0f B, want 2 MiB and little more", moved)
	}
}

// TestTreeReadsOnce lets guests on all hosts read one part: it leaves the store once a topmost cache, and each cache once an asker.
func TestTreeReadsOnce(t *testing.T) {
	const part = 1 << 20
	store, hosts := newHosts(t, 5)
	template := newTemplate(t, raw)
	var rec records
	p := prepared(t, Config{Method: Tree, Fanout: 2, Template: template, Store: store, Hosts: hosts, Recorder: &rec})
	for i, h := range hosts {
		path := filepath.Join(t.TempDir(), "disk")
		if err := p.Provide(t.Context(), fmt.Sprint("g", i), h.Host, path, &rec); err != nil {
			t.Fatal(err)
		}
		readDisk(t, h.Host, path, template, 2<<20, part)
	}
	servers := p.Servers()
	p.Close(t.Context())
	// Two topmost caches over three caches of the level below, over five hosts: 2, 2 and 1.
	want := map[string]float64{"store 0": 2, "h0 2": 2, "h4 2": 1, "h0 1": 2, "h2 1": 2, "h4 1": 1}
	if len(servers) != len(want) {
		t.Errorf("servers are %+v", servers)
	}
	for _, s := range servers {
		// A host with two caches has two records that only differ in whom they ask.
		moved, times := rec.served(s.Host, s.From), want[fmt.Sprint(s.Host, " ", s.Level)]
		if moved < times*part || moved > times*(part+128<<10) {
			t.Errorf("%s of level %d sent %.0f B, want %.0f MiB and little more", s.Host, s.Level, moved, times)
		}
	}
}

// TestPrefetch learns what a guest reads, and brings it to a host before the next one reads it.
func TestPrefetch(t *testing.T) {
	const part = 1 << 20
	store, hosts := newHosts(t, 2)
	template := newTemplate(t, raw)
	for _, method := range []string{NBD, Tree} {
		t.Run(method, func(t *testing.T) {
			var rec records
			p := prepared(t, Config{Method: method, Prefetch: true, Fanout: 1, Template: template, Store: store, Hosts: hosts, Recorder: &rec})
			path := filepath.Join(t.TempDir(), "first")
			if err := p.Provide(t.Context(), "g0", hosts[1].Host, path, &rec); err == nil {
				t.Fatal("a disk was provided though it is not known what to prefetch")
			}
			learnt, err := p.ProvideLearning(t.Context(), hosts[0].Host, path)
			if err != nil {
				t.Fatal(err)
			}
			readDisk(t, hosts[0].Host, path, template, 3<<20, part)
			extents, err := learnt(t.Context())
			if err != nil || !covers(extents, 3<<20, part) {
				t.Fatalf("learnt %v, %v", extents, err)
			}
			if err := p.SetPrefetch(extents); err != nil {
				t.Fatal(err)
			}
			path = filepath.Join(t.TempDir(), "disk")
			if err := p.Provide(t.Context(), "g1", hosts[1].Host, path, &rec); err != nil {
				t.Fatal(err)
			}
			awaitPrefetch(t, &rec, len(hosts))
			readDisk(t, hosts[1].Host, path, template, 3<<20, part)
			p.Close(t.Context())
			got := rec.named(results.ImagePrefetched)
			if got[0].Value < part || got[0].Value > 2*part {
				t.Errorf("prefetched %+v", got)
			}
			times := map[string]float64{NBD: 3, Tree: 2}[method] // once to learn, once a cache that asks the store
			if moved := rec.served("store", FromStore); moved < times*part || moved > times*(part+256<<10) {
				t.Errorf("the store sent %.0f B, want %.0f MiB and little more", moved, times)
			}
		})
	}
}

func awaitPrefetch(t *testing.T, rec *records, n int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); len(rec.named(results.ImagePrefetched)) < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("prefetched %+v", rec.named(results.ImagePrefetched))
		}
	}
}

func covers(extents []Extent, offset, length int64) bool {
	return slices.ContainsFunc(extents, func(e Extent) bool { return e.Offset <= offset && e.Offset+e.Length >= offset+length })
}

// TestReflink shares blocks where the file system can, and names it where it cannot.
func TestReflink(t *testing.T) {
	_, hosts := newHosts(t, 1)
	template := newTemplate(t, raw)
	var rec records
	p, err := New(t.Context(), Config{Method: Reflink, Template: template, Hosts: hosts, Recorder: &rec})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	err = p.Prepare(t.Context(), nil)
	var refused *guest.NotSupportedError
	if errors.As(err, &refused) {
		if !strings.Contains(err.Error(), "file system ") || !strings.Contains(err.Error(), hosts[0].Dir) {
			t.Errorf("the error names no file system: %v", err)
		}
		if left, err := os.ReadDir(hosts[0].Dir); err != nil || len(left) > 0 {
			t.Errorf("it left %v, %v", left, err)
		}
		t.Skip("the copy itself needs a file system with reflinks:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(hosts[0].Dir, "disk")
	if err := p.Provide(t.Context(), "g", hosts[0].Host, path, &rec); err != nil {
		t.Fatal(err)
	}
	sameContent(t, hosts[0].Host, path, raw, template)
}

// TestCancel asks for a disk when it is too late: nothing is left.
func TestCancel(t *testing.T) {
	store, hosts := newHosts(t, 1)
	var rec records
	p := prepared(t, Config{Method: Copy, Template: newTemplate(t, raw), Store: store, Hosts: hosts, Recorder: &rec})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "disk")
	if err := p.Provide(ctx, "g", hosts[0].Host, path, &rec); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled copy says %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left the disk: %v", err)
	}
	if len(rec.named(results.ProvisionEnd)) > 0 {
		t.Error("it recorded an end")
	}
}

// TestPortIsTaken starts a server where another one is.
func TestPortIsTaken(t *testing.T) {
	store, hosts := newHosts(t, 1)
	var rec records
	c := Config{Method: NBD, Template: newTemplate(t, raw), Store: store, Hosts: hosts, Recorder: &rec}
	prepared(t, c)
	p, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Prepare(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "another port") {
		t.Errorf("a second server on the port: %v", err)
	}
}
