package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"virtscope/probes/capture/file"
	"virtscope/probes/wire"
	"virtscope/results"
)

// A truth is what QEMU itself said of a migration: see testdata/README.md.
type truth struct {
	QEMU         string
	Capabilities []string
	LinkRate     string `json:"link_rate"`

	Normal, Zero, Syncs float64
	Requests            float64  `json:"postcopy_requests"`
	Stop                int64    `json:"stop_us"`
	Resume              int64    `json:"resume_us"`
	Passes              []int64  `json:"pass_us"`
	XBZRLE              *float64 `json:"xbzrle_bytes"`
	Compressed          *float64 `json:"compressed_bytes"`
}

func (q truth) has(capability string) bool {
	for _, c := range q.Capabilities {
		if c == capability {
			return true
		}
	}
	return false
}

// A found is what was read from a capture.
type found struct{ records []results.Record }

func (f *found) Record(r results.Record) { f.records = append(f.records, r) }

// sum adds the values of a name; attrs select.
func (f *found) sum(name string, attrs ...string) (sum float64, n int) {
	for _, r := range f.records {
		if r.Name == name && selects(r, attrs) {
			sum += r.Value
			n++
		}
	}
	return sum, n
}

func selects(r results.Record, attrs []string) bool {
	for i := 0; i+1 < len(attrs); i += 2 {
		if r.Attrs[attrs[i]] != attrs[i+1] {
			return false
		}
	}
	return true
}

// stage is when a stage begins, and its bounds, in ns.
func (f *found) stage(t *testing.T, name string) (at, earliest, latest int64) {
	t.Helper()
	for _, r := range f.records {
		if r.Name != results.WireStage || r.Attrs["stage"] != name {
			continue
		}
		earliest, latest = r.Time, r.Time
		if e, err := strconv.ParseInt(r.Attrs["earliest"], 10, 64); err == nil {
			earliest = e
		}
		if l, err := strconv.ParseInt(r.Attrs["latest"], 10, 64); err == nil {
			latest = l
		}
		return r.Time, earliest, latest
	}
	t.Fatalf("no stage %q", name)
	return 0, 0, 0
}

// decode reads a capture from path.
func decode(t testing.TB, path string, c wire.Config) *found {
	t.Helper()
	f, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out found
	c.Guests = true
	c.Port = func(_, iface int) string { return "port " + strconv.Itoa(iface) }
	s := wire.New(c, &out)
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		s.Frame(0, frame)
	}
	s.End()
	return &out
}

// TestRealMigrations holds what is read from real captures against QEMU's own counters and events.
func TestRealMigrations(t *testing.T) {
	t.Parallel()
	list, err := filepath.Glob("testdata/*.json")
	if err != nil || len(list) < 10 {
		t.Fatalf("captures: %v, %v", list, err)
	}
	for _, path := range list {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var q truth
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &q); err != nil {
				t.Fatal(err)
			}
			f := decode(t, "testdata/"+name+".pcapng.zst", wire.Config{})
			checkWhole(t, f)
			checkPages(t, q, f)
			checkSyncs(t, q, f)
			checkEdges(t, q, f)
		})
	}
}

// checkWhole wants one migration, complete, without damage.
func checkWhole(t *testing.T, f *found) {
	t.Helper()
	if _, n := f.sum(results.WireMigration); n != 1 {
		t.Errorf("%d migrations", n)
	}
	if _, n := f.sum(results.WireMigrationEnd, "how", "complete"); n != 1 {
		t.Error("the migration is not complete")
	}
	for _, name := range []string{results.WireDamage, results.WireResync} {
		if _, n := f.sum(name); n != 0 {
			t.Errorf("%d %s", n, name)
		}
	}
	for _, name := range []string{results.WireChannelMissing, results.WireChannelUndecoded} {
		if v, _ := f.sum(name); v != 0 {
			t.Errorf("%s = %v B", name, v)
		}
	}
	if _, n := f.sum(results.WireGuest); n != 1 {
		t.Errorf("%d guests, want one", n)
	}
}

