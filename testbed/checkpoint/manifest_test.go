package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"os"
	"strings"
	"testing"
	"time"
)

func testManifest() Manifest {
	sum := newSummer()
	_, _ = sum.Write(randomBytes(ChunkSize+1, 1))
	f := sum.file(File{Name: "memory", Role: RoleMemory, Compression: CompressionNone})
	f.Raw = f.Size
	return Manifest{
		Version: ManifestFormat, ID: "one", Guest: "guest", Created: time.Unix(1, 5).UTC(), Mode: "stop", Format: "stream", Compression: "none",
		Load: "eager", Files: []File{f}, Spec: Fingerprint{Driver: "qemu", Memory: 1 << 28, VCPUs: 1, Devices: []string{"nic", "<root>"}},
	}
}

// TestSummer holds hashes of chunks against those of the same bytes in one piece, however they were written.
func TestSummer(t *testing.T) {
	data := randomBytes(2*ChunkSize+5, 3)
	for _, step := range []int{1 << 20, ChunkSize, ChunkSize + 1, len(data)} {
		s := newSummer()
		for rest := data; len(rest) > 0; rest = rest[min(step, len(rest)):] {
			_, _ = s.Write(rest[:min(step, len(rest))])
		}
		f := s.file(File{})
		if f.Sum != sha256.Sum256(data) || len(f.Chunks) != 3 || f.Chunks[2] != sha256.Sum256(data[2*ChunkSize:]) ||
			f.Chunks[1] != sha256.Sum256(data[ChunkSize:2*ChunkSize]) || f.Size != int64(len(data)) {
			t.Errorf("in steps of %d: %d chunks", step, len(f.Chunks))
		}
	}
	if f := newSummer().file(File{}); len(f.Chunks) != 0 || f.Sum != sha256.Sum256(nil) {
		t.Error("of nothing")
	}
}

// TestManifest reads what was written, and nothing in which one byte is another.
func TestManifest(t *testing.T) {
	m := testManifest()
	text, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadManifest(bytes.NewReader(text))
	if err != nil || got.ID != "one" || got.Files[0].Chunks[1] != m.Files[0].Chunks[1] || !got.Created.Equal(m.Created) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := ReadManifest(bytes.NewReader(changed)); err == nil {
			t.Errorf("byte %d of %q is another, and nobody sees it", i, text[max(0, i-10):i+10])
		}
		if _, err := ReadManifest(bytes.NewReader(text[:i])); err == nil {
			t.Errorf("it ends after %d B, and nobody sees it", i)
		}
	}
	if _, err := ReadManifest(bytes.NewReader(append(text, "{}"...))); err == nil {
		t.Error("something follows it, and nobody sees it")
	}
}

// TestManifestRefused names what is wrong in a manifest that is otherwise whole.
func TestManifestRefused(t *testing.T) {
	for _, c := range []struct {
		says  string
		spoil func(*Manifest)
	}{
		{"is no name", func(m *Manifest) { m.Files[0].Name = "../memory" }},
		{"is no name", func(m *Manifest) { m.Files[0].Name = "/etc/passwd" }},
		{"is no name", func(m *Manifest) { m.Parent = ".." }},
		{"is no name", func(m *Manifest) { m.Guest = "" }},
		{"named twice", func(m *Manifest) { m.Files[0].Name = manifestName }},
		{"named twice", func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) }},
		{"its own parent", func(m *Manifest) { m.Parent = m.ID }},
		{"no files", func(m *Manifest) { m.Files = nil }},
		{"has role", func(m *Manifest) { m.Files[0].Role = "kernel" }},
		{"has compression", func(m *Manifest) { m.Files[0].Compression = "xz" }},
		{"has a size", func(m *Manifest) { m.Files[0].Raw++ }},
		{"has a size", func(m *Manifest) { m.Files[0].Size = -1 }},
		{"hashes of chunks", func(m *Manifest) { m.Files[0].Chunk = 0 }},
		{"hashes of chunks", func(m *Manifest) { m.Files[0].Chunks = m.Files[0].Chunks[:1] }},
		{"has format 2, want 1", func(m *Manifest) { m.Version = 2 }},
	} {
		m := testManifest()
		c.spoil(&m)
		text, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(bytes.NewReader(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want %q", err, c.says)
		}
	}
}

// FuzzManifest wants no input to break the reader, and what it takes to name nothing but files of one folder.
func FuzzManifest(f *testing.F) {
	m := testManifest()
	text, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"virtscope_checkpoint":1,"files":[{"chunk":1,"size":9223372036854775807}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ReadManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if strings.ContainsRune(file.Name, os.PathSeparator) || file.Name == ".." || file.chunks() != int64(len(file.Chunks)) {
				t.Errorf("took %+v", file)
			}
		}
		if again, err := m.encode(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%v: took what it would not write", err)
		}
	})
}
