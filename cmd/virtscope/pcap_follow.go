package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
	"virtscope/probes/capture"
	"virtscope/probes/wire"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// followInterfaces captures on one interface until it is interrupted, tells what happens, and then prints all of it.
func followInterfaces(c *cobra.Command, names []string, conf wire.Config, o pcapOptions) (err error) {
	if len(names) != 1 {
		return specError(fmt.Errorf("--follow takes one interface, and there are %d: name one, or any", len(names)))
	}
	live, err := capture.Open(capture.LiveOptions{
		Interface: names[0], Direction: capture.Both, Promiscuous: o.promisc, Filter: o.filter(),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, live.Close()) }()
	defer context.AfterFunc(c.Context(), live.Stop)()
	conf.Host = names[0]
	conf.Port = func(_, iface int) string { return live.Interfaces()[iface] }
	found := &findings{}
	if !o.json {
		found.tell = teller(c.OutOrStdout())
		fmt.Fprintf(c.ErrOrStderr(), "following %s; Ctrl-C ends it and prints the tables\n", names[0])
	}
	s := wire.New(conf, found)
	if err := s.Drink(live); err != nil {
		return err
	}
	s.End()
	stats, err := live.Stats()
	if err != nil {
		return err
	}
	found.describeLive(s, names[0], stats)
	return found.print(c.OutOrStdout(), o)
}

// teller prints what happens, a line each.
func teller(w io.Writer) func(results.Record) {
	return func(r results.Record) {
		var text string
		switch r.Name {
		case results.WireMigration:
			text = fmt.Sprintf("begins: %s, %s → %s", r.Attrs["format"], r.Attrs["client"], r.Attrs["server"])
		case results.WireStage:
			text = r.Attrs["stage"]
		case results.WireRound:
			text = fmt.Sprintf("round %.0f", r.Value)
		case results.WireDamage:
			text = fmt.Sprintf("damage at byte %s of %s: %s", r.Attrs["offset"], r.Attrs["channel"], r.Attrs["detail"])
		case results.WireMigrationEnd:
			text = "ends: " + r.Attrs["how"]
		default:
			return
		}
		fmt.Fprintf(w, "%s  migration %s  %s\n", time.Unix(0, r.Time).Format("15:04:05.000000"), r.Attrs["stream"], text)
	}
}

// filter is what the kernel is to give: all, or, where ports were named, their connections, the announcements of guests,
// and the heads of the frames of guests that were named by MAC.
func (o pcapOptions) filter() capture.Filter {
	if len(o.ports) == 0 {
		return capture.Filter{}
	}
	f := capture.Filter{ARP: true, Snap: guestSnap}
	flow := capture.FlowMatch{}
	for _, p := range o.ports {
		flow.Ports = append(flow.Ports, uint16(p))
	}
	f.Flows = []capture.FlowMatch{flow}
	for _, g := range o.guests {
		if mac, err := net.ParseMAC(g); err == nil {
			f.MACs = append(f.MACs, mac)
		}
	}
	return f
}
