package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sumOfA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

// sealed adds a trailer that fits, as anyone can: it finds accidents, and is no signature.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	data = binary.LittleEndian.AppendUint32(data, trailerMagic)
	data = binary.LittleEndian.AppendUint32(data, sha256.Size)
	return append(data, sum[:]...)
}

func TestPathsThatCannotBeUnpackedAreRefused(t *testing.T) {
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{[]string{"f", "f"}, "has a file twice"},
		{[]string{"g", "f"}, "is not sorted"},
		{[]string{"f", "f/g"}, "as a file and as a folder"},
		{[]string{"f", "f-x", "f/g/h"}, "as a file and as a folder"},
		{[]string{"bundle.json"}, "is no file's"},
		{[]string{"."}, "is no file's"},
		{[]string{"a//b"}, "is no file's"},
		{[]string{"a/../b"}, "is no file's"},
		{[]string{"a/../../b"}, "leads out of the folder"},
		{[]string{""}, "leads out of the folder"},
	} {
		var list []string
		entries := [][2]string{{}}
		for _, p := range c.paths {
			list = append(list, fmt.Sprintf(`{"path":%q,"size":1,"sha256":%q}`, p, sumOfA))
			entries = append(entries, [2]string{p, "a"})
		}
		entries[0] = [2]string{indexName, `{"format":1,"files":[` + strings.Join(list, ",") + `]}`}
		data := sealed(forged(t, entries...))
		_, problems := Verify(bytes.NewReader(data))
		if err := errors.Join(problems...); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.paths, err, c.want)
		}
		parent := t.TempDir()
		if _, err := Extract(bytes.NewReader(data), filepath.Join(parent, "out"), 1<<20); err == nil {
			t.Errorf("%q was extracted", c.paths)
		}
		if left, _ := os.ReadDir(parent); len(left) != 0 {
			t.Errorf("%q left %v", c.paths, left)
		}
	}
}

func TestWhatGrowsTooLargeIsNotUnpacked(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	sum := sha256.Sum256([]byte(zeros))
	index := fmt.Sprintf(`{"format":1,"files":[{"path":"f","size":%d,"sha256":"%x"}]}`, len(zeros), sum)
	data := sealed(forged(t, [2]string{indexName, index}, [2]string{"f", zeros}))
	extract := func(most int64) error {
		_, err := Extract(bytes.NewReader(data), filepath.Join(t.TempDir(), "out"), most)
		return err
	}
	if err := extract(8<<20 - 1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if err := extract(8 << 20); err != nil {
		t.Error(err)
	}
	huge := fmt.Sprintf(`{"format":1,"files":[{"path":"f","size":%d,"sha256":""},{"path":"g","size":%d,"sha256":""}]}`, math.MaxInt64, math.MaxInt64)
	data = sealed(forged(t, [2]string{indexName, huge}))
	if err := extract(1 << 40); !errors.Is(err, ErrTooLarge) {
		t.Errorf("the sum of the sizes overflowed: %v", err)
	}
	if Most(math.MaxInt64) != math.MaxInt64 || Most(10) != 1<<30+1000 {
		t.Errorf("%d %d", Most(math.MaxInt64), Most(10))
	}
}

func TestWhatStandsAfterTheLastFileIsBounded(t *testing.T) {
	index := fmt.Sprintf(`{"format":1,"files":[{"path":"f","size":1,"sha256":%q}]}`, sumOfA)
	z := forged(t, [2]string{indexName, index}, [2]string{"f", "a"})
	data := sealed(append(z, forged(t, [2]string{"g", strings.Repeat("\x00", 4<<20)})...)) // zstd reads on in a second frame
	_, problems := Verify(bytes.NewReader(data))
	if err := errors.Join(problems...); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "after the last file") {
		t.Errorf("%v", err)
	}
}

func TestAgainst(t *testing.T) {
	dir := folder(t)
	index, problems := Verify(bytes.NewReader(packed(t, dir)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if problems := Against(index, dir); len(problems) > 0 {
		t.Fatalf("untouched: %v", problems)
	}
	at := func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }
	err := errors.Join(
		os.WriteFile(at("manifest.json"), []byte(`{"run":"y"}`), 0o600),
		os.Truncate(at("trials/1/records"), 100),
		os.Remove(at("trials/1/empty")),
		os.WriteFile(at("trials/2"), nil, 0o600),
		os.Remove(at("trials.csv")), os.Symlink(at("manifest.json"), at("trials.csv")),
	)
	if err != nil {
		t.Fatal(err)
	}
	problems = Against(index, dir)
	text := errors.Join(problems...).Error()
	for _, want := range []string{
		"manifest.json was changed", "trials/1/records has 100 B of 21000", "trials/1/empty is missing", "trials/2 is extra", "trials.csv is no regular file",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if len(problems) != 5 {
		t.Errorf("%d problems:\n%s", len(problems), text)
	}
}
