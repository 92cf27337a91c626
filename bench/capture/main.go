// Command capture measures live capture: how much CPU the ring of probes/capture and tcpdump need per GB of a migration's
// traffic, and what they lose. The script run beside it makes the namespaces that it works in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"os/signal"
)

// A setup is what a measurement is done with.
type setup struct {
	self         string // path of this program
	source, sink string // names of the network namespaces
	address      netip.AddrPort
	device       string  // in the sink's namespace, where frames are captured
	gigabytes    float64 // pushed for each tool in each round
	rounds       int
	decode       bool // in mode ring: decode what is captured
	ring         int  // MiB
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("capture: ", err)
	}
}

func run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	var s setup
	mode := flag.String("mode", "table", "table measures all; push, sink and ring are what it starts")
	flag.StringVar(&s.self, "self", "", "path of this program")
	flag.StringVar(&s.source, "source", "", "namespace that sends")
	flag.StringVar(&s.sink, "sink", "", "namespace that receives, and where frames are captured")
	flag.TextVar(&s.address, "address", netip.MustParseAddrPort("10.77.0.2:4444"), "where the sink listens")
	flag.StringVar(&s.device, "device", "eth0", "interface that is captured")
	flag.Float64Var(&s.gigabytes, "gb", 4, "GB (10^9 B) to push for each tool in each round")
	flag.IntVar(&s.rounds, "rounds", 3, "how often each tool is measured; the tools take turns")
	flag.IntVar(&s.ring, "ring", 64, "MiB of the ring of each tool (tcpdump -B)")
	flag.BoolVar(&s.decode, "decode", false, "with mode ring: decode the migration, too")
	flag.Parse()
	switch *mode {
	case "push":
		return push(ctx, s.address, int64(s.gigabytes*1e9))
	case "sink":
		return sink(ctx, s.address)
	case "ring":
		return ring(ctx, s)
	case "table":
		if s.self == "" || s.source == "" || s.sink == "" {
			return errors.New("start it by bench/capture/run, which makes the namespaces")
		}
		return table(ctx, s)
	}
	return fmt.Errorf("unknown mode %q", *mode)
}
