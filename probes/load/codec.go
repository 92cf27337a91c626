package load

// A codec speaks a protocol in which answers come in the order of the requests.
type codec interface {
	// append adds a request to what is to be sent.
	append(to []byte, r request) []byte
	// decoder reads the answers of one connection.
	decoder() decoder
	// right reports whether an answer is what a request asked for.
	right(r request, a answer) bool
}

// A decoder reads answers from pieces of a stream, wherever it was cut.
type decoder interface {
	// next reads one answer from the begin of b, which is not empty; done is false if it goes on after b, all of which was
	// used then. An error is final: the stream is none of this protocol.
	next(b []byte) (used int, a answer, done bool, err error)
}

// An answer is what came back.
type answer struct {
	kind byte   // RESP's first byte; 0 of a frame
	size int64  // B of the payload; of ':' the number; of '$' -1 if there is none
	text string // of '+' and '-', cut
}

// silent is the protocol of bulk: nothing is asked, and whatever comes is counted by the engine.
type silent struct{}

func (silent) append(to []byte, _ request) []byte       { return to }
func (silent) decoder() decoder                         { return silent{} }
func (silent) right(request, answer) bool               { return false }
func (silent) next(b []byte) (int, answer, bool, error) { return len(b), answer{}, false, nil }
