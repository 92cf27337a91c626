package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

func TestDiskArguments(t *testing.T) {
	s := testSpec()
	if got := diskArguments(s, "src", false); got != nil {
		t.Errorf("a guest without a disk gets %q", got)
	}
	s.Disk = &guest.Disk{Size: 1 << 20, Paths: map[string]string{"src": "/disks/a,b.img", "dst": "/disks/c.img"}}
	src, dst := strings.Join(diskArguments(s, "src", false), " "), strings.Join(diskArguments(s, "dst", true), " ")
	for _, want := range []string{"filename=/disks/a,,b.img,", "driver=raw,", "cache.direct=on", "drive=disk0,serial=virtscope-disk"} {
		if !strings.Contains(src, want) {
			t.Errorf("no %q in %q", want, src)
		}
	}
	if dst != strings.Replace(src, "/disks/a,,b.img", "/disks/c.img", 1) {
		t.Errorf("the ends differ in more than the file: %q and %q", src, dst)
	}
	s.Disk.Format = image.QCOW2
	if got := strings.Join(diskArguments(s, "src", false), " "); !strings.Contains(got, "driver=qcow2,") {
		t.Errorf("no qcow2 in %q", got)
	}
}

func TestDiskCopyIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*guest.Disk, *guest.MigrateOptions)
		want   string // part of the error; "" is none
	}{
		{"mirror", func(*guest.Disk, *guest.MigrateOptions) {}, ""},
		{"incremental", func(d *guest.Disk, o *guest.MigrateOptions) { o.DiskCopy, d.Track = copyIncremental, true }, ""},
		{"nothing tracked", func(_ *guest.Disk, o *guest.MigrateOptions) { o.DiskCopy = copyIncremental }, "tracked"},
		{"unknown", func(_ *guest.Disk, o *guest.MigrateOptions) { o.DiskCopy = "teleport" }, `"teleport"`},
		{"unknown writes", func(_ *guest.Disk, o *guest.MigrateOptions) { o.DiskWrites = "later" }, `"later"`},
		{"blocking passes", func(d *guest.Disk, o *guest.MigrateOptions) {
			o.DiskCopy, o.DiskWrites, d.Track = copyIncremental, writesBlocking, true
		}, "write-blocking"},
		{"no port", func(_ *guest.Disk, o *guest.MigrateOptions) { o.DiskPort = 0 }, "port"},
		{"shared", func(d *guest.Disk, o *guest.MigrateOptions) { d.Shared, o.DiskCopy = true, "teleport" }, ""},
	} {
		s, o := testSpec(), guest.MigrateOptions{DiskCopy: copyMirror, DiskPort: 49252}
		s.Disk = &guest.Disk{Size: 1 << 20}
		c.change(s.Disk, &o)
		err := checkDiskCopy(s, o)
		var refused *guest.NotSupportedError
		if (c.want == "") != (err == nil) || c.want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	s := testSpec()
	if err := checkDiskCopy(s, guest.MigrateOptions{DiskCopy: "teleport"}); err != nil {
		t.Errorf("a guest without a disk is refused: %v", err)
	}
}

func TestPrepareDiskImage(t *testing.T) {
	dir := t.TempDir()
	s := testSpec()
	s.Disk = &guest.Disk{Size: 64 << 10, Format: image.Raw, Paths: map[string]string{
		"src": filepath.Join(dir, "src.img"), "dst": filepath.Join(dir, "dst.img"), "alias": filepath.Join(dir, "alias.img"),
		"same": filepath.Join(dir, "src.img"),
	}}
	if err := image.MakeDisk(t.Context(), s.Disk.Paths["src"], s.Disk.Size, 1, image.Raw, 1); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(s.Disk.Paths["src"])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.Disk.Paths["src"], s.Disk.Paths["alias"]); err != nil {
		t.Fatal(err)
	}
	mirror, incremental := guest.MigrateOptions{DiskCopy: copyMirror}, guest.MigrateOptions{DiskCopy: copyIncremental}
	if err := prepareDiskImage(t.Context(), s, "src", "dst", incremental); err == nil {
		t.Error("an incremental copy begins without the state at boot")
	}
	if err := prepareDiskImage(t.Context(), s, "src", "dst", mirror); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(s.Disk.Paths["dst"]); err != nil || len(got) != 64<<10 || slices.Max(got) != 0 {
		t.Errorf("the destination has no empty disk of the same size: %v", err)
	}
	if err := prepareDiskImage(t.Context(), s, "src", "dst", incremental); err != nil {
		t.Errorf("an incremental copy is refused though the image is there: %v", err)
	}
	// Nothing may ever replace the guest's own disk.
	for _, dst := range []string{"alias", "same", "unknown"} {
		if err := prepareDiskImage(t.Context(), s, "src", dst, mirror); err == nil {
			t.Errorf("%s: no error", dst)
		}
	}
	if after, err := os.ReadFile(s.Disk.Paths["src"]); err != nil || !slices.Equal(before, after) {
		t.Errorf("the source's disk has changed: %v", err)
	}
	s.Disk.Shared = true
	if err := prepareDiskImage(t.Context(), s, "src", "same", mirror); err != nil {
		t.Errorf("shared storage: %v", err)
	}
}

