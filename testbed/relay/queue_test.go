package relay

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// Against a model: frames leave whole, in the order of due and arrival, and memory is never overrun.
func TestQueueAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, longest := range []int{100, maxFrame, 5000} {
		q := newQueue(20_000, longest)
		type entry struct {
			due    int64
			number int
			data   []byte
		}
		var model []entry
		refused, number := 0, 0
		for range 200_000 {
			if random.IntN(100) < 52 {
				room := q.room()
				if room == nil {
					refused++
					if q.held == 0 {
						t.Fatal("an empty queue has no room")
					}
					continue
				}
				if len(room) < longest {
					t.Fatalf("room for %d B, want %d", len(room), longest)
				}
				data := make([]byte, 4+random.IntN(longest-3))
				binary.NativeEndian.PutUint32(data, uint32(number))
				for i := 4; i < len(data); i++ {
					data[i] = byte(number + i)
				}
				copy(room, data)
				due := int64(random.IntN(50)) + int64(number/10)
				q.push(len(data), due)
				model = append(model, entry{due, number, data})
				number++
				continue
			}
			due, ok := q.due()
			if ok != (len(model) > 0) {
				t.Fatalf("due %v with %d frames", ok, len(model))
			}
			if !ok {
				continue
			}
			first := 0
			for i, e := range model {
				if e.due < model[first].due {
					first = i
				}
			}
			if due != model[first].due || !bytes.Equal(q.bytes(), model[first].data) {
				t.Fatalf("frame due at %d, want %d (number %d)", due, model[first].due, model[first].number)
			}
			q.pop()
			model = slices.Delete(model, first, first+1)
		}
		if refused == 0 || number < 1000 {
			t.Errorf("longest %d: %d frames, %d refused: the bound was never met", longest, number, refused)
		}
		for len(model) > 0 {
			q.pop()
			model = model[1:]
		}
		if q.held != 0 || q.room() == nil {
			t.Errorf("an empty queue holds %d B", q.held)
		}
	}
}

// Nothing is allocated for a frame once the queue has its size.
func TestQueueAllocatesNothing(t *testing.T) {
	q := newQueue(1<<20, maxFrame)
	round := func() {
		for range 400 {
			q.room()
			q.push(60, 1)
		}
		for range 400 {
			q.pop()
		}
	}
	round()
	if n := testing.AllocsPerRun(10, round); n > 0 {
		t.Errorf("%g allocations for 400 frames", n)
	}
}

func BenchmarkQueue(b *testing.B) {
	q := newQueue(8<<20, maxFrame)
	for range 2000 {
		q.room()
		q.push(1514, 1)
	}
	due := int64(2)
	for b.Loop() {
		q.room()
		q.push(1514, due)
		q.pop()
		due++
	}
}
