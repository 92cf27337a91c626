package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"

	"github.com/klauspost/compress/zstd"
)

// A scrubber copies a capture and overwrites the contents of memory pages with zeros: what the guest held is gone, and
// all that virtscope reads of a stream is still there. TCP checksums are left as they were.
type scrubber struct {
	near    map[*wire.Contents]int64 // the stream offset of its last packet
	byEnds  map[[2]netip.AddrPort][]*wire.Contents
	out     *file.Writer
	ids     map[int]int
	packet  packet.Packet
	packets int64
	blanked int64
	payload int64 // TCP payload that was kept
}

// scrub writes a copy of the capture in to out, which must not exist.
func scrub(in, out string, contents []*wire.Contents) (s *scrubber, err error) {
	src, err := file.Open(in)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("write scrubbed capture: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(out)
		}
	}()
	var to io.Writer = f
	if strings.HasSuffix(out, ".zst") {
		z, zerr := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
		if zerr != nil {
			return nil, fmt.Errorf("write scrubbed capture: %w", zerr)
		}
		defer func() { err = errors.Join(err, z.Close()) }()
		to = z
	}
	s = &scrubber{near: map[*wire.Contents]int64{}, byEnds: map[[2]netip.AddrPort][]*wire.Contents{}, ids: map[int]int{}}
	for _, c := range contents {
		ends := [2]netip.AddrPort{c.Src, c.Dst}
		s.byEnds[ends] = append(s.byEnds[ends], c)
	}
	if s.out, err = file.NewWriter(to); err != nil {
		return nil, err
	}
	for {
		frame, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := s.copy(src, frame); err != nil {
			return nil, fmt.Errorf("write scrubbed capture %s: %w", out, err)
		}
	}
	return s, nil
}

func (s *scrubber) copy(src *file.File, f capture.Frame) error {
	s.packets++
	if err := s.packet.Decode(f.Link, f.Data, f.Length); err == nil && s.packet.Kind == packet.TCP {
		s.blank()
	}
	id, err := s.id(src, f.Interface)
	if err != nil {
		return err
	}
	f.Interface = id
	return s.out.Write(f)
}

// blank overwrites page contents in the packet at hand.
func (s *scrubber) blank() {
	p := &s.packet
	s.payload += int64(len(p.Payload))
	for _, c := range s.byEnds[[2]netip.AddrPort{p.Src, p.Dst}] {
		if s.packets < c.First || s.packets > c.Last || len(p.Payload) == 0 {
			continue
		}
		// Sequence numbers count modulo 2^32: of the offsets that fit, the one nearest to the packet before is meant.
		near := s.near[c]
		offset := near + int64(int32(p.Seq-c.Base-uint32(near)))
		s.near[c] = offset
		n := c.Blank(offset, p.Payload)
		s.blanked += int64(n)
		s.payload -= int64(n)
		return
	}
}

// id is the copy's number of an interface.
func (s *scrubber) id(src *file.File, iface int) (int, error) {
	if id, ok := s.ids[iface]; ok {
		return id, nil
	}
	id, err := s.out.Add(src.Interfaces()[iface])
	s.ids[iface] = id
	return id, err
}
