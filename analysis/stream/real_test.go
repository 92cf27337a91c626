package stream_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// What the decoders recorded of captures of real migrations.
func TestRealRecords(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ndjson.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no records: %v", err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		records, err := results.ReadRecords(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		c := build(t, records)
		addUp(t, &c.Migrations[0])
		var b bytes.Buffer
		if err := stream.Write(&b, c); err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimSuffix(filepath.Base(path), ".ndjson.gz")+".txt", b.Bytes())
	}
}
