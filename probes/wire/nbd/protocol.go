package nbd

import "encoding/binary"

// Magic numbers.
const (
	greetingMagic   = 0x4e42444d41474943 // NBDMAGIC
	oldstyleMagic   = 0x00420281861253
	optionMagic     = 0x49484156454f5054 // IHAVEOPT
	answerMagic     = 0x3e889045565a9
	requestMagic    = 0x25609513
	extRequestMagic = 0x21e41c71
	simpleMagic     = 0x67446698
	chunkMagic      = 0x668e33ef
	extChunkMagic   = 0x6e8a278c
)

// Options of the negotiation.
const (
	optionExportName = 1
	optionAbort      = 2
	optionStartTLS   = 5
	optionInfo       = 6
	optionGo         = 7
	optionStructured = 8
	optionExtended   = 11
)

// Answers to options, and kinds of information.
const (
	answerAck      = 1
	answerInfo     = 3
	infoExport     = 0
	infoBlockSizes = 3
)

const (
	flagFixed         = 1 << 0 // of both sides' handshake flags
	flagNoZeroes      = 1 << 1
	flagPayload       = 1 << 5 // of a command: length is the payload's
	flagDone          = 1 << 0 // of a chunk
	knownCommandFlags = 1<<6 - 1
	reservedZeroes    = 124
)

// A command is a request's type.
type command uint16

const (
	cmdRead command = iota
	cmdWrite
	cmdDisconnect
	cmdFlush
	cmdTrim
	cmdCache
	cmdWriteZeroes
	cmdBlockStatus
	commands
)

var commandNames = [commands]string{"read", "write", "disconnect", "flush", "trim", "cache", "write-zeroes", "block-status"}

// modifies reports whether a command changes the export's content.
func (c command) modifies() bool { return c == cmdWrite || c == cmdWriteZeroes || c == cmdTrim }

// Kinds of chunks of a structured reply.
const (
	chunkNone        = 0
	chunkData        = 1
	chunkHole        = 2
	chunkStatus      = 5
	chunkStatusWide  = 6
	chunkError       = 1<<15 + 1
	chunkErrorOffset = 1<<15 + 2
	errorBit         = 1 << 15
)

// Lengths of headers, B.
const (
	greetingLength   = 16
	requestLength    = 28
	extRequestLength = 32
	simpleLength     = 16
	chunkLength      = 20
	extChunkLength   = 32
	optionLength     = 16
	answerLength     = 20
)

// maxPayload is the longest payload that is believed where none was negotiated, B. QEMU takes 32 MiB, nbdkit 64.
const maxPayload = 64 << 20

// maxOption is the longest option or answer that is believed, B: it may list exports and contexts.
const maxOption = 16 << 20

// errorNames are the errors that the protocol has.
var errorNames = map[uint32]string{1: "EPERM", 5: "EIO", 12: "ENOMEM", 22: "EINVAL", 28: "ENOSPC", 75: "EOVERFLOW", 95: "ENOTSUP", 108: "ESHUTDOWN"}

// Sniff reports whether a server's first bytes begin an NBD connection: its greeting or, where the capture began later, a reply
// with its header. It wants 8 bytes of a greeting, and at least 16 of a reply.
func Sniff(serverPrefix []byte) bool {
	if len(serverPrefix) >= 8 && binary.BigEndian.Uint64(serverPrefix) == greetingMagic {
		return true
	}
	r, n, ok := parseReply(serverPrefix)
	return ok && n <= len(serverPrefix) && r.strict()
}

// SniffClient reports whether a client's first bytes are an NBD request, as where the capture began later. It wants 32 bytes.
func SniffClient(clientPrefix []byte) bool {
	r, n, ok := parseRequest(clientPrefix)
	return ok && n <= len(clientPrefix) && r.strict(0, maxPayload)
}
