package file

import (
	"encoding/binary"
	"fmt"
	"io"
	"virtscope/probes/capture"
)

// A Writer writes pcapng with times in ns (RFC draft-ietf-opsawg-pcapng). Every link type can be written, which
// gopacket's writer cannot: its link types end at 255, and Linux cooked version 2 is 276.
type Writer struct {
	w     io.Writer
	block []byte // reused
	ids   int
}

// NewWriter begins a capture. The caller closes w.
func NewWriter(w io.Writer) (*Writer, error) {
	out := &Writer{w: w}
	out.begin(blockSection)
	out.u32(0x1a2b3c4d)
	out.u16(1, 0)                      // version
	out.u32(0xffffffff, 0xffffffff)    // length not known
	out.option(4, []byte("virtscope")) // shb_userappl
	return out, out.end()
}

// Block types.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6
)

// Add adds an interface and returns its number.
func (o *Writer) Add(i Interface) (int, error) {
	if i.LinkType > 0xffff {
		return 0, fmt.Errorf("write capture: link type %d is above 65535", i.LinkType)
	}
	o.begin(blockInterface)
	o.u16(uint16(i.LinkType), 0)
	o.u32(uint32(max(0, i.Snap)))
	if i.Name != "" {
		o.option(2, []byte(i.Name)) // if_name
	}
	o.option(9, []byte{9}) // if_tsresol: 10^-9 s
	o.ids++
	return o.ids - 1, o.end()
}

// Write writes a frame; f.Interface is a number that Add returned.
func (o *Writer) Write(f capture.Frame) error {
	if f.Interface < 0 || f.Interface >= o.ids {
		return fmt.Errorf("write capture: interface %d was not added", f.Interface)
	}
	o.begin(blockPacket)
	t := uint64(f.Time)
	o.u32(uint32(f.Interface), uint32(t>>32), uint32(t), uint32(len(f.Data)), uint32(f.Length))
	o.padded(f.Data)
	return o.end()
}

func (o *Writer) begin(kind uint32) {
	o.block = o.block[:0]
	o.u32(kind, 0) // the length follows
}

func (o *Writer) end() error {
	if n := len(o.block); n > 16 && binary.LittleEndian.Uint32(o.block) != blockPacket {
		o.u16(0, 0) // end of options
	}
	o.u32(0)
	n := uint32(len(o.block))
	binary.LittleEndian.PutUint32(o.block[4:], n)
	binary.LittleEndian.PutUint32(o.block[n-4:], n)
	if _, err := o.w.Write(o.block); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

func (o *Writer) u16(values ...uint16) {
	for _, v := range values {
		o.block = binary.LittleEndian.AppendUint16(o.block, v)
	}
}

func (o *Writer) u32(values ...uint32) {
	for _, v := range values {
		o.block = binary.LittleEndian.AppendUint32(o.block, v)
	}
}

func (o *Writer) option(code uint16, value []byte) {
	o.u16(code, uint16(len(value)))
	o.padded(value)
}

func (o *Writer) padded(data []byte) {
	o.block = append(o.block, data...)
	for len(o.block)%4 != 0 {
		o.block = append(o.block, 0)
	}
}
