package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

// An Extent is a part of the template.
type Extent struct {
	Offset int64 `json:"offset"` // B
	Length int64 `json:"length"` // B
}

// SetPrefetch names what a first boot reads: see Learn and ProvideLearning. With Config.Prefetch it is called before the first Provide.
func (p *Provisioner) SetPrefetch(extents []Extent) error {
	for _, e := range extents {
		if e.Offset < 0 || e.Length <= 0 || e.Offset > p.c.Template.Size-e.Length || e.Offset%512 != 0 || e.Length%512 != 0 {
			return fmt.Errorf("prefetch %d B at %d: it is no part of a template of %d B in sectors of 512 B", e.Length, e.Offset, p.c.Template.Size)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.extents, p.known = slices.Clone(extents), true
	return nil
}

// beginPrefetch starts, once, to bring the extents to all caches. It does not wait for them, and returns a failure that is known by now.
func (p *Provisioner) beginPrefetch() error {
	if !p.c.Prefetch {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		return errors.New("what to prefetch is not known: let a guest boot by ProvideLearning, and call SetPrefetch")
	}
	p.once.Do(func() {
		extents := p.extents
		p.beside.Go(func() { p.prefetch(extents) })
	})
	return p.failed
}

// prefetch reads the extents through each cache that guests ask, all at once: those above fetch each block once.
func (p *Provisioner) prefetch(extents []Extent) {
	var all sync.WaitGroup
	for i, s := range p.plan {
		if s.level != 1 {
			continue
		}
		all.Go(func() {
			err := readThrough(p.ctx, s, extents)
			if p.ctx.Err() != nil {
				return
			}
			if err != nil {
				p.mu.Lock()
				p.failed = errors.Join(p.failed, fmt.Errorf("prefetch on %s: %w", s.host.Name(), err))
				p.mu.Unlock()
				return
			}
			p.recordPrefetched(i, extents)
		})
	}
	all.Wait()
}

func (p *Provisioner) recordPrefetched(i int, extents []Extent) {
	var sum int64
	for _, e := range extents {
		sum += e.Length
	}
	h := p.plan[i].host
	p.c.Recorder.Record(results.Record{
		Time: time.Now().UnixNano(), Host: h.Name(), Source: results.SourceRunner, Name: results.ImagePrefetched,
		Value: float64(sum), Unit: results.Bytes, Attrs: with(map[string]string{"host": h.Name()}, "bytes", sum),
	})
}

const (
	readSize  = 1 << 20 // B of one request at most
	readBurst = 16      // requests that are on their way at once
)

// readScript tells qemu-io to read extents.
func readScript(extents []Extent) string {
	var b strings.Builder
	n := 0
	for _, e := range extents {
		for at := e.Offset; at < e.Offset+e.Length; at += readSize {
			fmt.Fprintf(&b, "aio_read -q %d %d\n", at, min(readSize, e.Offset+e.Length-at))
			if n++; n%readBurst == 0 {
				b.WriteString("aio_flush\n")
			}
		}
	}
	b.WriteString("aio_flush\n")
	return b.String()
}

// readThrough reads extents from a server on its own host.
func readThrough(ctx context.Context, s server, extents []Extent) error {
	said, err := run(ctx, s.host, strings.NewReader(readScript(extents)), ioTool, "-r", "-f", raw, s.url())
	if err != nil {
		return err
	}
	if strings.Contains(said, "failed") { // its exit status is not of each command
		return fmt.Errorf("read from %s: %s", s.url(), said[max(0, len(said)-300):])
	}
	return nil
}

// Learn lists what a qcow2 on a host holds by itself, apart from the image below it: of an overlay through which a guest booted
// with copy-on-read, what it read and wrote. Nobody may have the file open for writing.
func Learn(ctx context.Context, h host.Host, path string) ([]Extent, error) {
	name, err := json.Marshal(map[string]any{
		"driver": qcow2, "backing": nil, "file": map[string]string{"driver": "file", "filename": path},
	})
	if err != nil {
		return nil, err
	}
	text, err := run(ctx, h, nil, imgTool, "map", "--output=json", "json:"+string(name))
	if err != nil {
		return nil, fmt.Errorf("learn what was read through %s: %w", path, err)
	}
	extents, err := parseMap([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("learn what was read through %s: %w", path, err)
	}
	return extents, nil
}

// parseMap reads what qemu-img map prints, and returns what holds data, in order; neighbours are joined.
func parseMap(text []byte) ([]Extent, error) {
	var parts []struct {
		Start  *int64 `json:"start"`
		Length *int64 `json:"length"`
		Data   *bool  `json:"data"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, fmt.Errorf("read the map: %w", err)
	}
	var extents []Extent
	end := int64(0)
	for _, part := range parts {
		if part.Start == nil || part.Length == nil || part.Data == nil {
			return nil, errors.New("read the map: a part lacks start, length or data")
		}
		e := Extent{*part.Start, *part.Length}
		if e.Offset < end || e.Length <= 0 || e.Offset+e.Length < e.Offset {
			return nil, fmt.Errorf("read the map: part of %d B at %d is out of order", e.Length, e.Offset)
		}
		last := len(extents) - 1
		switch {
		case !*part.Data:
		case last >= 0 && extents[last].Offset+extents[last].Length == e.Offset:
			extents[last].Length += e.Length
		default:
			extents = append(extents, e)
		}
		end = e.Offset + e.Length
	}
	return extents, nil
}
