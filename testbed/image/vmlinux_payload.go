package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
)

// More offsets in a bzImage, of Documentation/arch/x86/boot.rst.
const (
	protocolOffset      = 0x206 // u16
	payloadOffset       = 0x248 // u32: from the begin of the protected-mode code
	payloadLengthOffset = 0x24c // u32

	payloadProtocol = 0x208 // the first that has a payload
)

// payloadOf returns the compressed kernel in a bzImage.
func payloadOf(image []byte) ([]byte, error) {
	if _, err := releaseOf(image); err != nil {
		return nil, err
	}
	if len(image) < payloadLengthOffset+4 || binary.LittleEndian.Uint16(image[protocolOffset:]) < payloadProtocol {
		return nil, errors.New("the bzImage is too old to say where its kernel is: take one of Linux 2.6.27 or later")
	}
	sectors := int64(image[setupSectsOffset])
	if sectors == 0 {
		sectors = 4
	}
	begin := (1+sectors)*512 + int64(binary.LittleEndian.Uint32(image[payloadOffset:]))
	end := begin + int64(binary.LittleEndian.Uint32(image[payloadLengthOffset:]))
	if begin >= end || end > int64(len(image)) {
		return nil, fmt.Errorf("the bzImage is cut off: its kernel ends after %d B, the file after %d B", end, len(image))
	}
	return image[begin:end], nil
}

// maxKernel bounds a decompressed kernel, in B.
const maxKernel = 1 << 30

// decompressKernel decompresses a payload. Its last 4 bytes are the decompressed size (scripts/Makefile.lib of Linux, size_append);
// gzip ends with it by itself.
func decompressKernel(payload []byte) ([]byte, error) {
	if len(payload) < 8 {
		return nil, errors.New("the bzImage holds no kernel")
	}
	r, err := kernelReader(payload)
	if err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(payload[len(payload)-4:])
	if size > maxKernel {
		return nil, fmt.Errorf("the kernel says that it has %d B: more than %d B", size, maxKernel)
	}
	kernel, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil {
		return nil, fmt.Errorf("decompress kernel: %w", err)
	}
	if len(kernel) != int(size) {
		return nil, fmt.Errorf("decompress kernel: it has %d B or more, and says %d B", len(kernel), size)
	}
	return kernel, nil
}

// kernelReader tells by its first bytes how the payload is compressed.
func kernelReader(payload []byte) (io.Reader, error) {
	body := bytes.NewReader(payload[:len(payload)-4])
	for _, format := range []struct {
		magic string
		open  func() (io.Reader, error)
	}{
		{"\x1f\x8b", func() (io.Reader, error) { return gzip.NewReader(bytes.NewReader(payload)) }},
		// The kernel's xz has the filter x86, which not every reader knows.
		{"\xfd7zXZ\x00", func() (io.Reader, error) { return xz.NewReader(body, xz.DefaultDictMax) }},
		{"\x28\xb5\x2f\xfd", func() (io.Reader, error) {
			d, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxKernel))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}},
		{"\x02\x21\x4c\x18", func() (io.Reader, error) { return lz4.NewReader(body), nil }}, // the legacy frame
	} {
		if !bytes.HasPrefix(payload, []byte(format.magic)) {
			continue
		}
		r, err := format.open()
		if err != nil {
			return nil, fmt.Errorf("decompress kernel: %w", err)
		}
		return r, nil
	}
	return nil, fmt.Errorf("the bzImage's kernel begins with % x: want gzip, xz, zstd or LZ4", payload[:4])
}
