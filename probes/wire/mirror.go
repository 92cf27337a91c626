package wire

import (
	"strconv"
	"virtscope/probes/wire/nbd"
	"virtscope/results"
)

// mirror reads a connection to an NBD server.
func (c *connection) mirror() {
	s := c.session
	s.streams++
	c.told = true
	m := &migration{session: s, number: strconv.Itoa(s.streams), over: true}
	c.channel = "nbd"
	c.nbd = nbd.New(nbd.Config{Stream: m.number, Host: s.conf.Host, Client: c.client, Server: c.server}, results.RecorderFunc(s.emit))
	c.toServer.deliver(c.nbd.Client())
	c.toClient.deliver(c.nbd.Server())
}
