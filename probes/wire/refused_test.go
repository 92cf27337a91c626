package wire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"
	"virtscope/results"
)

// A destination that fails says so on the return path and closes the connection: the guest must not be said to run there.
func TestRefusedByTheDestination(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		f := decodeAnswer(t, refused)
		_, running := f.sum(results.WireStage, "stage", results.StageRunning)
		_, complete := f.sum(results.WireMigrationEnd, "how", "complete")
		_, said := f.sum(results.WireMigrationEnd, "how", "refused by the destination")
		if (running == 0) != refused || (complete == 0) != refused || (said == 1) != refused {
			t.Errorf("refused %v: running %d, complete %d, said %d", refused, running, complete, said)
		}
	}
}

// decodeAnswer reads the migration's connection alone of a real capture; with refused, SHUT says that the destination failed.
func decodeAnswer(t *testing.T, refused bool) *found {
	t.Helper()
	src, err := file.Open("testdata/return-path.pcapng.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var out found
	var p packet.Packet
	patched := 0
	s := wire.New(wire.Config{}, &out)
	for {
		frame, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Decode(frame.Link, frame.Data, frame.Length) != nil || p.Kind != packet.TCP {
			continue
		}
		// SHUT, 4 B long, 0: all is well.
		if ok := []byte{0, 1, 0, 4, 0, 0, 0, 0}; refused && p.Src.Port() == 4444 && bytes.Equal(p.Payload, ok) {
			p.Payload[7] = 1
			patched++
		}
		s.Frame(0, frame)
	}
	s.End()
	if refused && patched == 0 {
		t.Fatal("the capture holds no SHUT to change")
	}
	return &out
}
