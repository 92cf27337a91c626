package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"run":"x"}`, "trials/1/records": strings.Repeat("record ", 3000), "trials/1/empty": "", "trials.csv": "a,b\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packed(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(&b, dir, "x", "v1"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	dir := folder(t)
	data := packed(t, dir)
	if again := packed(t, dir); !bytes.Equal(again, data) {
		t.Error("the same folder gave other bytes")
	}
	index, problems := Verify(bytes.NewReader(data))
	if len(problems) > 0 || len(index.Files) != 4 || index.Run != "x" {
		t.Fatalf("%+v %v", index, problems)
	}
	to := filepath.Join(t.TempDir(), "out")
	if _, err := Extract(bytes.NewReader(data), to, 1<<30); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(t, to), data) {
		t.Error("what came out is not what went in")
	}
	if _, err := Extract(bytes.NewReader(data), to, 1<<30); err == nil || !strings.Contains(err.Error(), "it exists") {
		t.Errorf("%v", err)
	}
}

// Every byte counts: whichever is changed, the bundle is called damaged, and nothing is extracted.
func TestAnyChangedByteIsFound(t *testing.T) {
	data := packed(t, folder(t))
	for i := range data {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(data)
			changed[i] ^= bit
			if _, problems := Verify(bytes.NewReader(changed)); !errors.Is(errors.Join(problems...), ErrDamaged) {
				t.Fatalf("byte %d of %d: %v", i, len(data), problems)
			}
		}
	}
	for _, n := range []int{0, 1, 39, 40, len(data) / 2, len(data) - 1} {
		if _, problems := Verify(bytes.NewReader(data[:n])); !errors.Is(errors.Join(problems...), ErrDamaged) {
			t.Errorf("cut to %d: %v", n, problems)
		}
	}
	if _, problems := Verify(bytes.NewReader(append(bytes.Clone(data), 0))); len(problems) == 0 {
		t.Error("an added byte was not found")
	}
	changed := bytes.Clone(data)
	changed[len(data)/2] ^= 4
	parent := t.TempDir()
	if _, err := Extract(bytes.NewReader(changed), filepath.Join(parent, "out"), 1<<30); err == nil {
		t.Error("a damaged bundle was extracted")
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

// forged is a tar with these entries in place of what Write makes.
func forged(t testing.TB, entries ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, e := range entries {
		if err := w.WriteHeader(header(e[0], int64(len(e[1])))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	one := func(path, sum string) string {
		return fmt.Sprintf(`{"format":1,"files":[{"path":%q,"size":1,"sha256":%q}]}`, path, sum)
	}
	const a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"other file":  {forged(t, [2]string{"bundle.json", one("f", a)}, [2]string{"f", "b"}), "f is not as it was written"},
		"missing":     {forged(t, [2]string{"bundle.json", one("f", a)}), "f is missing"},
		"extra":       {forged(t, [2]string{"bundle.json", one("f", a)}, [2]string{"f", "a"}, [2]string{"g", "a"}), `"g" is not in the index`},
		"outside":     {forged(t, [2]string{"bundle.json", one("../f", a)}, [2]string{"../f", "a"}), "leads out of the folder"},
		"absolute":    {forged(t, [2]string{"bundle.json", one("/etc/f", a)}, [2]string{"/etc/f", "a"}), "leads out of the folder"},
		"no index":    {forged(t, [2]string{"f", "a"}), "no bundle of virtscope"},
		"new format":  {forged(t, [2]string{"bundle.json", `{"format":2,"virtscope":"v9"}`}), "use the virtscope that packed it (v9)"},
		"no zstd":     {[]byte(strings.Repeat("no bundle ", 10)), "no trailer"},
		"larger file": {forged(t, [2]string{"bundle.json", one("f", a)}, [2]string{"f", "aa"}), `"f" of 2 B stands where`},
	} {
		_, problems := Verify(bytes.NewReader(c.data))
		if err := errors.Join(problems...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestLinksAreRefused(t *testing.T) {
	dir := folder(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(&bytes.Buffer{}, dir, "x", "v"); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("%v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(packed(f, folder(f)))
	f.Add(forged(f, [2]string{"bundle.json", `{"format":1}`}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		Verify(bytes.NewReader(data))
	})
}
