package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// RESP 2, see redis.io/docs/reference/protocol-spec: a request is an array of bulk strings, or words on a line.
const (
	respBuffer = 4096      // B; also the longest line, as there may be a thousand connections
	maxArgs    = 1 << 20   // as Redis
	maxBulk    = 512 << 20 // B, as Redis
)

// A protocolError ends a connection after it was told.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

// A respRequest is being read: its arguments come one by one.
type respRequest struct {
	in    *bufio.Reader
	words [][]byte // of a line; nil of an array
	left  int      // arguments that have not been read
}

// readRequest reads the begin of the next request. One without arguments is skipped.
func readRequest(in *bufio.Reader) (respRequest, error) {
	for {
		line, err := readLine(in)
		if err != nil {
			return respRequest{}, err
		}
		if len(line) == 0 {
			continue
		}
		if line[0] != '*' {
			words := bytes.Fields(line)
			if len(words) == 0 {
				continue
			}
			return respRequest{in: in, words: words, left: len(words)}, nil
		}
		n, ok := parseSize(line[1:], maxArgs)
		if !ok {
			return respRequest{}, protocolError("invalid multibulk length")
		}
		if n <= 0 {
			continue
		}
		return respRequest{in: in, left: n}, nil
	}
}

// next reads the next argument into room and returns it. What is longer is skipped: fits is false.
func (r *respRequest) next(room []byte) (arg []byte, fits bool, err error) {
	r.left--
	if r.words != nil {
		word := r.words[0]
		r.words = r.words[1:]
		return room[:copy(room, word)], len(word) <= len(room), nil
	}
	line, err := readLine(r.in)
	if err != nil {
		return nil, false, err
	}
	if len(line) == 0 || line[0] != '$' {
		return nil, false, protocolError(fmt.Sprintf("expected '$', got %.20q", line))
	}
	n, ok := parseSize(line[1:], maxBulk)
	if !ok || n < 0 {
		return nil, false, protocolError("invalid bulk length")
	}
	fits = n <= len(room)
	if fits {
		arg = room[:n]
		_, err = io.ReadFull(r.in, arg)
	} else {
		_, err = r.in.Discard(n)
	}
	if err != nil {
		return nil, false, err
	}
	end, err := readLine(r.in)
	if err != nil {
		return nil, false, err
	}
	if len(end) > 0 {
		return nil, false, protocolError("a bulk string is longer than it says")
	}
	return arg, fits, nil
}

// skip reads what is left of the request.
func (r *respRequest) skip() error {
	for r.left > 0 {
		if _, _, err := r.next(nil); err != nil {
			return err
		}
	}
	return nil
}

// readLine reads a line without its end. It is valid until the next read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, protocolError("too big inline request")
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
}

// parseSize parses a number of at least −1 and at most limit, without making garbage.
func parseSize(b []byte, limit int) (int, bool) {
	if string(b) == "-1" {
		return -1, true
	}
	n, ok := parseDigits(b)
	return n, ok && n <= limit
}

// parseDigits parses a number of 1 to 18 digits.
func parseDigits(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// A respWriter writes answers. An error shows at the next flush.
type respWriter struct {
	*bufio.Writer
	scratch [24]byte
}

func (w *respWriter) line(prefix byte, text string) {
	_ = w.WriteByte(prefix)
	_, _ = w.WriteString(text)
	_, _ = w.WriteString("\r\n")
}

func (w *respWriter) number(prefix byte, n int64) {
	_ = w.WriteByte(prefix)
	_, _ = w.Write(strconv.AppendInt(w.scratch[:0], n, 10))
	_, _ = w.WriteString("\r\n")
}

func (w *respWriter) bulk(value []byte) {
	w.number('$', int64(len(value)))
	_, _ = w.Write(value)
	_, _ = w.WriteString("\r\n")
}
