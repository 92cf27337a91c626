package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"virtscope/testbed/guest/agent"
)

// maxRequest bounds a request's line, in B: the longest trace that an experiment may have is about half of it.
const maxRequest = 8 << 20

// requestBuffer holds an ordinary request, in B; a longer one takes memory of its own.
const requestBuffer = 64 << 10

// A tooLong is a request of more than maxRequest B; id is 0 if it cannot be told.
type tooLong struct{ id int64 }

func (e *tooLong) Error() string {
	return fmt.Sprintf("handle request: it is longer than %d B: shorten it", maxRequest)
}

// readRequest reads a line, which holds until the next call. It reads over one that is too long, and the error is a tooLong.
func readRequest(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := append([]byte(nil), line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = in.ReadSlice('\n')
		if len(long) <= maxRequest {
			long = append(long, line...)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(long) > maxRequest:
		return nil, &tooLong{idOf(long)}
	}
	return long, nil
}

// decodeRequest decodes a line. A guest that was saved may have read half of a request, after which another client's begins.
func decodeRequest(line []byte) (*agent.Request, error) {
	req := new(agent.Request)
	err := json.Unmarshal(line, req)
	for rest := line; err != nil; {
		const head = `{"id":` // an agent.Request begins with it
		at := bytes.Index(rest[min(1, len(rest)):], []byte(head))
		if at < 0 {
			return nil, err
		}
		rest = rest[1+at:]
		if later := new(agent.Request); json.Unmarshal(rest, later) == nil && later.Op != "" {
			return later, nil
		}
	}
	return req, nil
}

// idOf is the ID of a request whose end is cut off: an agent.Request begins with it.
func idOf(line []byte) (id int64) {
	if _, err := fmt.Sscanf(string(line[:min(len(line), 64)]), `{"id":%d`, &id); err != nil {
		return 0
	}
	return id
}
