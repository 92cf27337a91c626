package wire

import (
	"virtscope/probes/wire/nbd"
	"virtscope/probes/wire/qemu"
	"virtscope/probes/wire/shape"
	"virtscope/probes/wire/tcp"
)

// tell finds out what the connection carries, from what both directions began with.
func (c *connection) tell() {
	if c.told {
		return
	}
	client, server := c.toServer, c.toClient
	if nbd.Sniff(server.held) {
		c.mirror()
		return
	}
	switch qemu.Sniff(client.held) {
	case qemu.MainChannel:
		c.join(c.session.migrationFor(c, false), mainChannel)
		return
	case qemu.MultifdChannel:
		c.join(c.session.migrationFor(c, true), multifd)
		return
	case qemu.More:
		if c.closed == 0 {
			return
		}
	}
	switch {
	case shape.Sniff(client.held):
		c.follow(true)
	case c.stream.Stats(tcp.Forward).SYN && len(client.held) > 0 && !client.headless():
		if m := c.session.openMigration(c); m != nil && m.qemu != nil {
			c.join(m, preempt)
			return
		}
		c.follow(false)
	case client.full() || server.full() || c.session.held > mostHeld:
		// Where the server speaks first, it is no migration's source, unless the capture began late.
		c.tellMiddle()
	}
}

// tellMiddle decides on a connection that began before the capture.
func (c *connection) tellMiddle() {
	switch {
	case nbd.SniffClient(c.toServer.held):
		c.mirror()
	case nbd.SniffClient(c.toClient.held):
		c.swapped = true
		c.mirror()
	case qemu.Plausible(c.toServer.held):
		c.join(c.session.migrationFor(c, false), mainChannel)
	case qemu.PlausibleMultifd(c.toServer.held):
		c.join(c.session.migrationFor(c, true), multifd)
	case qemu.Plausible(c.toClient.held):
		c.swapped = true
		c.join(c.session.migrationFor(c, false), mainChannel)
	case qemu.PlausibleMultifd(c.toClient.held):
		c.swapped = true
		c.join(c.session.migrationFor(c, true), multifd)
	default:
		c.follow(false)
	}
}
