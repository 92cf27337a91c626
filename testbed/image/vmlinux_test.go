package image

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// tinyELF is an ELF file with one segment of notes.
func tinyELF(t *testing.T, notes []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	head := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	copy(head.Ident[:], elf.ELFMAG)
	head.Ident[elf.EI_CLASS], head.Ident[elf.EI_DATA], head.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	prog := elf.Prog64{Type: uint32(elf.PT_NOTE), Off: 120, Filesz: uint64(len(notes)), Memsz: uint64(len(notes))}
	for _, part := range []any{head, prog, notes} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	b.Write(bytes.Repeat([]byte("kernel text "), 1000))
	return b.Bytes()
}

func note(owner string, kind uint32, content []byte) []byte {
	var b []byte
	for _, v := range []uint32{uint32(len(owner)), uint32(len(content)), kind} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, part := range []string{owner, string(content)} {
		b = append(b, part...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

var pvhNotes = append(note("GNU\x00", 3, []byte("build id of odd size!")), note("Xen\x00", 18, []byte{0, 0, 0, 1})...)

// withPayload puts a payload into a bzImage.
func withPayload(payload []byte) []byte {
	b := bzImage("6.1.0-test (x) #1")
	binary.LittleEndian.PutUint16(b[protocolOffset:], 0x20f)
	const offset = 0x100
	binary.LittleEndian.PutUint32(b[payloadOffset:], offset)
	binary.LittleEndian.PutUint32(b[payloadLengthOffset:], uint32(len(payload)))
	b = append(b, make([]byte, offset)...)
	return append(append(b, payload...), "the rest"...)
}

func compressors(t *testing.T) map[string]func([]byte) []byte {
	sized := func(body, of []byte) []byte { return binary.LittleEndian.AppendUint32(body, uint32(len(of))) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func([]byte) []byte{
		"gzip": func(data []byte) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, err := w.Write(data)
			must(err)
			must(w.Close())
			return b.Bytes()
		},
		"zstd": func(data []byte) []byte {
			w, err := zstd.NewWriter(nil)
			must(err)
			return sized(w.EncodeAll(data, nil), data)
		},
		"lz4": func(data []byte) []byte {
			var b bytes.Buffer
			w := lz4.NewWriter(&b)
			must(w.Apply(lz4.LegacyOption(true)))
			_, err := w.Write(data)
			must(err)
			must(w.Close())
			return sized(b.Bytes(), data)
		},
		"xz": func(data []byte) []byte {
			// As scripts/xz_wrap.sh of Linux calls it.
			cmd := exec.Command("xz", "--check=crc32", "--x86", "--lzma2=dict=1MiB", "-c")
			cmd.Stdin = bytes.NewReader(data)
			out, err := cmd.Output()
			must(err)
			return sized(out, data)
		},
	}
}

func TestVmlinux(t *testing.T) {
	kernel := tinyELF(t, pvhNotes)
	for name, compress := range compressors(t) {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("xz"); name == "xz" && err != nil {
				t.Skip("needs xz to compress with the filter that Linux uses:", err)
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "vmlinuz")
			writeFile(t, path, withPayload(compress(kernel)))
			cache := filepath.Join(dir, "cache")
			for range 2 {
				got, err := Vmlinux(path, cache)
				if err != nil {
					t.Fatal(err)
				}
				if data, err := os.ReadFile(got); err != nil || !bytes.Equal(data, kernel) {
					t.Errorf("%s holds %d B, %v, want %d B", got, len(data), err, len(kernel))
				}
			}
			if files, err := os.ReadDir(cache); err != nil || len(files) != 1 {
				t.Errorf("the cache holds %v, %v, want one file", files, err)
			}
		})
	}
}

func TestVmlinuxRefuses(t *testing.T) {
	gz := compressors(t)["gzip"]
	whole := withPayload(gz(tinyELF(t, pvhNotes)))
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-len("the rest")-40] ^= 1
	old := bytes.Clone(whole)
	old[protocolOffset] = 7
	for want, data := range map[string][]byte{
		"no PVH entry":  withPayload(gz(tinyELF(t, note("GNU\x00", 18, nil)))),
		"no PVH entry ": withPayload(gz(tinyELF(t, note("Xen\x00", 17, nil)))),
		"no ELF":        withPayload(gz([]byte("text, and more of it"))),
		"begins with":   withPayload([]byte("BZh91AY&SY and so on")),
		"no kernel":     withPayload([]byte("x")),
		"cut off":       whole[:len(whole)-20],
		"decompress":    damaged,
		"too old":       old,
		"not a bzImage": []byte("text"),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "vmlinuz")
		writeFile(t, path, data)
		got, err := Vmlinux(path, filepath.Join(dir, "cache"))
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("Vmlinux = %q, %v, want an error with %q", got, err, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "cache")); err == nil {
			t.Errorf("%s: the cache holds something", want)
		}
	}
}

// The installed kernel, if there is one, is real input.
func TestVmlinuxOfInstalledKernel(t *testing.T) {
	k, err := FindKernel("")
	if err != nil {
		t.Skip("needs a kernel in /boot:", err)
	}
	got, err := Vmlinux(k.Path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(got)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		t.Errorf("vmlinux is for %v", f.Machine)
	}
}

func FuzzPayload(f *testing.F) {
	f.Add(withPayload([]byte("\x02\x21\x4c\x18\x04\x00\x00\x00abcdefgh")))
	f.Add(withPayload([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, image []byte) {
		payload, err := payloadOf(image)
		if err == nil && (len(payload) == 0 || len(payload) > len(image)) {
			t.Errorf("payload has %d B", len(payload))
		}
		hasPVHNote(image, binary.LittleEndian.Uint32)
	})
}
