package agent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// gather feeds chunks of connections and returns the monotonic times of the messages that came out.
type chunk struct {
	from string
	data string
	at   time.Duration
}

func gather(chunks []chunk) (monos []int64, garbage int) {
	begin := time.Unix(1000, 0)
	a := &assembler{
		message: func(m *Message, _ time.Time, _ string) { monos = append(monos, m.Mono) },
		garbage: func([]byte, time.Time, string) { garbage++ },
		cut:     func([]byte, time.Time, string) {},
	}
	streams := map[string]*stream{}
	for _, c := range chunks {
		if streams[c.from] == nil {
			streams[c.from] = a.open(c.from)
		}
	}
	var last time.Time
	for _, c := range chunks {
		last = begin.Add(c.at)
		a.feed(streams[c.from], []byte(c.data), last)
	}
	a.flush(last)
	return monos, garbage
}

func TestAssembler(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name    string
		chunks  []chunk
		monos   []int64
		garbage int
	}{
		{"split within a connection", []chunk{{"a", `{"mono`, 0}, {"a", `":1}` + "\n" + `{"mono":2}`, 0}, {"a", "\n", 0}}, []int64{1, 2}, 0},
		{"split between connections", []chunk{{"a", `{"mono":1`, 0}, {"b", `2}` + "\n", ms}, {"b", `{"mono":3}` + "\n", 200 * ms}}, []int64{12, 3}, 0},
		{"split before the newline", []chunk{{"a", `{"mono":1}`, 0}, {"b", "\n" + `{"mono":2}` + "\n", 200 * ms}}, []int64{2, 1}, 0},
		{
			"the end is seen before the beginning",
			[]chunk{{"b", `2}` + "\n" + `{"mono":3}` + "\n", 0}, {"a", `{"mono":1`, ms}, {"b", `{"mono":4}` + "\n", 200 * ms}},
			[]int64{3, 12, 4},
			0,
		},
		{
			"the beginning was not whole yet",
			[]chunk{{"a", `{"mono":1`, 0}, {"b", `3}` + "\n" + `{"mono":4}` + "\n", ms}, {"a", `2`, 2 * ms}, {"b", `{"mono":5}` + "\n", 200 * ms}},
			[]int64{4, 123, 5},
			0,
		},
		{"no beginning", []chunk{{"a", `{"mono":1}` + "\n", 0}, {"b", `2}` + "\n" + `{"mono":3}` + "\n", 0}}, []int64{1, 3}, 1},
		{"no end", []chunk{{"a", `{"mono":1}` + "\n" + `{"mo`, 0}}, []int64{1}, 1},
		{"begins in the middle of a line", []chunk{{"a", `1,"max_step":5}}` + "\n" + `{"mono":2}` + "\n", 0}}, []int64{2}, 0},
		{"a later line is cut", []chunk{{"a", `{"mono":1}` + "\n" + `2}` + "\n", 0}}, []int64{1}, 1},
		{"two values on a line", []chunk{{"a", `{"mono":3}` + "\n" + `{"mono":1}{"mono":2}` + "\n", 0}}, []int64{3}, 1},
		{"too long", []chunk{{"a", strings.Repeat("x", maxLine), 0}, {"a", "xx", 0}, {"a", "xx\n" + `{"mono":1}` + "\n", 0}}, []int64{1}, 1},
		{"blank lines", []chunk{{"a", "\n\r\n \n" + `{"mono":1}` + "\r\n", 0}}, []int64{1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			monos, garbage := gather(tt.chunks)
			slices.Sort(monos)
			slices.Sort(tt.monos)
			if !slices.Equal(monos, tt.monos) || garbage != tt.garbage {
				t.Errorf("got %v and %d garbage, want %v and %d", monos, garbage, tt.monos, tt.garbage)
			}
		})
	}
}

// However a stream is cut in pieces, and wherever it moves from one connection to the other, each message
// comes out once.
func FuzzAssembler(f *testing.F) {
	f.Add(uint64(1), uint16(0), []byte("noise\n"))
	f.Add(uint64(2), uint16(30), []byte(`{"mono":`))
	f.Add(uint64(3), uint16(31), []byte{})
	f.Fuzz(func(t *testing.T, seed uint64, move uint16, noise []byte) {
		var (
			text strings.Builder
			want []int64
		)
		for i := range int64(8) {
			mono := 1_000_000 + i
			want = append(want, mono)
			fmt.Fprintf(&text, `{"mono":%d,"hb":{"seq":%d,"max_step":5}}`+"\n", mono, i+1)
		}
		all := text.String()
		at := int(move) % len(all)
		random := rand.New(rand.NewPCG(seed, 1))
		var chunks []chunk
		for _, half := range []struct{ from, data string }{{"a", all[:at]}, {"b", all[at:]}} {
			for half.data != "" {
				n := 1 + random.IntN(len(half.data))
				chunks = append(chunks, chunk{from: half.from, data: half.data[:n]})
				half.data = half.data[n:]
			}
		}
		monos, garbage := gather(chunks)
		slices.Sort(monos)
		if !slices.Equal(monos, want) || garbage != 0 {
			t.Errorf("moved after %d of %d B: got %v and %d garbage, want %v", at, len(all), monos, garbage, want)
		}
		gather([]chunk{{from: "a", data: string(noise)}, {from: "b", data: string(noise)}}) // must not panic or hang
	})
}
