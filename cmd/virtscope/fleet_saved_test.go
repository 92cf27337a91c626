package main

import (
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/substrate"
)

type recorded []results.Record

func (r *recorded) Record(x results.Record) { *r = append(*r, x) }

// A clone that waits is no part of the trial; one that was taken is, under its guest's name.
func TestDockedCloneIsRecordedFromWhenItIsTaken(t *testing.T) {
	var p pool
	var got recorded
	made := &docked{n: 3, clone: &substrate.Clone{}, rec: &gate{}}
	made.rec.Record(results.Record{Name: results.RestoreEnd})
	p.put("src", made)
	if p.take("src", 2, &got) != nil {
		t.Error("another guest's clone was taken")
	}
	if p.take("src", 3, guest.Named(&got, "guest-4")) != made.clone {
		t.Fatal("the clone was not taken")
	}
	made.rec.Record(results.Record{Name: results.VMResume})
	if len(got) != 1 || got[0].Name != results.VMResume || got[0].Attrs[results.AttrGuest] != "guest-4" {
		t.Errorf("recorded %v, want the resume of guest-4 alone", got)
	}
	if p.take("src", 3, &got) != nil {
		t.Error("a clone was taken twice")
	}
}
