package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/testbed/guest"
)

// A guest whose memory is on huge pages boots, takes as many as it has memory, and gives them back.
func TestHugePagesBoot(t *testing.T) {
	needReal(t)
	const size = 2 << 20
	s := realSpec(t)
	s.Start.HugePages = size
	if err := checkHugePages(hugePagesDir, s, "src"); err != nil {
		t.Skip(err)
	}
	free := func() int64 {
		t.Helper()
		n, err := readCount(filepath.Join(hugePagesDir, "hugepages-2048kB", "free_hugepages"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := free()
	tr := newTrip(t, func(s *guest.Spec) { s.Start = guest.Start{HugePages: size, Prealloc: true} })
	if taken := before - free(); taken != tr.spec.Memory/size {
		t.Errorf("%d huge pages are taken, want %d", taken, tr.spec.Memory/size)
	}
	if err := tr.guest.Close(); err != nil {
		t.Error(err)
	}
	if after := free(); after != before {
		t.Errorf("%d huge pages are free, %d were before", after, before)
	}
	raw, err := os.ReadFile(filepath.Join(tr.spec.LogDir, "qemu-src-1.command"))
	if err != nil || !strings.Contains(string(raw), "hugetlb=on") {
		t.Errorf("%s, %v", raw, err)
	}
}
