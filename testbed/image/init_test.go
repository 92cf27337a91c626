package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindInitBesideExecutable(t *testing.T) {
	bin, elsewhere := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(bin, "virtscope-guest"), []byte("x"))
	writeFile(t, filepath.Join(bin, "virtscope"), []byte("x"))
	link := filepath.Join(elsewhere, "virtscope")
	if err := os.Symlink(filepath.Join(bin, "virtscope"), link); err != nil {
		t.Fatal(err)
	}
	for _, exe := range []string{filepath.Join(bin, "virtscope"), link} {
		got, err := FindInit(exe)
		if err != nil || filepath.Base(got) != "virtscope-guest" {
			t.Errorf("FindInit(%s) = %q, %v", exe, got, err)
		}
	}
}

func TestFindInitNamesRemedy(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := FindInit("/nowhere/virtscope"); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("FindInit without anything = %v, want the remedy", err)
	}
}

func TestFindInitBuilds(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs go:", err)
	}
	path, err := FindInit("/nowhere/virtscope")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("built %s: %v, %v", path, info, err)
	}
}
