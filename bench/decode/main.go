// Command decode measures how fast virtscope pcap reads a large capture, beside tshark and cat. The script run beside it
// builds what it needs.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
)

// A setup is what a measurement is done with.
type setup struct {
	virtscope string  // path
	file      string  // the capture
	gigabytes float64 // of the capture that is made
	segment   int     // B of payload a frame
	rounds    int
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("decode: ", err)
	}
}

func run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	var s setup
	flag.StringVar(&s.virtscope, "virtscope", "virtscope", "path of virtscope")
	flag.StringVar(&s.file, "file", "", "capture to read")
	flag.Float64Var(&s.gigabytes, "gb", 1.1, "GB (10^9 B) of migration in the capture that is made")
	flag.IntVar(&s.segment, "segment", 1448, "B of payload in a frame of it: 1448 is Ethernet's, 61440 an offloaded frame's")
	flag.IntVar(&s.rounds, "rounds", 3, "how often virtscope and cat are measured, in turns; tshark is measured once")
	only := flag.String("make", "", "only make the capture, as this file")
	flag.Parse()
	if s.segment < 1 || s.segment > 65_000 {
		return fmt.Errorf("-segment %d: want 1 to 65000", s.segment)
	}
	if *only != "" {
		return makeCapture(*only, int64(s.gigabytes*1e9), s.segment)
	}
	return table(ctx, s)
}
