package results

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testRun(t *testing.T) *Run {
	t.Helper()
	plan := []Trial{
		{ID: "001-a-r1", Order: 1, Treatment: "a", Levels: []Level{{"workload.rate", "8MiB/s"}}, Replicate: 1},
		{ID: "002-a-r2", Order: 2, Treatment: "a", Levels: []Level{{"workload.rate", "8MiB/s"}}, Replicate: 2},
	}
	r, err := Create(filepath.Join(t.TempDir(), "runs"), Manifest{Format: ManifestFormat, Run: "x-1", Name: "x", Facts: []Fact{}}, []byte("name: x\n"), plan)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCreateThenOpen(t *testing.T) {
	r := testRun(t)
	got, err := Open(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, got); d != "" {
		t.Error(d)
	}
	if _, err := Create(filepath.Dir(r.Dir), r.Manifest, nil, nil); err == nil {
		t.Error("a run folder that exists was taken over")
	}
	if text, err := r.Experiment(); err != nil || string(text) != "name: x\n" {
		t.Errorf("experiment %q, %v", text, err)
	}
}

func TestOpenOtherFolder(t *testing.T) {
	_, err := Open(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), manifestFile) {
		t.Errorf("got %v", err)
	}
}

func TestRecordsComeBack(t *testing.T) {
	r := testRun(t)
	a, number, err := r.Begin(r.Plan[0])
	if err != nil || number != 1 {
		t.Fatal(number, err)
	}
	const each, writers = 5000, 4
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				a.Record(Record{Time: int64(i), Host: "src", Source: "test", Name: "n", Value: float64(w), Unit: One, Attrs: map[string]string{"k": "v"}})
			}
		})
	}
	wg.Wait()
	o := Outcome{Trial: r.Plan[0], Attempt: number, Verdict: Completed}
	if err := a.Finish(&o); err != nil {
		t.Fatal(err)
	}
	a.Record(Record{Name: "late"}) // must neither panic nor be kept
	records, err := r.Records(r.Plan[0].ID)
	if err != nil || len(records) != each*writers {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if records[0].Attrs["k"] != "v" || records[0].Unit != One {
		t.Errorf("got %+v", records[0])
	}
	got, ok, err := r.Outcome(r.Plan[0].ID)
	if err != nil || !ok || got.Verdict != Completed {
		t.Errorf("outcome %+v, %v, %v", got, ok, err)
	}
}

func TestEarlierAttemptIsKept(t *testing.T) {
	r := testRun(t)
	id := r.Plan[0].ID
	for want := 1; want <= 3; want++ {
		a, number, err := r.Begin(r.Plan[0])
		if err != nil || number != want {
			t.Fatalf("attempt %d, want %d: %v", number, want, err)
		}
		if _, ok, _ := r.Outcome(id); ok {
			t.Error("a new attempt has an outcome")
		}
		if err := a.Finish(&Outcome{Trial: r.Plan[0], Verdict: Invalid}); err != nil {
			t.Fatal(err)
		}
	}
	kept, _ := filepath.Glob(r.TrialDir(id) + ".attempt-*")
	if len(kept) != 2 {
		t.Errorf("kept %v", kept)
	}
}

func TestTornRecordsGiveWhatIsReadable(t *testing.T) {
	r := testRun(t)
	a, _, err := r.Begin(r.Plan[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100000 {
		a.Record(Record{Time: int64(i * 7919), Name: "n"})
	}
	if err := a.Finish(&Outcome{Trial: r.Plan[0]}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(a.Dir, recordsFile)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	records, err := r.Records(r.Plan[0].ID)
	if err == nil || len(records) == 0 || len(records) >= 100000 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestJournalSurvivesATornLine(t *testing.T) {
	r := testRun(t)
	j, err := r.Journal()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Append(Entry{Event: RunBegin}), j.Close()); err != nil {
		t.Fatal(err)
	}
	f, _ := os.OpenFile(filepath.Join(r.Dir, journalFile), os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.WriteString(`{"event":"trial.be`)
	_ = f.Close()
	j, err = r.Journal()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Append(Entry{Event: RunEnd}), j.Close()); err != nil {
		t.Fatal(err)
	}
	entries, err := r.Entries()
	if err != nil || len(entries) != 2 || entries[0].Event != RunBegin || entries[1].Event != RunEnd {
		t.Errorf("entries %+v, %v", entries, err)
	}
}

func TestReplaceLeavesTheOldFileOnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(path, func() {}); err == nil {
		t.Error("wrote a function")
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("got %q", data)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("left behind %v", left)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = ReadRecords(strings.NewReader(string(data))) })
}