// diskRecordings are QMP transcripts of real copies of a disk, by QEMU 7.2 and 10.
func diskRecordings(t *testing.T, kind string) map[string]map[string][]json.RawMessage {
	t.Helper()
	paths, err := filepath.Glob("testdata/disk-" + kind + "-*-src.log")
	if err != nil || len(paths) < 2 {
		t.Fatalf("recordings %v, %v: want QEMU 7.2 and 10", paths, err)
	}
	all := map[string]map[string][]json.RawMessage{}
	for _, p := range paths {
		all[filepath.Base(p)] = messages(t, p)
	}
	return all
}

// Every key of a disk that is mapped occurs in what QEMUs say.
func TestDiskRepliesAreRead(t *testing.T) {
	for name, said := range diskRecordings(t, "incremental") {
		var stats []blockStats
		var nodes []blockNode
		if len(said["query-blockstats"]) == 0 || len(said["query-named-block-nodes"]) == 0 {
			t.Fatalf("%s: the replies are missing", name)
		}
		if err := json.Unmarshal(said["query-blockstats"][0], &stats); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(stats, func(s blockStats) bool { return s.Node != nil && *s.Node == diskNode })
		if i < 0 {
			t.Fatalf("%s: no statistics of %s", name, diskNode)
		}
		if s := stats[i].Stats; s.WriteBytes == nil || s.Writes == nil || s.FailedWrites == nil || s.UnmapBytes == nil || s.Unmaps == nil {
			t.Errorf("%s: statistics lack a key: %+v", name, s)
		}
		if err := json.Unmarshal(said["query-named-block-nodes"][0], &nodes); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, n := range nodes {
			for _, b := range n.Bitmaps {
				found = found || *n.Name == diskNode && *b.Name == diskBitmap && b.Count != nil
			}
		}
		if !found {
			t.Errorf("%s: no bitmap is read", name)
		}
	}
	for name, said := range diskRecordings(t, "mirror") {
		seen := 0
		for _, raw := range said["query-block-jobs"] {
			var jobs []blockJob
			if err := json.Unmarshal(raw, &jobs); err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				if j.Device == nil || *j.Device != mirrorJob.id || j.Offset == nil || j.Length == nil {
					t.Errorf("%s: a job lacks a key: %s", name, raw)
				}
				seen++
			}
		}
		if seen == 0 {
			t.Errorf("%s: no job was recorded", name)
		}
	}
}

// recordedEvents are the events of a recording, as a subscriber gets them.
func recordedEvents(t *testing.T, said map[string][]json.RawMessage) <-chan event {
	t.Helper()
	ch := make(chan event, len(said[""]))
	for _, raw := range said[""] {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		ch <- e
	}
	close(ch)
	return ch
}

// The course of real jobs is found in their events.
func TestAwaitJob(t *testing.T) {
	for name, said := range diskRecordings(t, "mirror") {
		events, last := recordedEvents(t, said), int64(0)
		for _, want := range []string{eventJobStatus, eventJobReady, eventJobCompleted} {
			e, err := awaitJob(t.Context(), events, nil, mirrorJob.id, want)
			if err != nil || e.Event != want || eventTime(e) < last {
				t.Fatalf("%s: %s: %+v, %v", name, want, e, err)
			}
			last = eventTime(e)
		}
	}
	for name, said := range diskRecordings(t, "incremental") {
		events := recordedEvents(t, said)
		for _, id := range []string{"virtscope-backup-1", "virtscope-backup-2"} {
			e, err := awaitJob(t.Context(), events, nil, id, eventJobCompleted)
			if err != nil || e.Data["len"] == 0.0 {
				t.Fatalf("%s: %s: %+v, %v", name, id, e, err)
			}
		}
		// A job that never ends has an end to its events.
		var outcome *guest.OutcomeError
		if _, err := awaitJob(t.Context(), events, nil, "virtscope-backup-77", eventJobCompleted); !errors.As(err, &outcome) {
			t.Errorf("%s: %v, want an outcome", name, err)
		}
	}
}

func TestAwaitJobThatFails(t *testing.T) {
	on := func(name string, data map[string]any) event { return event{Event: name, Data: data} }
	gone := make(chan struct{})
	close(gone)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		event  event
		gone   chan struct{}
		want   string
		others bool // the error is no outcome
	}{
		{"error", t.Context(), on(eventJobCompleted, map[string]any{"device": "j", "error": "No space left on device"}), nil, "No space left", false},
		{"cancelled by another", t.Context(), on(eventJobCancelled, map[string]any{"device": "j"}), nil, "before its time", false},
		{"another's", cancelled, on(eventJobReady, map[string]any{"device": "k"}), nil, "canceled", true},
		{"destination gone", t.Context(), on(eventJobReady, map[string]any{"device": "k"}), gone, "destination ended", false},
	} {
		events := make(chan event, 1)
		events <- c.event
		_, err := awaitJob(c.ctx, events, c.gone, "j", eventJobReady)
		var outcome *guest.OutcomeError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &outcome) == c.others {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAllowed(t *testing.T) {
	b := backup{rate: 10e6}
	if got := b.allowed(); got != 3e6 {
		t.Errorf("at QEMU's own limit of 300 ms: %d B, want 3,000,000", got)
	}
	b.options.DowntimeLimit = 1e9
	if got := b.allowed(); got != 10e6 {
		t.Errorf("in a second: %d B, want 10,000,000", got)
	}
}
