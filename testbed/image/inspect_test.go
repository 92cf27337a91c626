package image

import (
	"path/filepath"
	"strings"
	"testing"
)

// qemu-img 10.0.2 info --output=json.
const realInfo = `{
    "children": [{"name": "file", "info": {"children": [], "virtual-size": 197120, "filename": "c.qcow2", "format": "file", "actual-size": 200704, "format-specific": {"type": "file", "data": {}}, "dirty-flag": false}}],
    "virtual-size": 67108864,
    "filename": "c.qcow2",
    "cluster-size": 65536,
    "format": "qcow2",
    "actual-size": 200704,
    "format-specific": {"type": "qcow2", "data": {"compat": "1.1", "compression-type": "zlib", "lazy-refcounts": false, "refcount-bits": 16, "corrupt": false, "extended-l2": false}},
    "dirty-flag": false
}`

func TestParseInfo(t *testing.T) {
	if format, size, err := parseInfo([]byte(realInfo)); format != QCOW2 || size != 64<<20 || err != nil {
		t.Errorf("image is %s, %d B, %v", format, size, err)
	}
	for text, want := range map[string]string{
		`{"format":"vmdk","virtual-size":512}`:                              "convert",
		`{"format":"qcow2","virtual-size":512,"backing-filename":"/b.raw"}`: "/b.raw",
		`{"format":"qcow2","virtual-size":512,"encrypted":true}`:            "encrypted",
		`{"format":"raw","virtual-size":0}`:                                 "0 B",
		`{"format":"raw"}`:                                                  "missing",
		`x`:                                                                 "read",
	} {
		if _, _, err := parseInfo([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add([]byte(realInfo))
	f.Fuzz(func(t *testing.T, text []byte) {
		if format, size, err := parseInfo(text); err == nil && (size <= 0 || format != Raw && format != QCOW2) {
			t.Fatalf("%q, %d B", format, size)
		}
	})
}

func TestInspect(t *testing.T) {
	if err := CheckQCOW2(); err != nil {
		t.Skip("needs qemu-img:", err)
	}
	dir := t.TempDir()
	for _, format := range []string{Raw, QCOW2} {
		path := filepath.Join(dir, "nbd:"+format) // no protocol, in spite of its name
		if err := MakeDisk(t.Context(), path, 1<<20, 0.5, format, 1); err != nil {
			t.Fatal(err)
		}
		if got, size, err := Inspect(path); got != format || size != 1<<20 || err != nil {
			t.Errorf("%s image is %s, %d B, %v", format, got, size, err)
		}
	}
	other := filepath.Join(dir, "other.vmdk")
	if err := runImg(t.Context(), "create", "-q", "-f", "vmdk", other, "1M"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, dir, filepath.Join(dir, "none")} {
		if got, _, err := Inspect(path); err == nil {
			t.Errorf("%s is taken for %s", path, got)
		}
	}
}
