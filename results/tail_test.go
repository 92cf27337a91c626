package results

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func begun(t *testing.T) (*Run, Trial, *Attempt) {
	t.Helper()
	trial := Trial{ID: "0001-a", Order: 1, Treatment: "a", Replicate: 1}
	r, err := Create(t.TempDir(), Manifest{Format: ManifestFormat, Run: "r"}, []byte("x"), []Trial{trial})
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := r.Begin(trial)
	if err != nil {
		t.Fatal(err)
	}
	return r, trial, a
}

// Records arrive while the attempt is under way, all of them, in order, once, and its end ends it.
func TestTailFollowsAnAttempt(t *testing.T) {
	r, trial, a := begun(t)
	want := manyRecords(5000)
	seen := make(chan int, 100)
	done := make(chan error, 1)
	var got []Record
	go func() {
		done <- NewTail(r.TrialDir(trial.ID)).Each(t.Context(), 1000, func(batch []Record) error {
			if len(batch) > 1000 {
				t.Errorf("a batch of %d", len(batch))
			}
			got = append(got, batch...)
			seen <- len(got)
			return nil
		})
	}()
	for _, rec := range want[:2500] {
		a.Record(rec)
	}
	for n := 0; n < 2500; {
		select {
		case n = <-seen:
		case <-time.After(30 * time.Second):
			t.Fatalf("%d records while the attempt is under way", n)
		}
	}
	for _, rec := range want[2500:] {
		a.Record(rec)
	}
	if err := a.Finish(&Outcome{Trial: trial, Verdict: Completed}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %d records, want %d, or others", len(got), len(want))
	}
}

// A folder that is set aside and a reader that comes late: both read all.
func TestTailOfAFolderSetAside(t *testing.T) {
	r, trial, a := begun(t)
	if err := os.Rename(r.TrialDir(trial.ID), aside(r.TrialDir(trial.ID), 1)); err != nil {
		t.Fatal(err)
	}
	a.Record(Record{Time: 1, Host: "h", Source: "s", Name: "n"})
	a.Dir = aside(r.TrialDir(trial.ID), 1)
	if err := a.Finish(&Outcome{Trial: trial, Verdict: Invalid}); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := NewTail(a.Dir).Each(t.Context(), 10, func(b []Record) error { n += len(b); return nil })
	if err != nil || n != 1 {
		t.Errorf("%d records, %v", n, err)
	}
	all, err := r.Attempts()
	if err != nil || len(all) != 1 || all[0].Number != 1 || !all[0].Ended {
		t.Errorf("attempts %+v, %v", all, err)
	}
}

func TestTailOfWhatWasCutOff(t *testing.T) {
	r, trial, a := begun(t)
	for _, rec := range manyRecords(3000) {
		a.Record(rec)
	}
	if err := a.Finish(&Outcome{Trial: trial, Verdict: Completed}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.TrialDir(trial.ID), recordsFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 5, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := NewTail(r.TrialDir(trial.ID)).Each(t.Context(), 100, func(b []Record) error { n += len(b); return nil })
		if err == nil || n > 3000 || cut > len(whole)/3 && n == 0 {
			t.Errorf("cut at %d: %d records, %v", cut, n, err)
		}
	}
}

func TestTailStops(t *testing.T) {
	r, trial, a := begun(t)
	defer func() { _ = a.Finish(&Outcome{Trial: trial}) }()
	a.Record(Record{Name: "n"})
	refused := errors.New("refused")
	if err := NewTail(r.TrialDir(trial.ID)).Each(t.Context(), 10, func([]Record) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := NewTail(r.TrialDir(trial.ID)).Each(ctx, 10, func([]Record) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOneProcessWorksOnARun(t *testing.T) {
	r, _, a := begun(t)
	defer func() { _ = a.Finish(&Outcome{}) }()
	if live, err := r.Live(); live || err != nil {
		t.Errorf("live before: %v, %v", live, err)
	}
	release, err := r.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Claim(); !errors.Is(err, ErrClaimed) {
		t.Errorf("claimed twice: %v", err)
	}
	if live, err := r.Live(); !live || err != nil {
		t.Errorf("live: %v, %v", live, err)
	}
	release()
	if live, err := r.Live(); live || err != nil {
		t.Errorf("live after: %v, %v", live, err)
	}
}

// To ask whether a run is live does not keep others from claiming it.
func TestClaimWhileOthersAsk(t *testing.T) {
	r, _, a := begun(t)
	defer func() { _ = a.Finish(&Outcome{}) }()
	over := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-over:
				return
			default:
				_, _ = r.Live()
				time.Sleep(100 * time.Microsecond)
			}
		}
	}()
	for range 300 {
		release, err := r.Claim()
		if err != nil {
			t.Error(err)
			break
		}
		release()
	}
	close(over)
	<-done
}
