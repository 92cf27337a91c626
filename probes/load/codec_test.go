package load

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// readAll decodes a stream that is cut into pieces of n bytes.
func readAll(d decoder, b []byte, n int) (list []answer, err error) {
	for piece := range slices.Chunk(b, n) {
		for len(piece) > 0 {
			used, a, done, err := d.next(piece)
			if err != nil {
				return list, err
			}
			piece = piece[used:]
			if done {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

func TestRESP(t *testing.T) {
	t.Parallel()
	stream := []byte("+OK\r\n$5\r\nab\r\nc\r\n$-1\r\n$0\r\n\r\n:42\r\n-ERR no\r\n")
	want := []answer{{kind: '+', text: "OK"}, {kind: '$', size: 5}, {kind: '$', size: -1}, {kind: '$'}, {kind: ':', size: 42}, {kind: '-', text: "ERR no"}}
	for n := 1; n <= len(stream); n++ {
		if got, err := readAll(&respDecoder{}, stream, n); err != nil || !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d B: %+v, %v", n, got, err)
		}
	}
	for _, bad := range []string{"*1\r\n", "OK\r\n", "\r\n", "$x\r\n", "$-2\r\n", "$1\r\nabc", ":1\n", "$999999999999\r\n", strings.Repeat("a", longestLine+1)} {
		if got, err := readAll(&respDecoder{}, []byte(bad), 7); err == nil {
			t.Errorf("%.20q was read as %+v", bad, got)
		}
	}
}

func TestRESPRequests(t *testing.T) {
	t.Parallel()
	p := newResp(3, 1)
	if got, want := string(p.append(nil, request{op: opGet, key: 9070})), "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000009070\r\n"; got != want {
		t.Errorf("GET is %q, want %q", got, want)
	}
	set := string(p.append(nil, request{op: opSet}))
	if want := "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$3\r\n"; !strings.HasPrefix(set, want) || len(set) != len(want)+5 || !strings.HasSuffix(set, "\r\n") {
		t.Errorf("SET is %q", set)
	}
	for _, c := range []struct {
		op    op
		a     answer
		right bool
	}{
		{opGet, answer{kind: '$', size: 3}, true},
		{opGet, answer{kind: '$', size: 4}, false},
		{opGet, answer{kind: '$', size: -1}, false},
		{opGet, answer{kind: '+', size: 3}, false},
		{opSet, answer{kind: '+', text: "OK"}, true},
		{opSet, answer{kind: '-', text: "READONLY"}, false},
		{opSize, answer{kind: ':', size: 1}, true},
	} {
		if p.right(request{op: c.op}, c.a) != c.right {
			t.Errorf("op %d, answer %+v: right is %v", c.op, c.a, !c.right)
		}
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, n := range []int{3, 0, 300} {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(n)), make([]byte, n)...)
	}
	want := []answer{{size: 3}, {size: 0}, {size: 300}}
	for n := 1; n <= len(stream); n++ {
		if got, err := readAll(&frameDecoder{}, stream, n); err != nil || !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d B: %+v, %v", n, got, err)
		}
	}
	if got := newFrames(5, 1).append(nil, request{}); !bytes.Equal(got, []byte{0, 0, 0, 5, 0, 0, 0, 0, 0}) {
		t.Errorf("a request is %v", got)
	}
}

// However a stream is cut, it is read as the same answers.
func FuzzRESP(f *testing.F) {
	f.Add([]byte("+OK\r\n$5\r\nab\r\nc\r\n:42\r\n-ERR no\r\n"), 3)
	f.Add([]byte("$-1\r\n$2\r\nab\r"), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = 1 + int(uint(n)%64)
		whole, err := readAll(&respDecoder{}, b, len(b)+1)
		cut, cutErr := readAll(&respDecoder{}, b, n)
		if !slices.Equal(whole, cut) || (err == nil) != (cutErr == nil) {
			t.Fatalf("whole: %+v, %v; in pieces of %d B: %+v, %v", whole, err, n, cut, cutErr)
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 0, 0, 0, 0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = 1 + int(uint(n)%64)
		whole, _ := readAll(&frameDecoder{}, b, len(b)+1)
		if cut, _ := readAll(&frameDecoder{}, b, n); !slices.Equal(whole, cut) {
			t.Fatalf("whole: %+v; in pieces of %d B: %+v", whole, n, cut)
		}
	})
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	fixed := newArrivals(Fixed, 3, 1000, 1)
	for _, want := range []int64{1000, 333334333, 666667666, 1000001000} {
		if got := fixed.due(); got < want-1 || got > want+1 {
			t.Errorf("due at %d, want %d", got, want)
		}
		fixed.step()
	}
	// Poisson at 1000/s for 100 s: the number of arrivals and the standard deviation of the times between them, which for an
	// exponential distribution is their mean, both within 5 standard errors.
	p, again, other := newArrivals(Poisson, 1000, 0, 7), newArrivals(Poisson, 1000, 0, 7), newArrivals(Poisson, 1000, 0, 8)
	n, squares, last, same := 0, 0.0, int64(0), 0
	for p.due() < int64(100*time.Second) {
		gap := float64(p.due()-last) / 1e6 // ms
		squares += (gap - 1) * (gap - 1)
		if p.due() != again.due() {
			t.Fatal("the same seed gives other times")
		}
		if p.due() == other.due() {
			same++
		}
		n, last = n+1, p.due()
		p.step()
		again.step()
		other.step()
	}
	if math.Abs(float64(n)-100_000) > 5*math.Sqrt(100_000) {
		t.Errorf("%d arrivals in 100 s, want 100000", n)
	}
	if variance := squares / float64(n); math.Abs(variance-1) > 5*math.Sqrt(8/100_000.0) {
		t.Errorf("variance of the gaps is %v ms², want 1", variance)
	}
	if same > 10 {
		t.Error("another seed gives the same times")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	const n, draws = 1000, 400_000
	k := newKeys(Zipf, n, 3)
	counts := make([]int, n)
	for range draws {
		counts[k.next()]++
	}
	total := 0.0
	for r := 1; r <= n; r++ {
		total += math.Pow(float64(r), -exponent)
	}
	chi := 0.0
	seen := map[uint64]bool{}
	for r := 1; r <= n; r++ {
		key := uint64(r-1) * k.scatter % n
		seen[key] = true
		want := draws * math.Pow(float64(r), -exponent) / total
		chi += (float64(counts[key]) - want) * (float64(counts[key]) - want) / want
	}
	// The statistic of 999 degrees of freedom has mean 999 and standard deviation 45.
	if chi > 999+6*45 {
		t.Errorf("χ² = %.0f with 999 degrees of freedom: this is no Zipf distribution", chi)
	}
	if len(seen) != n {
		t.Errorf("ranks reach %d of %d keys", len(seen), n)
	}
	u := newKeys(Uniform, 10, 3)
	counts = make([]int, 10)
	for range 10_000 {
		counts[u.next()]++
	}
	for key, c := range counts {
		if math.Abs(float64(c)-1000) > 6*30 {
			t.Errorf("key %d was drawn %d times of 10000", key, c)
		}
	}
	for _, n := range []int{1, 2, 3} {
		if got := newKeys(Zipf, n, 1).next(); got < 0 || got >= n {
			t.Errorf("key %d of %d", got, n)
		}
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	var q queue
	next := int64(0)
	for i := range int64(10_000) {
		q.push(request{due: i})
		if i%3 == 0 {
			continue
		}
		if r := q.pop(); r.due != next {
			t.Fatalf("got %d, want %d", r.due, next)
		}
		next++
	}
	if q.len() != int(10_000-next) || q.at(0).due != next || len(q.waiting()) != q.len() {
		t.Errorf("%d are left, the first is %d", q.len(), q.at(0).due)
	}
}