// checkPages wants QEMU's own counts of pages.
func checkPages(t *testing.T, q truth, f *found) {
	t.Helper()
	normal, _ := f.sum(results.WirePages, "kind", results.PageNormal)
	multifd, _ := f.sum(results.WirePages, "kind", results.PageMultifd)
	zero, _ := f.sum(results.WirePages, "kind", results.PageZero)
	twice, _ := f.sum(results.WirePagesTwice)
	if q.Compressed != nil {
		// QEMU 7.2 counts results of idle compression threads, whenever it flushes them, as one page each; its sum of the
		// compressed bytes is right.
		pages, _ := f.sum(results.WirePages, "kind", results.PageCompressed)
		bytes, _ := f.sum(results.WirePageBytes, "kind", results.PageCompressed)
		// Its bytes leave out each page's 8 B head, and the names of blocks in the first head of a section.
		if names := bytes - 8*pages - *q.Compressed; names < 0 || names > pages/10 {
			t.Errorf("%v compressed pages, %v B with heads; QEMU says %v B", pages, bytes, *q.Compressed)
		}
		if zero > q.Zero {
			t.Errorf("%v zero pages, QEMU counts %v, idle threads among them", zero, q.Zero)
		}
		if normal != q.Normal {
			t.Errorf("%v normal pages, QEMU counts %v", normal, q.Normal)
		}
		return
	}
	// QEMU 7.2 may put a page into two multifd packets: it counts it once.
	if got := normal + multifd - twice; got != q.Normal {
		t.Errorf("%v normal pages, QEMU counts %v", got, q.Normal)
	}
	if zero != q.Zero {
		t.Errorf("%v zero pages, QEMU counts %v", zero, q.Zero)
	}
	if twice != 0 && (!q.has("multifd") || strings.HasPrefix(q.QEMU, "10.")) {
		t.Errorf("%v pages passed twice without a synchronisation between", twice)
	}
	if q.XBZRLE != nil {
		// QEMU's xbzrle-cache.pages counts unchanged pages, too, which it does not send. Its bytes leave out the 8 B head.
		pages, _ := f.sum(results.WirePages, "kind", results.PageXBZRLE)
		bytes, _ := f.sum(results.WirePageBytes, "kind", results.PageXBZRLE)
		if got := bytes - 8*pages; got != *q.XBZRLE {
			t.Errorf("%v B of differences, QEMU counts %v", got, *q.XBZRLE)
		}
	}
	if requests, n := f.sum(results.WirePageRequests, "answer", ""); n > 0 && requests != q.Requests && q.has("postcopy-preempt") {
		t.Errorf("%v page requests, QEMU counts %v", requests, q.Requests)
	}
}

// checkSyncs wants no more synchronisations than there were, and rounds whose bounds hold one.
func checkSyncs(t *testing.T, q truth, f *found) {
	t.Helper()
	syncs, _ := f.sum(results.WireSyncs)
	if syncs > q.Syncs || syncs < 2 {
		t.Errorf("%v synchronisations are proved, QEMU made %v", syncs, q.Syncs)
	}
	for _, r := range f.records {
		if r.Name != results.WireRound || r.Attrs["how"] == "postcopy" {
			continue
		}
		low, high := r.Time, r.Time
		if v, err := strconv.ParseInt(r.Attrs["earliest"], 10, 64); err == nil {
			low = v
		}
		if v, err := strconv.ParseInt(r.Attrs["latest"], 10, 64); err == nil {
			high = v
		}
		held := false
		for _, p := range q.Passes {
			// QEMU cuts its stamps to µs; round 1 has no lower bound but the stream's begin.
			held = held || p*1000 <= high && (p*1000+1000 >= low || r.Value == 1)
		}
		if !held {
			t.Errorf("round %v lies within [%d, %d], and QEMU made no synchronisation there: %v", r.Value, low, high, q.Passes)
		}
	}
}

const ms = 1e6 // ns

// checkEdges wants STOP and RESUME within the bounds, and within 1 ms where the stream waited for nothing.
func checkEdges(t *testing.T, q truth, f *found) {
	t.Helper()
	for _, edge := range []struct {
		stage string
		truth int64
	}{{results.StageStopCopy, q.Stop * 1000}, {results.StageRunning, q.Resume * 1000}} {
		at, low, high := f.stage(t, edge.stage)
		// QEMU announces the guest just before it starts it.
		if edge.truth+1000 < low || edge.truth-ms/2 > high {
			t.Errorf("%s: QEMU says %d, outside [%d, %d]", edge.stage, edge.truth, low, high)
		}
		off := float64(at-edge.truth) / ms
		t.Logf("%s: %+.3f ms of QEMU's event, bounds %.3f ms", edge.stage, off, float64(high-low)/ms)
		if waits(q, edge.stage, t.Name()) {
			continue
		}
		if off < -1 || off > 1 {
			t.Errorf("%s: %.3f ms of QEMU's event", edge.stage, off)
		}
	}
}

// waits reports whether a stop edge had to wait in the source's socket buffer behind memory that a link, or a CPU, was too
// slow to take: then its bounds alone tell.
func waits(q truth, stage, name string) bool {
	return stage == results.StageStopCopy && (q.LinkRate != "" || strings.HasSuffix(name, "/fast"))
}
