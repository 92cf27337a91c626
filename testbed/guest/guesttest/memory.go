package guesttest

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
	"virtscope/testbed/guest/agent"
)

const (
	memPage    = 4096     // B
	maxReserve = 16 << 30 // B; a larger one is a mistake
)

// memory is the guest's memory: one region with a known pattern.
type memory struct {
	mu     sync.Mutex
	seed   uint64
	region []byte
}

// reserve fills a region anew. A size that is no multiple of the page is rounded up.
func (m *memory) reserve(r agent.Memory) error {
	if r.Bytes <= 0 || r.Bytes > maxReserve {
		return fmt.Errorf("reserve %d B: want 1 B to %d B", r.Bytes, int64(maxReserve))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seed, m.region = r.Seed, make([]byte, (r.Bytes+memPage-1)/memPage*memPage)
	for i := range len(m.region) / memPage {
		fill(m.page(i), m.seed, i)
	}
	return nil
}

func (m *memory) page(i int) []byte { return m.region[i*memPage : (i+1)*memPage] }

// fill writes the page's own sequence of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
// generators, OOPSLA 2014).
func fill(page []byte, seed uint64, index int) {
	x := seed ^ uint64(index)*0x9e3779b97f4a7c15
	for i := 0; i < len(page); i += 8 {
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(page[i:], z^z>>31)
	}
}

// verify compares every page with what it must hold.
func (m *memory) verify() agent.Verdict {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := agent.Verdict{Verified: int64(len(m.region))}
	want := make([]byte, memPage)
	for i := range len(m.region) / memPage {
		fill(want, m.seed, i)
		if string(m.page(i)) == string(want) {
			continue
		}
		if v.Corrupt == 0 {
			v.First = int64(i)
		}
		v.Corrupt++
	}
	return v
}

// A manifest goes before the memory on the wire; the receiver answers with what it got.
type manifest struct {
	Seed  uint64 `json:"seed"`
	Bytes int64  `json:"bytes"`
}

// send sends the memory and returns how many bytes the connection took, once the receiver has said that it
// has all.
func (m *memory) send(conn net.Conn) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head, err := json.Marshal(manifest{m.seed, int64(len(m.region))})
	if err != nil {
		return 0, err
	}
	sent := net.Buffers{append(head, '\n'), m.region}
	n, err := sent.WriteTo(conn)
	if err != nil {
		return n, fmt.Errorf("send memory: %w", err)
	}
	var got manifest
	if err := json.NewDecoder(conn).Decode(&got); err != nil {
		return n, fmt.Errorf("wait for the receiver: %w", err)
	}
	if got.Bytes != int64(len(m.region)) {
		return n, fmt.Errorf("send memory: the receiver has %d of %d B", got.Bytes, len(m.region))
	}
	return n, nil
}

// receive takes the memory that send sends.
func (m *memory) receive(conn net.Conn) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := bufio.NewReaderSize(conn, 256<<10)
	line, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("receive memory: %w", err)
	}
	var head manifest
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("receive memory: %w", err)
	}
	if head.Bytes < 0 || head.Bytes > maxReserve || head.Bytes%memPage != 0 {
		return fmt.Errorf("receive memory: %d B announced", head.Bytes)
	}
	m.seed, m.region = head.Seed, make([]byte, head.Bytes)
	if _, err := io.ReadFull(r, m.region); err != nil {
		return fmt.Errorf("receive memory: %w", err)
	}
	return json.NewEncoder(conn).Encode(head)
}

// sendTo connects, says so, and sends.
func (m *memory) sendTo(ctx context.Context, address string, connected func()) (n int64, err error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	connected()
	return m.send(conn)
}
