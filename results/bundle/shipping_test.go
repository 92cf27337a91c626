package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Shipping a run leaves its bundle as it was, and is no change of the folder.
func TestShippingIsNoPart(t *testing.T) {
	dir := folder(t)
	data := packed(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, shippingDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, shippingDir, "x.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := packed(t, dir); !bytes.Equal(again, data) {
		t.Error("the bundle is another")
	}
	index, problems := Verify(bytes.NewReader(data))
	if problems = append(problems, Against(index, dir)...); len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
}
