package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"

	"github.com/spf13/cobra"
)

// pcapOptions are the flags of the pcap command.
type pcapOptions struct {
	json    bool
	records string // file for the raw records
	plot    string // file for the figure
	scrub   string // file for a copy without page contents
	follow  bool
	guests  []string
	ports   []uint
	promisc bool
}

func newPcapCommand() *cobra.Command {
	var o pcapOptions
	c := &cobra.Command{
		Use:   "pcap FILE… | pcap --follow INTERFACE…",
		Short: "read migrations out of packets: stages, rounds, pages and outage of any capture, made by anything",
		Long: `pcap reads captures (pcap, pcapng, plain or compressed; - is standard input) and prints what passed: the stages
of each migration, its rounds with their pages, and the outage of the guest. The hypervisor is not asked anything.

Files from several vantage points are merged: how their clocks differ is worked out from packets that both saw,
and printed with its bound. The times are then those of the first file's clock.

With --follow, it captures on interfaces of this machine (whole frames) until it is interrupted, and tells what
happens as it does.`,
		Example: `  virtscope pcap migration.pcapng
  virtscope pcap source.pcap destination.pcap --json
  virtscope pcap migration.pcapng --plot migration.png
  virtscope pcap --follow eth0 --port 49152 --port 4444
  virtscope pcap big.pcapng --scrub small.pcapng.zst    # a copy without what the guest's memory held`,
		Args: needArgs(1, "name a capture file, - for standard input, or with --follow an interface"),
		RunE: func(c *cobra.Command, args []string) error { return runPcap(c, args, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	f.StringVar(&o.records, "records", "", "also write the raw records, one JSON object a line, to this file, which must not exist")
	f.StringVar(&o.plot, "plot", "", "also draw a figure: a file that ends in .png, .svg or .pdf")
	f.StringVar(&o.scrub, "scrub", "", "also write a copy of the one capture without page contents (pcapng, compressed if it ends in .zst) to this file, which must not exist")
	f.BoolVar(&o.follow, "follow", false, "capture on the named interfaces, live")
	f.StringArrayVar(&o.guests, "guest", nil, "MAC or IP address of a guest that is to be told even if it neither moved nor was announced")
	f.UintSliceVar(&o.ports, "port", nil, "look only at TCP connections to this port (default: all); with --follow, the kernel then gives only these, ARP, and the frames of each --guest MAC")
	f.BoolVar(&o.promisc, "promiscuous", false, "with --follow: also frames that are for other machines")
	return c
}

func runPcap(c *cobra.Command, args []string, o pcapOptions) error {
	conf, err := o.session()
	if err != nil {
		return specError(err)
	}
	if err := o.check(args); err != nil {
		return specError(err)
	}
	if o.follow {
		return followInterfaces(c, args, conf, o)
	}
	return readCaptures(c, args, conf, o)
}

// check finds what is wrong with the flags before anything is read.
func (o pcapOptions) check(args []string) error {
	if o.follow && o.scrub != "" {
		return errors.New("--scrub needs a capture file: keep the frames first (tcpdump -w), or leave --follow")
	}
	if o.scrub != "" && (len(args) != 1 || args[0] == stdin) {
		return fmt.Errorf("--scrub copies one capture file, and there are %d arguments, or standard input: name one file", len(args))
	}
	if !o.follow && o.promisc {
		return errors.New("--promiscuous is for --follow")
	}
	for _, out := range []struct{ flag, path string }{{"--records", o.records}, {"--scrub", o.scrub}} {
		if err := absent(out.flag, out.path); err != nil {
			return err
		}
	}
	return checkPlot(o.plot)
}

// session is what the flags say of what is looked at.
func (o pcapOptions) session() (wire.Config, error) {
	conf := wire.Config{Guests: true, Contents: o.scrub != ""}
	macs, addrs := map[packet.MAC]bool{}, map[netip.Addr]bool{}
	for _, g := range o.guests {
		if mac, err := net.ParseMAC(g); err == nil && len(mac) == 6 {
			macs[packet.MAC(mac)] = true
			continue
		}
		addr, err := netip.ParseAddr(g)
		if err != nil {
			return conf, fmt.Errorf("--guest %q is neither a MAC address (52:54:00:12:34:56) nor an IP address", g)
		}
		addrs[addr] = true
	}
	if len(o.guests) > 0 {
		conf.Asked = func(mac packet.MAC, a netip.Addr) bool { return macs[mac] || addrs[a] }
	}
	ports := map[uint16]bool{}
	for _, p := range o.ports {
		if p == 0 || p > 65535 {
			return conf, fmt.Errorf("--port %d: a TCP port is 1 to 65535", p)
		}
		ports[uint16(p)] = true
	}
	if len(ports) > 0 {
		conf.Match = func(_, server netip.AddrPort) bool { return ports[server.Port()] }
	}
	return conf, nil
}
