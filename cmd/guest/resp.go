package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// RESP 2, see redis.io/docs/reference/protocol-spec: a request is an array of bulk strings, or words on a line.
const (
	longestInline = 64 << 10 // B, as Redis
	maxArgs       = 1024
)

// A protocolError ends a connection after it was told.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

// parseRequest parses the request at the begin of in, whose arguments have at most longest B each. The arguments, which
// lie in in, are put behind args[:0]; there may be none. Used is how long it is; 0 is that it is not whole yet.
func parseRequest(in []byte, longest int, args [][]byte) (request [][]byte, used int, err error) {
	args = args[:0]
	line, at := cutLine(in)
	if at == 0 {
		if len(in) >= longestInline {
			return args, 0, protocolError("too big inline request")
		}
		return args, 0, nil
	}
	if len(line) == 0 || line[0] != '*' {
		return appendWords(args, line), at, nil
	}
	count, ok := parseSize(line[1:], maxArgs)
	if !ok {
		return args, 0, protocolError("invalid multibulk length")
	}
	for range count {
		line, n := cutLine(in[at:])
		if n == 0 {
			if len(in)-at >= longestInline {
				return args, 0, protocolError("too big bulk count string")
			}
			return args, 0, nil
		}
		if len(line) == 0 || line[0] != '$' {
			return args, 0, protocolError(fmt.Sprintf("expected '$', got %.20q", line))
		}
		size, ok := parseSize(line[1:], longest)
		if !ok || size < 0 {
			return args, 0, protocolError("invalid bulk length")
		}
		at += n
		if len(in) < at+size+2 {
			return args, 0, nil
		}
		if in[at+size] != '\r' || in[at+size+1] != '\n' {
			return args, 0, protocolError("a bulk string is longer than it says")
		}
		args = append(args, in[at:at+size])
		at += size + 2
	}
	return args, at, nil
}

// cutLine returns the first line without its end, and how long it is with it; 0 is that it has not ended.
func cutLine(in []byte) (line []byte, used int) {
	end := bytes.IndexByte(in, '\n')
	if end < 0 {
		return nil, 0
	}
	return bytes.TrimSuffix(in[:end], []byte{'\r'}), end + 1
}

// appendWords appends the words of a line, as many as a request may have.
func appendWords(words [][]byte, line []byte) [][]byte {
	for word := range bytes.FieldsSeq(line) {
		if len(words) == maxArgs {
			break
		}
		words = append(words, word)
	}
	return words
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

// appendLine appends a simple string ('+') or an error ('-').
func appendLine(out []byte, prefix byte, text string) []byte {
	return append(append(append(out, prefix), text...), "\r\n"...)
}

// appendNumber appends an integer (':') or the length of a bulk string ('$').
func appendNumber(out []byte, prefix byte, n int64) []byte {
	return append(strconv.AppendInt(append(out, prefix), n, 10), "\r\n"...)
}

func appendBulk(out, value []byte) []byte {
	return append(append(appendNumber(out, '$', int64(len(value))), value...), "\r\n"...)
}
