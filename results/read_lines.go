package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// decodeRecords reads one JSON record a line, and gives what a json.Decoder would give. A line as Attempt writes it is
// scanned; any other line is left to encoding/json, and so is all the rest once a line is no whole record.
func decodeRecords(in io.Reader) ([]Record, error) {
	b := bufio.NewReaderSize(in, 256<<10)
	s := newScanner()
	var all []Record
	for {
		line, err := b.ReadSlice('\n')
		if err != nil { // the last line, without an end, or one that is longer than any of ours
			return decodeRest(all, io.MultiReader(bytes.NewReader(line), failing(b, err)))
		}
		var rec Record
		if !s.scan(line[:len(line)-1], &rec) {
			rec = Record{} // a scan that gave up may have filled in some
			if json.Unmarshal(line, &rec) != nil {
				return decodeRest(all, io.MultiReader(bytes.NewReader(line), b))
			}
		}
		all = append(all, rec)
	}
}

// failing is what comes after a read that ended with err: the rest of in if the line was merely too long.
func failing(in io.Reader, err error) io.Reader {
	if errors.Is(err, bufio.ErrBufferFull) {
		return in
	}
	return failedReader{err}
}

type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// decodeRest appends the records of in to all.
func decodeRest(all []Record, in io.Reader) ([]Record, error) {
	d := json.NewDecoder(in)
	for {
		var rec Record
		switch err := d.Decode(&rec); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, fmt.Errorf("record %d: %w", len(all)+1, err)
		}
		all = append(all, rec)
	}
}
