package influx

import (
	"bytes"
	"virtscope/results"
)

// A chunk is what became of one record: one line or some that belong together.
type chunk struct {
	end    int   // in the batch's text
	record int64 // its place in the attempt, from 1; 0 if it is of none
}

// A batch is sent at once, and is of one attempt.
type batch struct {
	attempt int // its place in State.Attempts; -1 if it is of none
	text    []byte
	chunks  []chunk
	records int64 // that many of the attempt are settled with it, and those before it
	last    bool  // of the attempt
	note    string
	refused []Refusal
	single  int // chunks that the server refused one by one
	settled bool
}

// A Refusal is lines that a target does not take, or a record that has no form there.
type Refusal struct {
	Trial   string          `json:"trial,omitempty"`
	Attempt int             `json:"attempt,omitempty"`
	Number  int64           `json:"record,omitempty"` // its place in the attempt, from 1; 0 if the lines are of no record
	Line    string          `json:"line,omitempty"`
	Record  *results.Record `json:"raw,omitempty"` // if it has no line
	Reason  string          `json:"reason"`
}

// add adds what was appended to the text.
func (b *batch) add(record int64) {
	if n := len(b.text); n > 0 && b.text[n-1] != '\n' {
		b.text = append(b.text, '\n')
	}
	b.chunks = append(b.chunks, chunk{len(b.text), record})
}

// slice is the text of some chunks.
func (b *batch) slice(from, to int) []byte {
	begin := 0
	if from > 0 {
		begin = b.chunks[from-1].end
	}
	return b.text[begin:b.chunks[to-1].end:b.chunks[to-1].end]
}

// refuse keeps some chunks with the reason.
func (b *batch) refuse(from, to int, reason string) {
	for i := from; i < to; i++ {
		b.refused = append(b.refused, Refusal{Number: b.chunks[i].record, Line: string(b.slice(i, i+1)), Reason: reason})
	}
}

// group puts the chunks of one measurement beside each other, and returns where each group ends.
func (b *batch) group() (ends []int) {
	byName := map[string][]int{}
	var names []string
	for i := range b.chunks {
		line := b.slice(i, i+1)
		end := bytes.IndexAny(line, ", ")
		name := string(line[:max(end, 0)])
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], i)
	}
	sorted := &batch{text: make([]byte, 0, len(b.text)), chunks: make([]chunk, 0, len(b.chunks))}
	for _, name := range names {
		for _, i := range byName[name] {
			sorted.text = append(sorted.text, b.slice(i, i+1)...)
			sorted.add(b.chunks[i].record)
		}
		ends = append(ends, len(sorted.chunks))
	}
	b.text, b.chunks = sorted.text, sorted.chunks
	return ends
}

// countLines counts the lines of line protocol: a line break within a quoted text ends none.
func countLines(text []byte) int {
	n := 0
	eachLine(text, func([]byte) { n++ })
	return n
}

// eachLine calls f with every line, its end included.
func eachLine(text []byte, f func([]byte)) {
	quoted, escaped, fields, begin := false, false, false, 0
	for i, c := range text {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"' && fields:
			quoted = !quoted
		case c == ' ' && !quoted:
			fields = true // a quote in a measurement or a tag is none
		case c == '\n' && !quoted:
			f(text[begin : i+1])
			begin, fields = i+1, false
		}
	}
	if begin < len(text) {
		f(text[begin:])
	}
}
